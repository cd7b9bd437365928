//! `--plain` on pipes.

use crate::support::{Piped, Registry, own_address, wait_for};

fn start(registry: &Registry, user: &str, address: &str) -> Piped {
    let mut arguments = registry.arguments_of(user, address);
    arguments.push("--plain".to_owned());
    Piped::start(registry, &arguments)
}

#[test]
fn two_people_chat_by_lines() {
    let registry = Registry::start();
    let at_b = own_address();
    let mut a = start(&registry, "alice", &own_address());
    let mut b = start(&registry, "bob", &at_b);
    a.line_with("logged in as alice");
    b.line_with("logged in as bob");
    // Bob came later than alice's first list. Until she has a newer one, she is shown
    // his address beside his name.
    wait_for("alice to know that bob is online", || {
        a.write("/who");
        a.line_with("online: ").contains("bob").then_some(())
    });
    a.write(&format!("/request {at_b}"));
    let asked = b.line_with("asks for a chat");
    assert!(
        asked.contains("alice") && asked.contains("/accept"),
        "{asked}"
    );
    b.write("/accept");
    a.line_with("is in the chat");
    b.write("hello \u{1b}[2J there");
    let said = a.line_with("hello");
    assert!(said.contains("bob: hello ␛[2J there"), "{said}");
    a.write("/who");
    assert!(a.line_with("in the chat with you").contains("bob"));
    a.write("/nonsense");
    a.line_with("no command /nonsense");
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
