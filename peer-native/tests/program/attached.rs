//! Several front ends on one profile, as their users see them.

use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Piped, Registry, own_address, program, signal};
use crate::tui_tmux::Tmux;

/// How soon another front end goes on when the one that ran the peer has ended.
const TAKEOVER: Duration = Duration::from_secs(3);

const SIZE: (u16, u16) = (80, 24);

/// The arguments of a front end that knows no more than the profile.
fn of_profile(name: &str, more: &[&str]) -> Vec<String> {
    let all = [&["--profile", name], more].concat();
    all.into_iter().map(str::to_owned).collect()
}

/// Bob on a full screen.
fn bob(registry: &Registry, tmux: &Tmux) {
    let arguments = registry.arguments_of("bob", &own_address());
    tmux.start("bob", SIZE, registry, &arguments);
    tmux.wait("bob", "signed in as bob");
}

/// Alice on a full screen, which runs the peer, with bob in the chat.
fn alice_with_bob(registry: &Registry, tmux: &Tmux) {
    bob(registry, tmux);
    let mut arguments = registry.arguments_of("alice", &own_address());
    arguments.retain(|option| option != "--no-history");
    tmux.start("alice", SIZE, registry, &arguments);
    tmux.wait("alice", "signed in as alice");
    tmux.wait("alice", "● bob");
    tmux.keys("alice", &["/request bob", "Enter"]);
    tmux.wait("bob", "wants to chat with you");
    tmux.keys("bob", &["/accept", "Enter"]);
    tmux.wait("alice", "accepted and joined");
}

#[test]
fn a_screen_and_plain_lines_share_what_is_said_typed_and_set() {
    let registry = Registry::start();
    let tmux = Tmux::new("share");
    alice_with_bob(&registry, &tmux);
    tmux.keys("alice", &["from the screen", "Enter"]);
    tmux.wait("bob", "from the screen");
    let plain = of_profile("alice", &["--plain"]);
    tmux.start("plain", SIZE, &registry, &plain);
    let shown = tmux.wait("plain", "In your chat: bob");
    let attached = format!("attached to p2pchat, process {}", tmux.program("alice"));
    assert!(shown.contains(&attached), "{shown}");
    assert!(shown.contains("signed in as alice"), "{shown}");
    assert!(shown.contains("alice: from the screen"), "{shown}");
    let second = of_profile("alice", &[]);
    tmux.start("second", SIZE, &registry, &second);
    tmux.wait("second", "attached to p2pchat, process");

    tmux.keys("plain", &["from plain lines", "Enter"]);
    tmux.keys("bob", &["from bob", "Enter"]);
    for name in ["alice", "second"] {
        tmux.wait(name, "from plain lines");
        tmux.wait(name, "bob  from bob");
    }
    let shown = tmux.wait("plain", "bob: from bob");
    assert_eq!(shown.matches("from plain lines").count(), 1, "{shown}");
    tmux.keys("plain", &["/busy on", "Enter"]);
    for name in ["alice", "second"] {
        tmux.wait(name, "Do not disturb");
    }

    // What is typed in one is in the field of the other, until it is sent.
    tmux.keys("alice", &["half a draft"]);
    tmux.wait("second", "› half a draft");
    tmux.keys("second", &[" and more"]);
    tmux.wait("alice", "› half a draft and more");
    tmux.keys("second", &["Enter"]);
    tmux.wait("plain", "alice: half a draft and more");
    tmux.wait("alice", "›  to bob");

    // Closing one is for that one, a logout is for all.
    tmux.keys("second", &["/quit", "Enter"]);
    tmux.wait("second", "ended with 0");
    tmux.keys("plain", &["/logout", "Enter"]);
    tmux.wait("alice", "[ Create account ]");
}

