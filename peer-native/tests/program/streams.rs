//! Streams and signals as other programs hand them on: full, closed, not blocking, ignored.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Output, Stdio};

use rustix::fs::{OFlags, fcntl_getfl};

use crate::support::{Piped, Registry, own_address, program, wait_for};

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// A pipe without a reader.
fn closed() -> Stdio {
    std::io::pipe().unwrap().1.into()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What a login with the right password and without `--register` ends with.
fn login(registry: &Registry, user: &str) -> Option<i32> {
    let arguments = registry.arguments_of(user, &own_address());
    let arguments = arguments
        .iter()
        .filter(|argument| *argument != "--register");
    let output = program(registry.folder.path())
        .args(arguments)
        .arg("--json")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    output.status.code()
}

#[test]
fn output_that_cannot_be_written_is_an_error_before_anything_is_done() {
    let registry = Registry::start();
    for mode in ["--json", "--plain"] {
        let output = program(registry.folder.path())
            .args(registry.arguments_of("alice", &own_address()))
            .arg(mode)
            .stdin(Stdio::null())
            .stdout(full())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{mode}");
        let error = text(&output);
        assert!(error.contains("cannot write to standard output"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    assert_eq!(
        login(&registry, "alice"),
        Some(3),
        "there is no such account"
    );
}

#[test]
fn an_output_that_fills_up_later_is_an_error_too() {
    let registry = Registry::start();
    let mut arguments = registry.arguments_of("alice", &own_address());
    arguments.push("--json".to_owned());
    // The shell limits how long a file may become: to 1000 blocks of 512 bytes or 1 KiB, which the
    // files of the profile do not need.
    let script = "ulimit -f 1000; trap '' XFSZ; exec \"$@\"";
    let out = registry.folder.path().join("out");
    let mut child = Command::new("sh")
        .args(["-c", script, "sh", crate::support::PROGRAM])
        .args(&arguments)
        .env("HOME", registry.folder.path())
        .stdin(Stdio::piped())
        .stdout(File::create(&out).unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let _ = stdin.write_all("nonsense\n".repeat(20_000).as_bytes());
    let status = wait_for("the program to end", || child.try_wait().unwrap());
    let mut error = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut error)
        .unwrap();
    assert_eq!(status.code(), Some(1), "{error}");
    assert!(error.contains("cannot write to standard output"), "{error}");
}

#[test]
fn help_version_and_completions_fail_where_they_cannot_be_written() {
    let registry = Registry::start();
    for arguments in [&["--help"][..], &["--version"], &["completions", "zsh"]] {
        let run = |stdout: Stdio| {
            let mut command = program(registry.folder.path());
            command.args(arguments).stdout(stdout).output().unwrap()
        };
        let failed = run(full().into());
        assert_eq!(failed.status.code(), Some(1), "{arguments:?}");
        assert!(text(&failed).contains("cannot write to standard output"));
        // Nobody reads.
        let quiet = run(closed());
        assert_eq!(
            (quiet.status.code(), text(&quiet)),
            (Some(0), String::new())
        );
    }
}

#[test]
fn a_pipe_that_nobody_reads_ends_the_program_quietly() {
    let registry = Registry::start();
    for mode in ["--json", "--plain"] {
        let output = program(registry.folder.path())
            .args(registry.arguments_of("alice", &own_address()))
            .arg(mode)
            .stdin(Stdio::null())
            .stdout(closed())
            .output()
            .unwrap();
        assert_eq!(
            (output.status.code(), text(&output)),
            (Some(0), String::new())
        );
    }
}

#[test]
fn a_standard_error_that_cannot_be_written_changes_nothing() {
    let registry = Registry::start();
    for stderr in [full().into(), closed()] {
        let mut arguments = registry.arguments_of("alice", &own_address());
        arguments.push("--json".to_owned());
        let output = program(registry.folder.path())
            .args(&arguments)
            .env("RUST_LOG", "trace")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        let events = String::from_utf8(output.stdout).unwrap();
        assert!(events.contains("logged_in"), "{events}");
    }
    let wrong = program(registry.folder.path())
        .arg("--nonsense")
        .stderr(full())
        .status();
    assert_eq!(wrong.unwrap().code(), Some(2));
    let wrong = program(registry.folder.path())
        .args(["--plain", "--json"])
        .stderr(full())
        .status();
    assert_eq!(wrong.unwrap().code(), Some(2));
}

#[test]
fn streams_that_are_not_blocking_are_waited_for_and_stay_so() {
    for mode in ["--json", "--plain"] {
        let registry = Registry::start();
        let mut arguments = registry.arguments_of("alice", &own_address());
        arguments.push(mode.to_owned());
        let (mut far, near) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let near: OwnedFd = near.into();
        let mut child = program(registry.folder.path())
            .args(&arguments)
            .stdin(near.try_clone().unwrap())
            .stdout(near.try_clone().unwrap())
            .spawn()
            .unwrap();
        let mut shown = Vec::new();
        let mut buffer = [0; 1024];
        // There was no input at all until here.
        while !String::from_utf8_lossy(&shown).contains(if mode == "--json" {
            "logged_in"
        } else {
            "signed in as"
        }) {
            let count = far.read(&mut buffer).unwrap();
            assert!(count > 0, "it ended: {}", String::from_utf8_lossy(&shown));
            shown.extend(&buffer[..count]);
        }
        assert!(fcntl_getfl(&near).unwrap().contains(OFlags::NONBLOCK));
        drop(near);
        // Half a line, then more answers than fit before they are read.
        far.write_all(b"non").unwrap();
        let mut writing = far.try_clone().unwrap();
        let writer = std::thread::spawn(move || {
            let lines = "sense\n/nonsense\n".repeat(20_000);
            writing.write_all(lines.as_bytes()).unwrap();
            writing.shutdown(std::net::Shutdown::Write).unwrap();
        });
        let mut answers = Vec::new();
        far.read_to_end(&mut answers).unwrap();
        writer.join().unwrap();
        let status = wait_for("the program to end", || child.try_wait().unwrap());
        assert_eq!(status.code(), Some(0), "{mode}");
        let answers = String::from_utf8(answers).unwrap();
        let count = answers
            .lines()
            .filter(|line| line.contains("command"))
            .count();
        let expected = if mode == "--json" { 40_000 } else { 20_000 };
        assert!(count >= expected, "{mode}: {count}");
    }
}

#[test]
fn an_input_that_cannot_be_read_is_an_error_and_not_the_end() {
    let registry = Registry::start();
    for mode in ["--json", "--plain"] {
        let output = program(registry.folder.path())
            .args(registry.arguments(&own_address()))
            .arg(mode)
            .stdin(File::open("/").unwrap())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{mode}");
        let error = text(&output);
        assert!(error.contains("cannot read standard input"), "{error}");
    }
}

#[test]
fn files_of_a_windows_editor_are_read_as_any_other() {
    let registry = Registry::for_version_1();
    std::fs::write(registry.password_file(), "\u{feff}secret\r\n").unwrap();
    let mut arguments = registry.arguments_of("alice", &own_address());
    arguments.push("--json".to_owned());
    let mut alice = Piped::start(&registry, &arguments);
    alice.line_with("logged_in");
    alice.write("\u{feff}{\"command\":\"busy\",\"on\":true}\r");
    alice.line_with(r#"{"event":"busy","on":true}"#);
    assert_eq!(alice.end().code(), Some(0));
    std::fs::write(registry.password_file(), "secret").unwrap();
    assert_eq!(login(&registry, "alice"), Some(0));
}

#[test]
fn hang_up_and_interrupt_stay_ignored_where_they_were() {
    let registry = Registry::start();
    let mut arguments = registry.arguments_of("alice", &own_address());
    arguments.push("--json".to_owned());
    let mut child = Command::new("nohup")
        .arg("sh")
        .args([
            "-c",
            "trap '' INT; exec \"$@\"",
            "sh",
            crate::support::PROGRAM,
        ])
        .args(&arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", registry.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(out).map(Result::unwrap);
    assert!(lines.any(|line| line.contains("logged_in")));
    let kill = |signal: &str| {
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.unwrap().success());
    };
    kill("HUP");
    kill("INT");
    writeln!(stdin, r#"{{"command":"busy","on":true}}"#).unwrap();
    assert!(lines.any(|line| line.contains("busy")));
    kill("TERM");
    let status = wait_for("the program to end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(4));
}
