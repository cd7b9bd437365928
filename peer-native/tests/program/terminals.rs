//! Terminals that are not as the program would like them: they cannot place text, are only
//! at one of the two streams, go away, or are another's for a while.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Instant;

use p2pchat_model::Problem;
use p2pchat_testkit::SOON;

use crate::pty::Pty;
use crate::support::{PROGRAM, Piped, Registry, own_address, program, signal, wait_for};

/// The program with these arguments on a terminal of this kind.
fn on_terminal(registry: &Registry, kind: Option<&str>, arguments: &[String]) -> Command {
    let mut command = program(registry.folder.path());
    command.args(arguments);
    if let Some(kind) = kind {
        command.env("TERM", kind);
    }
    command
}

/// An observer, to see who is online.
fn observer(registry: &Registry) -> Piped {
    let mut arguments = registry.arguments_of("eve", &own_address());
    arguments.push("--json".to_owned());
    let eve = Piped::start(registry, &arguments);
    eve.line_with("logged_in");
    eve
}

#[test]
fn a_terminal_that_goes_away_without_a_signal_ends_the_program_logged_out() {
    let registry = Registry::start();
    let mut eve = observer(&registry);
    for (user, kind, plain) in [
        ("screen", Some("xterm-256color"), false),
        ("editor", Some("xterm"), true),
        ("dumb", Some("dumb"), true),
    ] {
        let mut arguments = registry.arguments_of(user, &own_address());
        arguments.extend(plain.then(|| "--plain".to_owned()));
        let mut pty = Pty::new();
        // It is not the program's own terminal, so nobody sends SIGHUP.
        pty.start(&mut on_terminal(&registry, kind, &arguments));
        pty.wait(&format!("signed in as {user}"));
        if !plain {
            // In a window that is too small nothing shows the cursor, and it is hidden.
            pty.resize(1, 1);
            signal(pty.child().id(), "WINCH");
            pty.wait("\u{1b}[?25l");
        }
        let closed = Instant::now();
        pty.close();
        assert_eq!(pty.exit().code(), Some(4), "{user}");
        // Two seconds, and what a busy machine takes.
        assert!(
            closed.elapsed() < SOON / 4,
            "{user}: {:?}",
            closed.elapsed()
        );
        wait_for("the user to be offline", || {
            eve.write(&format!(r#"{{"command":"search","name":"{user}"}}"#));
            eve.line_with("found").contains("null").then_some(())
        });
    }
    eve.end();
}

#[test]
fn a_terminal_that_cannot_place_text_has_plain_lines_and_hides_passwords() {
    let registry = Registry::start();
    for kind in [Some("dumb"), Some(""), None] {
        let name = kind.map_or("none", |kind| if kind.is_empty() { "empty" } else { kind });
        let mut pty = Pty::new();
        pty.start(&mut on_terminal(
            &registry,
            kind,
            &registry.arguments(&own_address()),
        ));
        pty.wait("plain lines instead of the full screen, as --plain: ");
        pty.wait("/login");
        assert!(pty.is_restored(), "the terminal is not raw");
        pty.keys(format!("/register {name}\n").as_bytes());
        pty.wait(&format!("assword of {name}: "));
        assert!(!pty.echoes());
        pty.keys(b"hush-hush\n");
        pty.wait("assword again: ");
        assert!(!pty.echoes());
        pty.keys(b"hush-hush\n");
        let shown = pty.wait("Display name (Enter for none): ");
        pty.keys(b"\n");
        pty.wait(&format!("account {name} created"));
        assert!(!shown.contains("hush"), "{shown}");
        assert!(pty.is_restored());
        pty.wait(&format!("signed in as {name}"));
        pty.keys(b"/logout\n");
        pty.wait("signed out");
        pty.keys(b"/login\n");
        pty.wait("ame: ");
        pty.keys(b"/quit\n");
        assert_eq!(pty.exit().code(), Some(0));
        assert!(!pty.shown().contains('\u{1b}'));
        assert!(pty.is_restored());
    }
}

#[test]
fn with_a_terminal_at_one_stream_only_there_are_plain_lines() {
    let registry = Registry::start();
    let mut pty = Pty::new();
    let arguments = registry.arguments(&own_address());
    let mut tee = on_terminal(&registry, Some("xterm"), &arguments)
        .stdin(pty.stream())
        .stdout(Stdio::piped())
        .stderr(pty.stream())
        .spawn()
        .unwrap();
    pty.wait("standard output is not a terminal");
    pty.keys(b"/who\n/login bob\n");
    // The question is where the user sees it, and not in the log.
    pty.wait("assword of bob");
    pty.keys(b"hush-hush\n");
    pty.wait("\n");
    pty.keys(b"/quit\n");
    let status = wait_for("the program to end", || tee.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    let mut log = String::new();
    tee.stdout.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("In your chat: "), "{log}");
    assert!(
        !log.contains("assword of") && !log.contains("hush"),
        "{log}"
    );
    assert!(!pty.shown().contains("hush"));
    assert!(pty.is_restored());

    let commands = registry.folder.path().join("commands");
    std::fs::write(&commands, "\u{feff}/who\r\n").unwrap();
    let arguments = registry.arguments_of("bob", &own_address());
    let mut command = on_terminal(&registry, Some("xterm"), &arguments);
    command.stdin(File::open(&commands).unwrap());
    command.stdout(pty.stream()).stderr(pty.stream());
    let mut child = command.spawn().unwrap();
    pty.wait("standard input is not a terminal");
    pty.wait("In your chat: ");
    let status = wait_for("the program to end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_byte_that_is_not_text_spoils_its_line_and_no_more() {
    let registry = Registry::start();
    for (user, kind) in [("editor", "xterm"), ("dumb", "dumb")] {
        let mut arguments = registry.arguments_of(user, &own_address());
        arguments.push("--plain".to_owned());
        let mut pty = Pty::new();
        pty.start(&mut on_terminal(&registry, Some(kind), &arguments));
        pty.wait(&format!("signed in as {user}"));
        pty.keys(b"gr\xfc\xdfe /nonsense\r");
        pty.wait("a line must be UTF-8 text");
        pty.keys(b"/nonsense\r");
        let shown = pty.wait("unknown command /nonsense");
        let alone = Problem::NobodyThere.words();
        assert!(!shown.contains(alone), "a part of it was sent: {shown}");
        pty.keys(b"/quit\r");
        assert_eq!(pty.exit().code(), Some(0));
        assert!(pty.is_restored());
    }
}

/// Types as fingers do, key by key.
fn type_slowly(pty: &mut Pty, keys: &str) {
    for key in keys.bytes() {
        std::thread::sleep(std::time::Duration::from_millis(30));
        pty.keys(&[key]);
    }
}

#[test]
fn plain_mode_asks_before_it_quits_and_keeps_what_was_typed() {
    let registry = Registry::start();
    let mut arguments = registry.arguments_of("alice", &own_address());
    arguments.push("--plain".to_owned());
    let mut pty = Pty::new();
    pty.start(&mut on_terminal(&registry, Some("xterm"), &arguments));
    pty.wait("not encrypted");
    pty.wait("signed in as alice");
    type_slowly(&mut pty, "/blok rita\r");
    pty.wait("unknown command /blok, did you mean /block?");
    // The next prompt has it, to be corrected.
    pty.wait("/blok rita");
    pty.keys(b"\x03");
    type_slowly(&mut pty, " /quit\r");
    pty.wait("remove the space before /quit");
    pty.wait("> ");
    // Between two lines, Ctrl-C is a signal.
    pty.wait("/quit");
    pty.keys(b"\x03");
    pty.wait("> ");
    pty.keys(b"\x03");
    pty.wait("Press Ctrl-C again to quit");
    pty.wait("> ");
    pty.keys(b"\x03");
    assert_eq!(pty.exit().code(), Some(0));
    assert!(pty.is_restored());
}

#[test]
fn a_paste_without_brackets_waits_in_plain_mode_too() {
    let registry = Registry::start();
    let mut arguments = registry.arguments_of("alice", &own_address());
    arguments.push("--plain".to_owned());
    let mut pty = Pty::new();
    pty.start(&mut on_terminal(&registry, Some("xterm"), &arguments));
    pty.wait("signed in as alice");
    pty.keys(b"/block rita\r/quit\rmore\r");
    pty.wait("3 lines came at once");
    type_slowly(&mut pty, "\r");
    let shown = pty.wait("a command is one line");
    assert!(!shown.contains("is blocked"), "{shown}");
    // They are in the field, to be corrected.
    pty.wait("/block rita");
    pty.keys(b"\x03");
    pty.wait("> ");
    // One line, as a program types it.
    pty.keys(b"/who\r");
    pty.wait("In your chat: ");
    pty.keys(b"/block rita\r/quit\r");
    pty.wait("2 lines came at once");
    pty.keys(b"\x03");
    pty.wait("the pasted lines are dropped");
    pty.keys(b"/quit\r");
    assert_eq!(pty.exit().code(), Some(0));
}

/// A shell with job control in a terminal, which is its own.
fn shell(registry: &Registry) -> Pty {
    let mut pty = Pty::new();
    let mut shell = Command::new("setsid");
    shell.args(["--ctty", "bash", "--norc", "--noprofile", "-i"]);
    shell.env_clear().env("HOME", registry.folder.path());
    shell
        .env("TERM", "xterm-256color")
        .env("PATH", "/usr/bin:/bin")
        .env("PS1", "ready$ ");
    shell.env("HISTFILE", "");
    pty.start(&mut shell);
    pty.wait("ready$ ");
    pty
}

/// The process that the shell has stopped or runs.
fn job(pty: &mut Pty) -> u32 {
    let shell = pty.child().id().to_string();
    let children = Command::new("pgrep")
        .args(["-P", &shell, "p2pchat"])
        .output()
        .unwrap();
    String::from_utf8(children.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

#[test]
fn the_end_of_plain_mode_leaves_nothing_on_the_terminal() {
    let registry = Registry::start();
    for (user, end) in [("typed", "/quit\r"), ("signal", "half a line")] {
        let mut arguments = registry.arguments_of(user, &own_address());
        arguments.push("--plain".to_owned());
        let mut pty = Pty::new();
        pty.start(&mut on_terminal(&registry, Some("xterm"), &arguments));
        pty.wait(&format!("signed in as {user}"));
        pty.wait("> ");
        pty.keys(end.as_bytes());
        pty.wait(end.trim_end());
        if user == "signal" {
            signal(pty.child().id(), "TERM");
        }
        pty.exit();
        // The mode of the editor is off, and a shell begins a line of its own.
        let shown = pty.shown();
        let (_, after) = shown.rsplit_once("\u{1b}[?2004l").unwrap();
        assert!(!after.contains("\u{1b}[?2004h"), "{shown:?}");
        assert!(after.ends_with('\n') && !after.contains("> "), "{shown:?}");
        assert!(pty.is_restored());
    }
}

#[test]
fn the_full_screen_is_suspended_and_continued() {
    let registry = Registry::start();
    let mut pty = shell(&registry);
    let arguments = registry.arguments_of("alice", &own_address()).join(" ");
    pty.keys(format!("TZ=UTC {PROGRAM} {arguments}\n").as_bytes());
    pty.wait("\u{1b}[?1049h");
    pty.wait("signed in as alice");
    pty.keys(b"\x1a");
    pty.wait("\u{1b}[?1049l");
    pty.wait("Stopped");
    pty.wait("ready$ ");
    pty.keys(b"fg\n");
    pty.wait("\u{1b}[?1049h");
    pty.wait("signed in as alice");

    // As another program stops it.
    let pid = job(&mut pty);
    signal(pid, "STOP");
    pty.wait("Stopped");
    pty.wait("ready$ ");
    pty.resize(100, 30);
    pty.keys(b"fg\n");
    pty.wait("\u{1b}[?1049h");
    pty.wait("signed in as alice");
    // A line below the 24th.
    pty.wait("\u{1b}[30;");
    pty.keys(b"/quit\r");
    pty.wait("ready$ ");
    pty.keys(b"echo ended with $?\n");
    pty.wait("ended with 0");
}

#[test]
fn plain_mode_is_suspended_and_continued() {
    let registry = Registry::start();
    let mut pty = shell(&registry);
    let arguments = registry.arguments_of("alice", &own_address()).join(" ");
    pty.keys(format!("TZ=UTC {PROGRAM} --plain {arguments}\n").as_bytes());
    pty.wait("signed in as alice");
    pty.keys(b"\x1a");
    pty.wait("Stopped");
    pty.wait("ready$ ");
    pty.keys(b"fg\n");
    pty.wait("> ");
    pty.keys(b"/nons");
    pty.wait("/nons");
    let pid = job(&mut pty);
    signal(pid, "STOP");
    pty.wait("Stopped");
    pty.wait("ready$ ");
    pty.keys(b"fg\n");
    // The half of a command is still there, and the line is edited by keys.
    pty.wait("/nons");
    pty.keys(b"\x01\x05ense\r");
    pty.wait("unknown command /nonsense");

    // A password stays hidden.
    pty.keys(b"/logout\r");
    pty.wait("signed out");
    pty.keys(b"/login bob\r");
    pty.wait("assword of bob");
    signal(pid, "STOP");
    pty.wait("Stopped");
    pty.wait("ready$ ");
    pty.keys(b"fg\n");
    pty.wait("p2pchat");
    wait_for("the terminal to hide what is typed", || {
        (!pty.echoes()).then_some(())
    });
    pty.keys(b"hush-hush\r");
    pty.wait("> ");
    pty.keys(b"/quit\r");
    let shown = pty.wait("ready$ ");
    pty.keys(b"echo ended with $?\n");
    pty.wait("ended with 0");
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn a_program_that_no_shell_could_continue_is_not_stopped() {
    let registry = Registry::start();
    let mut pty = Pty::new();
    let arguments = registry.arguments_of("alice", &own_address());
    let mut command = Command::new("setsid");
    command
        .args(["--ctty", PROGRAM])
        .args(&arguments)
        .env_clear();
    command
        .env("HOME", registry.folder.path())
        .env("TERM", "xterm-256color");
    pty.start(&mut command);
    pty.wait("signed in as alice");
    pty.keys(b"\x1a");
    pty.wait("\u{1b}[?1049l");
    pty.wait("\u{1b}[?1049h");
    pty.wait("signed in as alice");
    pty.keys(b"/quit\r");
    assert_eq!(pty.exit().code(), Some(0));
    assert!(pty.is_restored());
}
