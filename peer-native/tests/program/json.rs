//! `--json`, as a script uses it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Piped, Registry, own_address, program, wait_for};

fn start(registry: &Registry, user: &str, address: &str) -> Piped {
    let mut arguments = registry.arguments_of(user, address);
    arguments.push("--json".to_owned());
    Piped::start(registry, &arguments)
}

#[test]
fn two_scripts_chat_and_the_last_message_arrives_after_the_end_of_the_input() {
    let registry = Registry::start();
    let (at_a, at_b) = (own_address(), own_address());
    let (mut a, mut b) = (
        start(&registry, "alice", &at_a),
        start(&registry, "bob", &at_b),
    );
    let first = a.line_with("");
    let start = r#"{"event":"view","version":2,"missed":0,"view":{"#;
    assert!(first.starts_with(start), "{first}");
    assert!(first.contains(&at_a), "{first}");
    a.line_with("logged_in");
    b.line_with("logged_in");
    a.sees("bob");
    a.write(r#"{"command":"request","conversation":"open","to":{"name":"bob"}}"#);
    b.line_with("request_received");
    b.write(&format!(
        r#"{{"command":"accept","conversation":"open","from":"{at_a}"}}"#
    ));
    a.line_with("member_joined");
    a.write(r#"{"command":"say","conversation":"open","text":"so long"}"#);
    assert_eq!(a.end().code(), Some(0));
    a.line_with(r#""sent""#);
    assert!(b.line_with(r#"{"event":"message""#).contains("so long"));
    assert_eq!(b.end().code(), Some(0));
}

#[test]
fn an_invalid_line_does_not_affect_the_next() {
    let registry = Registry::start();
    let mut a = start(&registry, "alice", &own_address());
    a.line_with("logged_in");
    a.write("{nonsense");
    let failed = a.line_with("failed");
    assert!(failed.starts_with(r#"{"event":"failed""#), "{failed}");
    assert!(failed.contains(r#""command":"?""#), "{failed}");
    a.write(r#"{"id":"s","command":"search","name":"a-name-too-long"}"#);
    let failed = a.line_with("failed");
    assert!(
        failed.starts_with(r#"{"re":"s","event":"failed""#),
        "{failed}"
    );
    assert!(failed.contains("too long by 5"), "{failed}");
    assert!(failed.contains(r#""code":"bad_command""#), "{failed}");
    a.write(r#"{"command":"busy","on":true}"#);
    a.line_with(r#"{"event":"busy","on":true}"#);
    assert_eq!(a.end().code(), Some(0));
}

#[test]
fn each_call_is_closed_once_and_its_answers_say_so() {
    let registry = Registry::start();
    let mut a = start(&registry, "alice", &own_address());
    a.line_with("logged_in");
    a.write(r#"{"id":1,"command":"busy","on":true}"#);
    a.write(r#"{"id":2,"command":"say","conversation":"open","text":"hello?"}"#);
    // Without an id it is told when it fails, and not when it is done.
    a.write(r#"{"command":"busy","on":false}"#);
    a.write(r#"{"command":"leave","conversation":"open"}"#);
    a.write(r#"{"id":"last","command":"search","name":"nobody"}"#);
    let mut lines = Vec::new();
    while !lines
        .iter()
        .any(|line: &String| line.contains(r#""re":"last","event":"done""#))
    {
        lines.push(a.line_with(""));
    }
    let starting = |start: &str| {
        let lines = lines.iter().filter(|line| line.starts_with(start));
        lines.cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        starting(r#"{"re":1,"#),
        [
            r#"{"re":1,"event":"busy","on":true}"#,
            r#"{"re":1,"event":"done"}"#
        ]
    );
    let failed = starting(r#"{"re":2,"#);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].contains(r#""code":"nobody_there""#), "{failed:?}");
    assert_eq!(
        starting(r#"{"event":"busy","#),
        [r#"{"event":"busy","on":false}"#]
    );
    let failed = starting(r#"{"event":"failed","#);
    assert!(failed[0].contains(r#""command":"leave""#), "{failed:?}");
    assert_eq!(starting(r#"{"event":"done""#), [""; 0]);
    assert_eq!(starting(r#"{"re":"last","#).len(), 2);
    assert_eq!(a.end().code(), Some(0));
}

#[test]
fn a_login_that_fails_ends_with_3() {
    let registry = Registry::start();
    let mut first = start(&registry, "alice", &own_address());
    first.line_with("logged_in");
    std::fs::write(registry.password_file(), "wrong\n").unwrap();
    let mut second = start(&registry, "alice", &own_address());
    assert_eq!(second.exit().code(), Some(3));
    first.end();
}

#[test]
fn a_signal_ends_the_program_cleanly_with_4() {
    let registry = Registry::start();
    let mut a = start(&registry, "alice", &own_address());
    let mut b = start(&registry, "bob", &own_address());
    a.line_with("logged_in");
    b.line_with("logged_in");
    let pid = a.pid().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    assert_eq!(a.exit().code(), Some(4));
    // Cleanly: it logged out, and the registry says so at once.
    wait_for("alice to be offline", || {
        b.write(r#"{"command":"search","name":"alice"}"#);
        b.line_with("found").contains("null").then_some(())
    });
    b.end();
}

#[test]
fn a_signal_ends_the_program_even_if_its_output_is_not_read() {
    let registry = Registry::start();
    let mut arguments = registry.arguments(&own_address());
    arguments.push("--json".to_owned());
    let mut child = program(registry.folder.path())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // More answers than any pipe holds. The end of the program ends this thread too.
    let writer = std::thread::spawn(move || {
        let lines = (0..100_000).map(|_| writeln!(stdin, "nonsense"));
        lines.take_while(Result::is_ok).count()
    });
    // Until the pipe is full and the program blocks.
    std::thread::sleep(Duration::from_secs(1));
    let pid = child.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    let status = wait_for("the program to end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(4));
    assert!(writer.join().unwrap() < 100_000, "it never blocked");
}
