//! `p2pchat-registry install` and `uninstall`, with a `systemctl` that notes what it is asked for
//! and starts the program that the unit names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use p2pchat_testkit::free_ports;
use tempfile::TempDir;

use crate::support::program::{command, text};
use crate::support::signal;

/// Does what systemd does of `restart` and `disable --now` of a user's unit.
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "$*" >> "$NOTES/asked"
stop() {
    if [ -f "$NOTES/pid" ]; then kill "$(cat "$NOTES/pid")"; rm "$NOTES/pid"; fi
}
case "$*" in
*restart*)
    stop
    program=$(sed -n 's/^ExecStart=//p' "$XDG_CONFIG_HOME/systemd/user/p2pchat-registry.service")
    "$program" < /dev/null > "$NOTES/log" 2>&1 &
    echo $! > "$NOTES/pid"
    ;;
*disable*) stop ;;
esac
"#;

/// A user of a system with systemd.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new(systemctl: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Self { folder };
        for name in ["bin", "config/p2pchat", "notes"] {
            fs::create_dir_all(home.path(name)).unwrap();
        }
        let [tcp, udp] = free_ports().unwrap();
        let options = format!("[registry]\ntcp = '127.0.0.1:{tcp}'\nudp = '127.0.0.1:{udp}'\n");
        fs::write(home.path("config/p2pchat/config.toml"), options).unwrap();
        if !systemctl.is_empty() {
            let file = home.path("bin/systemctl");
            fs::write(&file, systemctl).unwrap();
            let made = Command::new("chmod").arg("+x").arg(&file).status();
            assert!(made.unwrap().success());
        }
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn unit(&self) -> PathBuf {
        self.path("config/systemd/user/p2pchat-registry.service")
    }

    fn store(&self) -> PathBuf {
        self.path("data/p2pchat/registry.sqlite3")
    }

    /// Runs the program for this user, with our `systemctl` or none.
    fn run(&self, arguments: &[&str]) -> Output {
        let bin = self.path("bin");
        let path = match fs::read_dir(&bin).unwrap().next() {
            Some(_) => format!("{}:/usr/bin:/bin", bin.display()),
            None => text(&bin).to_owned(),
        };
        command()
            .args(arguments)
            .env("HOME", self.folder.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("NOTES", self.path("notes"))
            .env("PATH", path)
            .output()
            .unwrap()
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn pid(&self) -> Option<u32> {
        let pid = fs::read_to_string(self.path("notes/pid")).ok()?;
        pid.trim().parse().ok()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            signal(pid, "KILL");
        }
    }
}

fn exists(paths: &[&Path]) -> Vec<bool> {
    paths.iter().map(|path| path.exists()).collect()
}

#[test]
fn a_user_installs_updates_and_removes_the_service() {
    let home = Home::new(SYSTEMCTL);
    let printed = home.done(&["install", "--user"]);
    let unit = fs::read_to_string(home.unit()).unwrap();
    let runs = format!("\nExecStart={}\n", env!("CARGO_BIN_EXE_p2pchat-registry"));
    assert!(unit.contains(&runs), "{unit}");
    let asked = fs::read_to_string(home.path("notes/asked")).unwrap();
    let expected = [
        "--user show --property=Version",
        "--user daemon-reload",
        "--user enable p2pchat-registry",
        "--user restart p2pchat-registry",
    ];
    assert_eq!(asked.lines().collect::<Vec<_>>(), expected);
    assert!(printed.contains("loginctl enable-linger"), "{printed}");
    // The last line is what others type, with the fingerprint of the key.
    let fingerprint = home.done(&["fingerprint"]);
    let argument = fingerprint.lines().next().unwrap();
    let last = printed.lines().last().unwrap();
    assert_eq!(last, format!("p2pchat {argument}"));

    let first = home.pid().unwrap();
    assert_eq!(home.done(&["install", "--user"]).lines().last(), Some(last));
    assert_ne!(home.pid().unwrap(), first, "an update starts it again");

    let key = home.path("data/p2pchat/registry.sqlite3.key");
    let all = [home.unit(), home.store(), key];
    let all: Vec<&Path> = all.iter().map(PathBuf::as_path).collect();
    assert_eq!(exists(&all), [true, true, true]);
    let printed = home.done(&["uninstall", "--user"]);
    assert!(printed.contains(text(&home.store())), "{printed}");
    assert_eq!(exists(&all), [false, true, true], "accounts are kept");
    assert_eq!(home.pid(), None);
    home.done(&["uninstall", "--user", "--purge"]);
    assert_eq!(exists(&all), [false, false, false]);
}

#[test]
fn a_dry_run_shows_all_and_does_nothing() {
    let home = Home::new("");
    let printed = home.done(&["install", "--user", "--dry-run"]);
    for line in [
        &format!("would write {}:", home.unit().display()),
        "  [Service]",
        "would run systemctl --user restart p2pchat-registry",
    ] {
        assert!(
            printed.lines().any(|printed| printed == line),
            "{line}: {printed}"
        );
    }
    let printed = home.done(&["uninstall", "--user", "--purge", "--dry-run"]);
    let store = format!("would remove {}\n", home.store().display());
    assert!(printed.contains(&store), "{printed}");
    assert!(!home.path("config/systemd").exists());
}

#[test]
fn without_systemd_nothing_is_written_and_the_exit_code_says_so() {
    let fails = "#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n";
    for (systemctl, reason) in [("", "No such file"), (fails, "Failed to connect to bus")] {
        let home = Home::new(systemctl);
        let output = home.run(&["install", "--user"]);
        assert_eq!(output.status.code(), Some(3));
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("no systemd can be reached"), "{error}");
        assert!(error.contains(reason), "{error}");
        assert!(!home.unit().exists());
    }
}

#[test]
fn what_the_service_would_not_have_and_a_port_in_use_are_refused() {
    let home = Home::new(SYSTEMCTL);
    let output = home.run(&["--presence-timeout", "90", "install", "--user"]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("--presence-timeout") && error.contains("config.toml"),
        "{error}"
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let options = format!("[registry]\ntcp = '{address}'\n");
    fs::write(home.path("config/p2pchat/config.toml"), options).unwrap();
    let output = home.run(&["install", "--user"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("another program listens"), "{error}");
    assert!(!home.unit().exists());
}
