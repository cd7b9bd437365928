//! The program, run as a process.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::support::own_address;

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

    fn url(&self) -> &str {
        self.line.split(' ').next_back().unwrap().trim()
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
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
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
    let address = bridge.line.split(' ').nth(3).unwrap().trim_end_matches(',');
    let mut second = Command::new(env!("CARGO_BIN_EXE_p2pchat-bridge"));
    second
        .env_clear()
        .env("HOME", folder.path())
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

#[test]
fn the_page_is_opened_without_the_secret_on_a_command_line() {
    let folder = tempfile::tempdir().unwrap();
    // Stands for the browser: notes what it was given.
    let opener = folder.path().join("xdg-open");
    let script = "#!/bin/sh\necho \"$@\" > $HOME/given.tmp; cp \"$1\" $HOME/page; mv $HOME/given.tmp $HOME/given\n";
    std::fs::write(&opener, script).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&opener, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let mut bridge = Running::start(command(folder.path()).arg("--open").env("PATH", path));

    let given = folder.path().join("given");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !given.exists() {
        assert!(std::time::Instant::now() < until, "nothing was opened");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let given = std::fs::read_to_string(given).unwrap();
    let secret = bridge.url().split_once('#').unwrap().1.to_owned();
    assert!(!given.contains(&secret), "{given}");
    // Browsers in a sandbox read no hidden folders.
    assert_eq!(Path::new(&given).parent(), Some(folder.path()), "{given}");
    let page = std::fs::read_to_string(folder.path().join("page")).unwrap();
    assert!(page.contains(bridge.url()), "{page}");
    bridge.stop("-TERM");
    assert!(!Path::new(given.trim()).exists(), "the file is gone");
}
