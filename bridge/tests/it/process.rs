//! The program, run as a process.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use p2pchat_model::Event;

use crate::support::{Visit, own_address};

pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_p2pchat-bridge"));
    command
        .env_clear()
        .env("HOME", folder)
        .args([
            "--registry",
            "127.0.0.1:9",
            "--unprivileged",
            "--listen",
            "127.0.0.1:0",
        ])
        .args(["--address", &own_address().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A bridge that ends with the test.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) line: String,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.as_mut().unwrap());
        out.read_line(&mut line).unwrap();
        let mut running = Self { child, line };
        if running.line.is_empty() {
            panic!("no start line: {}", running.errors());
        }
        running
    }

    pub(crate) fn url(&self) -> &str {
        self.line.split(' ').next_back().unwrap().trim()
    }

    /// The address of the peer.
    pub(crate) fn peer(&self) -> &str {
        self.line.split(' ').nth(3).unwrap().trim_end_matches(',')
    }

    fn errors(&mut self) -> String {
        let mut text = String::new();
        self.child
            .stderr
            .as_mut()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    pub(crate) fn stop(&mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.child.wait().unwrap().code()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn failed(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn it_says_where_it_is_in_one_line_and_stops_at_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().unwrap();
        let mut bridge = Running::start(&mut command(folder.path()));
        assert!(
            bridge.line.starts_with("p2pchat-bridge: peer at 127."),
            "{}",
            bridge.line
        );
        let (address, secret) = bridge.url().split_once("/#").unwrap();
        assert!(address.starts_with("http://127.0.0.1:"), "{address}");
        assert_eq!(secret.len(), 64);
        assert_eq!(bridge.stop(signal), Some(0));
    }
}

#[cfg(unix)]
#[test]
fn it_becomes_a_service_of_its_user_and_none_again() {
    let folder = tempfile::tempdir().unwrap();
    let asked = folder.path().join("asked");
    // A systemctl that notes what it is asked for.
    let systemctl = folder.path().join("systemctl");
    let script = format!("#!/bin/sh\necho \"$*\" >> '{}'\n", asked.display());
    std::fs::write(&systemctl, script).unwrap();
    let made = Command::new("chmod").arg("+x").arg(&systemctl).status();
    assert!(made.unwrap().success());
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_p2pchat-bridge"));
        let command = command.env_clear().env("HOME", folder.path());
        let output = command.env("PATH", folder.path()).args(arguments).output();
        let output = output.unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            error,
        )
    };
    let (code, printed, error) = run(&["install"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(
        printed.ends_with("\ncat $XDG_RUNTIME_DIR/p2pchat-bridge.url\n"),
        "{printed}"
    );
    let unit = folder
        .path()
        .join(".config/systemd/user/p2pchat-bridge.service");
    let runs = format!("\nExecStart={}\n", env!("CARGO_BIN_EXE_p2pchat-bridge"));
    assert!(std::fs::read_to_string(&unit).unwrap().contains(&runs));
    let asked = std::fs::read_to_string(&asked).unwrap();
    assert!(
        asked.ends_with("--user enable p2pchat-bridge\n--user restart p2pchat-bridge\n"),
        "{asked}"
    );

    let (code, _, error) = run(&["uninstall"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(!unit.exists());
    let (code, _, error) = run(&["--open", "install"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("--open is given here"), "{error}");
    assert!(!unit.exists());
}

#[test]
fn the_secret_stays_and_is_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let secret = |bridge: &Running| bridge.url().split_once('#').unwrap().1.to_owned();
    let first = secret(&Running::start(&mut command(folder.path())));
    let second = secret(&Running::start(&mut command(folder.path())));
    assert_eq!(first, second);

    let path = folder.path().join(".local/share/p2pchat/bridge-secret");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, error) = failed(&mut command(folder.path()));
    assert_eq!(code, Some(1));
    assert!(
        error.contains("delete the file") && error.contains("bridge-secret"),
        "{error}"
    );
}

#[test]
fn a_port_that_is_taken_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let bridge = Running::start(&mut command(folder.path()));
    let taken = bridge
        .url()
        .strip_prefix("http://")
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    let (code, error) = failed(
        command(folder.path())
            .env("P2PCHAT_LISTEN", taken)
            .args(["--listen", taken]),
    );
    assert_eq!(code, Some(2), "an option twice: {error}");

    let mut second = Command::new(env!("CARGO_BIN_EXE_p2pchat-bridge"));
    second
        .env_clear()
        .env("HOME", folder.path())
        .env("P2PCHAT_LISTEN", taken);
    let (code, error) = failed(second.stdout(Stdio::null()));
    assert_eq!(code, Some(1));
    assert!(
        error.contains(taken) && error.contains("--listen"),
        "{error}"
    );
}

#[test]
fn an_address_that_is_taken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let bridge = Running::start(&mut command(folder.path()));
    let mut second = Command::new(env!("CARGO_BIN_EXE_p2pchat-bridge"));
    let address = bridge.peer();
    // Another person on this machine.
    second
        .env_clear()
        .env("HOME", folder.path().join("other"))
        .args(["--listen", "127.0.0.1:0"]);
    let (code, error) = failed(second.args(["--address", address, "--unprivileged"]));
    assert_eq!(code, Some(1));
    assert!(error.contains(address), "{error}");
}

