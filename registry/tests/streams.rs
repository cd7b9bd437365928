//! Streams, signals and folders as other programs hand them on: full, closed, not blocking,
//! ignored, absent.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Output, Stdio};
use std::time::Duration;

use p2pchat_settings::streams::IfRoom;

use crate::support::client::{Client, REGISTER, SEARCH};
use crate::support::program::{Program, command, refusal, users};
use crate::support::stores::Fresh;
use crate::support::{signal, wait_for};

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// A pipe without a reader.
fn closed() -> Stdio {
    std::io::pipe().unwrap().1.into()
}

fn error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn logs_that_cannot_be_written_are_lost_and_nothing_else() {
    let fresh = Fresh::sqlite();
    for stderr in [full().into(), closed()] {
        let mut child = command()
            .args(["--store", &fresh.name()])
            .args(["--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
            .env("RUST_LOG", "trace")
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        // Each connection is logged.
        let address = line
            .split(" tcp ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap();
        for _ in 0..3 {
            let mut client = Client::connect(address.parse().unwrap());
            client.register_and_login(&format!("a{}", crate::support::unique()), "pw");
        }
        signal(child.id(), "TERM");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn a_reader_of_the_logs_that_goes_away_changes_nothing() {
    let fresh = Fresh::sqlite();
    let mut command = command();
    command
        .args(["--store", &fresh.name()])
        .env("RUST_LOG", "trace");
    let mut program = Program::start_with(&mut command);
    program.close_stderr();
    for number in 0..3 {
        let mut client = Client::connect(program.tcp);
        client.register_and_login(&format!("user{number}"), "pw");
    }
    let (status, ..) = program.stop("TERM");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn output_that_cannot_be_written_is_an_error_and_a_closed_pipe_is_none() {
    let fresh = Fresh::sqlite();
    for name in ["ann", "bob"] {
        let added = users(
            &fresh.name(),
            &["add", name, "--password-file", "-"],
            "pw\n",
        );
        assert_eq!(added.status.code(), Some(0), "{}", error(&added));
    }
    let store = fresh.name();
    for (arguments, done) in [
        (&["--help"][..], ""),
        (&["--version"], ""),
        (&["completions", "bash"], ""),
        (&["users", "--help"], ""),
        (&["--store", &store, "users", "list"], ""),
        (
            &["--store", &store, "users", "remove", "ann"],
            "removed ann, but: ",
        ),
    ] {
        let run = |stdout: Stdio| {
            let mut command = command();
            command.args(arguments).stdin(Stdio::null());
            command.stdout(stdout).output().unwrap()
        };
        let failed = run(full().into());
        assert_eq!(failed.status.code(), Some(1), "{arguments:?}");
        let text = error(&failed);
        let expected = format!("p2pchat-registry: {done}cannot write to standard output: ");
        assert!(text.contains(&expected), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        if done.is_empty() {
            let quiet = run(closed());
            assert_eq!(
                (quiet.status.code(), error(&quiet)),
                (Some(0), String::new())
            );
        }
    }
    let mut server = command();
    server.args([
        "--store",
        &store,
        "--tcp",
        "127.0.0.1:0",
        "--udp",
        "127.0.0.1:0",
    ]);
    let output = server.stdin(Stdio::null()).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error(&output).contains("cannot write to standard output"));
}

#[test]
fn passwords_are_waited_for_and_read_as_windows_writes_them() {
    let fresh = Fresh::sqlite();
    let (mut far, near) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    let near: OwnedFd = near.into();
    let mut child = command()
        .args(["users", "add", "bob", "--password-file", "-"])
        .args(["--store", &fresh.name()])
        .stdin(near)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    far.write_all("\u{feff}pw o".as_bytes()).unwrap();
    // The end of the line is enough: the stream stays open.
    far.write_all(b"ne\r\n").unwrap();
    wait_for("end of the command", Duration::from_secs(20), || {
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let program = Program::start(&fresh.name());
    let mut client = Client::connect(program.tcp);
    let login = crate::support::client::LOGIN;
    assert_eq!(client.status(login, "bob", "pw one"), 21);

    let folder = command()
        .args(["users", "add", "cat", "--password-file", "/"])
        .args(["--store", &fresh.name()])
        .output()
        .unwrap();
    assert_eq!(folder.status.code(), Some(1));
    assert!(
        error(&folder).contains("the password file /: "),
        "{}",
        error(&folder)
    );
}

#[test]
fn a_hang_up_stops_it_in_order_unless_it_is_ignored() {
    let fresh = Fresh::sqlite();
    let (status, _, log) = Program::start(&fresh.name()).stop("HUP");
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("stopped"), "{log}");

    let direct = command();
    let mut nohup = std::process::Command::new("nohup");
    nohup.arg(direct.get_program()).env("HOME", "/nonexistent");
    nohup.args(["--store", &fresh.name()]).stdin(Stdio::null());
    let program = Program::start_with(&mut nohup);
    signal(program.pid(), "HUP");
    Client::connect(program.tcp).register_and_login("alice", "pw");
    let (status, _, log) = program.stop("TERM");
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn without_a_usable_home_folder_the_error_says_what_to_do() {
    // Nobody can make a folder there, whatever they may.
    let error = refusal(command().env("HOME", "/dev/null/home").args([
        "--tcp",
        "127.0.0.1:0",
        "--udp",
        "127.0.0.1:0",
    ]));
    assert!(error.contains("--store PATH"), "{error}");
}

#[test]
fn limits_that_are_too_low_are_named() {
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -n 5; exec \"$@\"", "sh"]);
    limited.arg(command().get_program());
    let error = refusal(&mut limited);
    assert!(error.contains("ulimit -n"), "{error}");
}

#[test]
fn a_log_file_that_may_not_become_longer_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    std::fs::write(&log, vec![b'x'; 2_000_000]).unwrap();
    let fresh = Fresh::sqlite();
    // 2,000 blocks of 512 bytes or 1 KiB: enough for the store, and too little for the log.
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -f 1900; exec \"$@\" 2>>\"$LOG\"", "sh"]);
    limited
        .arg(command().get_program())
        .args(["--store", &fresh.name()]);
    limited.env("LOG", &log).env("HOME", "/nonexistent");
    let program = Program::start_with(&mut limited);
    for number in 0..3 {
        Client::connect(program.tcp).register_and_login(&format!("user{number}"), "pw");
    }
    let (status, ..) = program.stop("TERM");
    assert_eq!(status.code(), Some(0));
    assert_eq!(log.metadata().unwrap().len(), 2_000_000);
}

#[test]
fn a_home_folder_whose_name_is_not_text_is_one_as_any_other() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join(std::ffi::OsStr::from_bytes(b"h\xf6me"));
    let program = Program::start_with(command().env("HOME", &home));
    Client::connect(program.tcp).register_and_login("alice", "pw");
    let (status, ..) = program.stop("TERM");
    assert_eq!(status.code(), Some(0));
    assert!(home.join(".local/share/p2pchat/registry.sqlite3").exists());
}

/// Docker does that to its containers while its log driver is stuck, a pager while it is not
/// scrolled.
#[test]
fn a_reader_of_the_log_that_has_stopped_holds_up_nobody() {
    /// Each is a line of some 100 bytes: many times what a pipe holds.
    const REFUSED: usize = 3000;
    let fresh = Fresh::sqlite();
    // Nobody reads its standard error before it stops.
    let program = Program::start_with(
        command()
            .env("RUST_LOG", "debug")
            .args(["--store", &fresh.name()]),
    );
    let mut client = Client::connect(program.tcp);
    for _ in 0..REFUSED {
        assert_eq!(client.status(REGISTER, "a b", "pw"), 42);
    }
    client.register_and_login("alice", "pw");
    assert_eq!(client.status(SEARCH, "alice", "alice"), 22);
    let (status, _, log) = program.stop("TERM");
    assert_eq!(status.code(), Some(0));
    assert!(
        log.matches("refused").count() < REFUSED,
        "the pipe was full"
    );
}

#[test]
fn an_error_that_nobody_reads_ends_the_program_all_the_same() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut filling = IfRoom::now(writer.try_clone().unwrap());
    while filling.write(&[b'x'; 4096]).is_ok() {}
    let mut child = command()
        .args(["--store", "/dev/null/accounts"])
        .stderr(writer)
        .spawn()
        .unwrap();
    let mut status = None;
    wait_for("the end", Duration::from_secs(30), || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.and_then(|status| status.code()), Some(1));
    drop(reader);
}
