//! `--plain` on pipes.

use crate::support::{Piped, Registry, own_address, wait_for};

fn start(registry: &Registry, user: &str, address: &str) -> Piped {
    let mut arguments = registry.arguments_of(user, address);
    arguments.push("--plain".to_owned());
    Piped::start(registry, &arguments)
}

#[test]
fn two_users_chat_by_lines() {
    let registry = Registry::start();
    let at_b = own_address();
    let mut a = start(&registry, "alice", &own_address());
    let mut b = start(&registry, "bob", &at_b);
    a.line_with("signed in as alice");
    b.line_with("signed in as bob");
    // Bob came after alice's first list. Until she has a newer one, the name is not
    // confirmed, and the address is shown beside it.
    wait_for("alice to know that bob is online", || {
        a.write("/who");
        a.line_with("Online: ").contains("bob").then_some(())
    });
    a.write(&format!("/request {at_b}"));
    let asked = b.line_with("wants to chat with you");
    assert!(
        asked.contains("alice") && asked.contains("/accept"),
        "{asked}"
    );
    b.write("/accept");
    a.line_with("joined the chat");
    b.write("hello \u{1b}[2J there");
    let message = a.line_with("hello");
    assert!(message.contains("bob: hello ␛[2J there"), "{message}");
    a.write("/who");
    assert!(a.line_with("In your chat: ").contains("bob"));
    a.write("/nonsense");
    a.line_with("unknown command /nonsense");
    a.write("bye");
    assert_eq!(a.end().code(), Some(0));
    b.line_with("bye");
    b.write("/quit");
    assert_eq!(b.exit().code(), Some(0));
}

#[test]
fn a_password_is_not_read_from_a_pipe() {
    let registry = Registry::start();
    let mut arguments = registry.arguments(&own_address());
    arguments.push("--plain".to_owned());
    let mut a = Piped::start(&registry, &arguments);
    a.write("/login alice");
    a.line_with("--password-file");
    assert_eq!(a.end().code(), Some(0));
}

#[test]
fn an_account_that_register_finds_is_no_error() {
    let registry = Registry::start();
    let address = own_address();
    let mut first = start(&registry, "alice", &address);
    first.line_with("signed in as alice");
    assert_eq!(first.end().code(), Some(0));
    let mut second = start(&registry, "alice", &address);
    wait_for("alice to be signed in", || {
        let line = second.line_with("");
        assert!(!line.contains("taken"), "{line}");
        line.contains("signed in as alice").then_some(())
    });
    assert_eq!(second.end().code(), Some(0));
}

#[test]
fn a_line_before_quit_is_sent() {
    let registry = Registry::start();
    let at_a = own_address();
    let (mut a, mut b) = (
        start(&registry, "alice", &at_a),
        start(&registry, "bob", &own_address()),
    );
    a.line_with("signed in as alice");
    b.line_with("signed in as bob");
    b.write(&format!("/request {at_a}"));
    a.line_with("wants to chat with you");
    a.write("/accept");
    b.line_with("joined the chat");
    a.write("one\ntwo\nthree\n/quit");
    assert_eq!(a.exit().code(), Some(0));
    for text in ["one", "two", "three"] {
        b.line_with(&format!(": {text}"));
    }
    assert_eq!(b.end().code(), Some(0));
}