#[test]
fn what_is_on_a_terminal_is_read_for_all() {
    let registry = Registry::start();
    let tmux = Tmux::new("read");
    let mut bob = Piped::start(&registry, &{
        let mut arguments = registry.arguments_of("bob", &own_address());
        arguments.push("--json".to_owned());
        arguments
    });
    bob.line_with("logged_in");
    let address = own_address();
    let mut alice = registry.arguments_of("alice", &address);
    alice.push("--json".to_owned());
    let mut alice = Piped::start(&registry, &alice);
    alice.line_with("logged_in");
    bob.sees("alice");
    bob.write(r#"{"command":"request","conversation":"open","to":{"name":"alice"}}"#);
    let request = alice.line_with("request_received");
    let from = request.split(r#""from":{"address":""#).nth(1).unwrap();
    let from = from.split('"').next().unwrap();
    alice.write(&format!(
        r#"{{"command":"accept","conversation":"open","from":"{from}"}}"#
    ));
    bob.line_with("member_joined");
    let say = |bob: &mut Piped, text: &str| {
        bob.write(&format!(
            r#"{{"command":"say","conversation":"open","text":"{text}"}}"#
        ));
    };
    say(&mut bob, "first");
    let first = alice.line_with(r#""event":"message""#);
    let id = |line: &str| {
        let id = line.split(r#","id":"#).nth(1).unwrap();
        id.split(',').next().unwrap().to_owned()
    };
    let read = |id: &str| format!(r#"{{"event":"read","conversation":"open","message":{id}}}"#);
    let profile = registry.profile(&address);
    for (name, mode) in [("plain", &["--plain"][..]), ("screen", &[])] {
        tmux.start(name, SIZE, &registry, &of_profile(&profile, mode));
        tmux.wait(name, "first");
        if name == "plain" {
            alice.line_with(&read(&id(&first)));
        }
        say(&mut bob, "second");
        let second = alice.line_with(r#""event":"message""#);
        tmux.wait(name, "second");
        alice.line_with(&read(&id(&second)));
        tmux.keys(name, &["/quit", "Enter"]);
        tmux.wait(name, "ended with 0");
    }
}

#[test]
fn when_the_screen_that_runs_the_peer_is_killed_plain_lines_go_on() {
    let registry = Registry::for_version_1();
    let tmux = Tmux::new("takeover");
    alice_with_bob(&registry, &tmux);
    tmux.start("plain", SIZE, &registry, &of_profile("alice", &["--plain"]));
    tmux.wait("plain", "In your chat: bob");
    tmux.start("second", SIZE, &registry, &of_profile("alice", &[]));
    tmux.wait("second", "Open chat · 2 of 2 online");
    tmux.keys("second", &["typed before"]);
    tmux.wait("alice", "› typed before");

    let start = Instant::now();
    signal(tmux.program("alice"), "KILL");
    tmux.wait("plain", "press Enter to type your password");
    assert!(start.elapsed() < TAKEOVER, "{:?}", start.elapsed());
    let screen = tmux.wait("second", "F2: Sign in again so that people find you");
    assert!(screen.contains("› typed before"), "{screen}");
    assert!(screen.contains("accepted and joined"), "{screen}");
    // The chat goes on without the password.
    tmux.keys("second", &[" the kill", "Enter"]);
    tmux.wait("bob", "typed before the kill");
    tmux.keys("bob", &["still there?", "Enter"]);
    tmux.wait("plain", "bob: still there?");

    tmux.keys("second", &["half", "F2"]);
    let form = tmux.wait("second", "Esc back to the chat");
    assert!(!form.contains("Create account"), "{form}");
    tmux.keys("second", &["secret", "Enter"]);
    let screen = tmux.wait("second", "› half");
    assert!(screen.contains("alice ● Available"), "{screen}");
    tmux.wait("plain", "signed in as alice");
    let shown = tmux.screen("plain");
    assert_eq!(shown.matches("typed before the kill").count(), 1, "{shown}");
}

#[test]
fn plain_lines_ask_for_the_password_that_is_needed_again() {
    let registry = Registry::for_version_1();
    let tmux = Tmux::new("password");
    alice_with_bob(&registry, &tmux);
    tmux.start("plain", SIZE, &registry, &of_profile("alice", &["--plain"]));
    tmux.wait("plain", "In your chat: bob");
    tmux.keys("alice", &["/quit", "Enter"]);
    tmux.wait("alice", "ended with 0");
    tmux.wait("plain", "press Enter to type your password");
    tmux.keys("plain", &["a last line", "Enter"]);
    // Not while a line waits that may be the first of a paste.
    let screen = tmux.wait("bob", "a last line");
    assert!(!tmux.screen("plain").contains("Password of"), "{screen}");
    tmux.keys("plain", &["Enter"]);
    tmux.wait("plain", "Password of alice:");
    tmux.keys("plain", &["secret", "Enter"]);
    let shown = tmux.wait("plain", "] signed in as alice");
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn an_owner_that_is_stopped_is_named_by_the_others() {
    let registry = Registry::start();
    let tmux = Tmux::new("stopped");
    alice_with_bob(&registry, &tmux);
    tmux.start("second", SIZE, &registry, &of_profile("alice", &[]));
    tmux.wait("second", "Open chat · 2 of 2 online");
    let owner = tmux.program("alice");
    signal(owner, "STOP");
    tmux.keys("second", &["do you hear me?", "Enter"]);
    tmux.wait("second", &format!("kill -CONT {owner}"));
    let output = run(&registry, &of_profile("alice", &["--json"]));
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains(&format!("process {owner}")), "{error}");
    signal(owner, "CONT");
    tmux.wait("bob", "do you hear me?");
    tmux.wait("second", "✓");
}

fn run(registry: &Registry, arguments: &[String]) -> Output {
    let mut command = program(registry.folder.path());
    command.args(arguments).stdin(Stdio::null());
    command.output().unwrap()
}

#[test]
fn another_account_needs_another_profile_and_options_without_effect_are_named() {
    let registry = Registry::start();
    let mut owner = registry.arguments_of("alice", &own_address());
    owner.extend(of_profile("shared", &["--json"]));
    let mut owner = Piped::start_at(registry.folder.path(), &owner);
    owner.line_with("logged_in");

    let mut other = registry.arguments_of("bob", &own_address());
    other.extend(of_profile("shared", &["--plain"]));
    let output = run(&registry, &other);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("signed in as alice, not as bob"), "{error}");
    assert!(error.contains("--profile"), "{error}");

    // The same account needs no login, though the options offer one.
    let address = own_address();
    let mut same = registry.arguments_of("alice", &address);
    same.extend(of_profile("shared", &["--json"]));
    let output = run(&registry, &same);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("attached to p2pchat, process"), "{error}");
    assert!(error.contains(&format!(", not {address}")), "{error}");
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(
        lines.starts_with(r#"{"event":"view","version":2,"missed":0,"#),
        "{lines}"
    );
    assert!(!lines.contains(r#""event":"logged_in""#), "{lines}");
    assert!(lines.contains(r#""account":"alice""#), "{lines}");
    assert_eq!(owner.end().code(), Some(0));
}