#[test]
fn listening_for_others_is_refused_with_what_it_means() {
    let folder = tempfile::tempdir().unwrap();
    let mut exposed = Command::new(env!("CARGO_BIN_EXE_p2pchat-bridge"));
    exposed
        .env_clear()
        .env("HOME", folder.path())
        .args(["--listen", "0.0.0.0:0"]);
    let (code, error) = failed(&mut exposed);
    assert_eq!(code, Some(2));
    assert!(
        error.contains("--expose-unencrypted") && error.contains("not"),
        "{error}"
    );
    let secret = folder.path().join(".local/share/p2pchat/bridge-secret");
    assert!(!secret.exists(), "nothing was begun");
}

/// The content of a file, when there is one.
fn until_written(file: &Path) -> String {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !file.exists() {
        let now = std::time::Instant::now();
        assert!(now < until, "{} is not there", file.display());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::fs::read_to_string(file).unwrap()
}

/// Puts a script in the place of the program that opens pages.
fn opener(folder: &Path, script: &str) -> String {
    let opener = folder.join("xdg-open");
    std::fs::write(&opener, format!("#!/bin/sh\n{script}\n")).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&opener, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    format!("{}:/usr/bin:/bin", folder.display())
}

#[test]
fn the_page_is_opened_without_the_secret_on_a_command_line() {
    let folder = tempfile::tempdir().unwrap();
    // Stands for the browser: notes what it was given.
    let script =
        "echo \"$@\" > $HOME/given.tmp; cp \"$1\" $HOME/page; mv $HOME/given.tmp $HOME/given";
    let path = opener(folder.path(), script);
    let mut bridge = Running::start(command(folder.path()).arg("--open").env("PATH", path));

    let given = until_written(&folder.path().join("given"));
    let secret = bridge.url().split_once('#').unwrap().1.to_owned();
    assert!(!given.contains(&secret), "{given}");
    // Browsers in a sandbox read no hidden folders.
    assert_eq!(Path::new(&given).parent(), Some(folder.path()), "{given}");
    let page = std::fs::read_to_string(folder.path().join("page")).unwrap();
    assert!(page.contains(bridge.url()), "{page}");
    bridge.stop("-TERM");
    assert!(!Path::new(given.trim()).exists(), "the file is gone");
}

#[test]
fn a_second_start_opens_the_page_of_the_bridge_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut bridge = Running::start(&mut command(folder.path()));
    let path = opener(
        folder.path(),
        "cp \"$1\" $HOME/page.tmp; mv $HOME/page.tmp $HOME/page",
    );
    let mut second = Command::new(env!("CARGO_BIN_EXE_p2pchat-bridge"));
    second
        .env_clear()
        .env("HOME", folder.path())
        .env("PATH", path)
        .arg("--open");
    let mut second = second.stderr(Stdio::null()).spawn().unwrap();
    let page = until_written(&folder.path().join("page"));
    assert!(page.contains(bridge.url()), "{page}");
    let pid = second.id().to_string();
    let killed = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(killed.unwrap().success());
    assert_eq!(second.wait().unwrap().code(), Some(0));
    assert_eq!(bridge.stop("-TERM"), Some(0));
}

