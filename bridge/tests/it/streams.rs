//! Streams, signals and folders as other programs hand them on: full, closed, ignored, absent.
#![cfg(unix)]

use std::fs::File;
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::process::{Running, command};

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// A pipe without a reader.
fn closed() -> Stdio {
    std::io::pipe().unwrap().1.into()
}

fn failed(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    let error = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{error}");
    error
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn help_and_version_fail_where_they_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    for argument in ["--help", "--version"] {
        let error = failed(command(folder.path()).arg(argument).stdout(full()));
        assert!(error.contains("cannot write to standard output"), "{error}");
    }
}

#[test]
fn limits_that_are_too_low_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let direct = command(folder.path());
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 5; exec \"$@\"", "sh"]);
    limited.arg(direct.get_program()).args(direct.get_args());
    let error = failed(limited.env("HOME", folder.path()).stdin(Stdio::null()));
    assert!(error.contains("ulimit -n"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn without_a_reader_of_its_line_and_its_errors_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let mut bridge = Command::new(env!("CARGO_BIN_EXE_p2pchat-bridge"))
        .env_clear()
        .env("HOME", folder.path())
        .env("RUST_LOG", "trace")
        .args(["--registry", "127.0.0.1:9", "--unprivileged"])
        .args(["--listen", &port.to_string()])
        .args(["--address", &crate::support::own_address().to_string()])
        .stdout(closed())
        .stderr(closed())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(port).is_err() {
        assert_eq!(bridge.try_wait().unwrap(), None, "it goes on");
        assert!(Instant::now() < until, "it never listened");
        std::thread::sleep(Duration::from_millis(10));
    }
    signal(&bridge, "TERM");
    assert_eq!(bridge.wait().unwrap().code(), Some(0));
}

#[test]
fn without_a_usable_home_folder_the_error_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    let profile = folder.path().join("profile");
    let mut arguments: Vec<String> = Vec::new();
    for (missing, remedy) in [
        (
            "--secret-file",
            format!("--secret-file={}", secret.display()),
        ),
        ("--profile", format!("--profile={}", profile.display())),
    ] {
        let mut command = command(folder.path());
        // Nobody can make a folder there, whatever they may.
        command.env("HOME", "/dev/null/home").args(&arguments);
        let error = failed(&mut command);
        assert!(error.contains(missing), "{error}");
        assert_eq!(error.matches("os error").count(), 1, "{error}");
        arguments.push(remedy);
    }
    let mut command = command(folder.path());
    command.env("HOME", "/dev/null/home").args(&arguments);
    assert_eq!(Running::start(&mut command).stop("-TERM"), Some(0));
}