#[test]
fn a_browser_that_does_not_open_is_told_with_the_url() {
    for (script, why) in [
        // Nothing to open pages with, as on a server.
        (None, "cannot run xdg-open"),
        (Some("exit 3"), "exit status: 3"),
        (Some("kill -9 $$"), "signal: 9"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = script.map(|script| opener(folder.path(), script));
        let path = path.unwrap_or_else(|| folder.path().display().to_string());
        let mut bridge = Running::start(command(folder.path()).arg("--open").env("PATH", path));
        let mut err = BufReader::new(bridge.child.stderr.take().unwrap());
        let complaint = loop {
            let mut line = String::new();
            assert_ne!(err.read_line(&mut line).unwrap(), 0, "it goes on");
            if line.contains("browser") {
                break line;
            }
        };
        let wanted = format!("open {} yourself", bridge.url());
        assert!(complaint.contains(&wanted), "{complaint}");
        assert!(complaint.contains(why), "{complaint}");
        assert_eq!(bridge.stop("-TERM"), Some(0));
    }
}

#[test]
fn a_home_that_cannot_be_written_does_not_keep_the_browser_from_opening() {
    let folder = tempfile::tempdir().unwrap();
    let path = opener(folder.path(), "echo \"$1\" > $NOTE.tmp; mv $NOTE.tmp $NOTE");
    let note = folder.path().join("given");
    let mut bridge = Running::start(
        command(folder.path())
            .arg("--open")
            .arg("--secret-file")
            .arg(folder.path().join("secret"))
            .arg("--profile")
            .arg(folder.path().join("profile"))
            .env("NOTE", &note)
            .env("HOME", "/proc/none")
            .env("PATH", path),
    );
    let given = until_written(&note);
    assert_eq!(Path::new(given.trim()).parent(), Some(folder.path()));
    assert_eq!(bridge.stop("-TERM"), Some(0));
}

#[test]
fn it_runs_where_nobody_reads_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = command(folder.path()).stdout(writer).spawn().unwrap();
    // It has begun once its secret is there, and the line comes after that.
    let secret = folder.path().join(".local/share/p2pchat/bridge-secret");
    until_written(&secret);
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "it goes on");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let full = || {
        std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let (code, error) = failed(command(folder.path()).stdout(full()));
    assert_eq!(code, Some(1));
    assert!(error.contains("standard output"), "{error}");
    // Nor does an error that cannot be written change the code.
    let status = command(folder.path())
        .stdout(full())
        .stderr(full())
        .status();
    assert_eq!(status.unwrap().code(), Some(1));
    let status = command(folder.path())
        .args(["--listen", "0.0.0.0:0"])
        .stderr(full())
        .status();
    assert_eq!(status.unwrap().code(), Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn under_nohup_the_end_of_the_terminal_does_not_end_it() {
    let folder = tempfile::tempdir().unwrap();
    let program = command(folder.path());
    let mut nohup = Command::new("nohup");
    nohup
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut bridge = Running::start(&mut nohup);
    let status = std::fs::read_to_string(format!("/proc/{}/status", bridge.child.id())).unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = u64::from_str_radix(ignored.unwrap().trim(), 16).unwrap();
    assert_eq!(ignored & 1, 1, "SIGHUP stays ignored: {ignored:x}");
    assert_eq!(bridge.stop("-TERM"), Some(0));

    let mut bridge = Running::start(&mut command(folder.path()));
    assert_eq!(bridge.stop("-HUP"), Some(0), "without it, it logs out");
}

/// What a page may send that nobody may read in a log.
const SECRETS: [&str; 5] = [
    "a password nobody sees",
    "another password nobody sees",
    "the key that was exported",
    "the password of the file",
    "not even half of it",
];

#[tokio::test]
async fn nothing_secret_is_logged_however_much_is() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut command = command(folder.path());
    command
        .env("RUST_LOG", "trace")
        .stderr(std::fs::File::create(&log).unwrap());
    let mut running = Running::start(&mut command);
    let (place, secret) = running.url().split_once("/#").unwrap();
    let secret = secret.to_owned();
    let address = place.strip_prefix("http://").unwrap().parse().unwrap();
    let mut page = Visit::new(address).connect().await.unwrap();
    page.greet(&secret).await;
    page.begin().await;
    let [password, new, identity, of_file, half] = SECRETS;
    for call in [
        format!(r#"{{"id":1,"command":"login","name":"alice","password":"{password}"}}"#),
        format!(r#"{{"id":2,"command":"change_password","old":"{password}","new":"{new}"}}"#),
        format!(
            r#"{{"id":3,"command":"import_identity","identity":"{identity}","password":"{of_file}"}}"#
        ),
        format!(r#"{{"id":4,"command":"export_identity","password":"{of_file}","{half}":1}}"#),
        format!(r#"{{"id":5,"command":"login","name":"alice","password":["{half}"]}}"#),
    ] {
        page.send_text(&call).await;
    }
    // The last of them is answered at once, the others are by then in the peer.
    page.until("an answer", |event| match event {
        Event::Failed(failure) if failure.command == "?" => Some(()),
        _ => None,
    })
    .await;
    running.stop("-TERM");
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains("TRACE"), "nothing is logged at all");
    for word in SECRETS.into_iter().chain([secret.as_str()]) {
        assert!(!log.contains(word), "{word} is in the log");
    }
}
