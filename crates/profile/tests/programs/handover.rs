//! Front ends that attach, leave and take over.

use std::collections::{HashMap, HashSet};
use std::net::TcpListener;
use std::time::Instant;

use p2pchat_testkit::SOON;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Front, Registry, TAKEOVER, User, chat};

#[test]
fn the_second_attaches_and_both_see_the_same() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let mut first = ann.json();
    let view = first.event("view");
    assert_eq!((&view["version"], &view["missed"]), (&json!(2), &json!(0)));
    first.register("ann");
    let mut second = ann.json();
    let owner = format!("attached to p2pchat, process {}", first.pid());
    let words = second.words();
    assert!(words.contains(&owner), "{words}");
    assert_eq!(second.event("view")["view"]["account"], "ann");

    second.call(&json!({"command": "busy", "id": "b", "on": true}));
    let asked = second.event("busy");
    assert_eq!((&asked["re"], &asked["on"]), (&json!("b"), &json!(true)));
    assert_eq!(second.event("done")["re"], "b");
    let told = first.event("busy");
    assert_eq!((&told["re"], &told["on"]), (&json!(null), &json!(true)));
    // Closing one is for that one.
    assert!(second.end().success());
    first.call(&json!({"command": "refresh", "id": 5}));
    assert_eq!(first.answer(5)["event"], "done");
    // Logging out is for all.
    let mut third = ann.json();
    third.event("view");
    third.call(&json!({"command": "logout"}));
    first.event("logged_out");
    third.event("logged_out");
    assert!(first.end().success());
    assert!(third.end().success());
}

#[test]
fn a_killed_owner_is_followed_by_one_who_was_attached() {
    let registry = Registry::start();
    is_followed(&registry.user("ann"), &registry.user("bob"));
}

#[test]
fn a_killed_owner_is_followed_where_the_line_is_encrypted() {
    let registry = Registry::start();
    is_followed(
        &registry.encrypted_user("ann"),
        &registry.encrypted_user("bob"),
    );
}

#[test]
fn the_key_signs_in_after_a_takeover_and_at_the_next_start() {
    let registry = Registry::start();
    let ann = registry.encrypted_user("ann");
    let mut first = ann.json();
    first.register("ann");
    let mut second = ann.json();
    second.event("view");
    first.kill();
    let is_view = |update: &Value| update["event"] == "view";
    second.update_within(TAKEOVER, "view of the new peer", is_view);
    let login = second.update("login", |update| {
        assert_ne!(update["state"], "password_needed");
        update["event"] == "logged_in"
    });
    assert_eq!(login["name"], "ann");
    second.call(&json!({"command": "refresh", "id": 1}));
    assert_eq!(second.answer(1)["event"], "done");
    // The last one logs out where it ends, and the next one logs in by itself.
    assert!(second.end().success());
    let third = ann.json();
    third.event("view");
    assert_eq!(third.event("logged_in")["name"], "ann");
}

#[test]
fn what_is_said_while_another_program_takes_over_goes_to_its_conversation() {
    let registry = Registry::start();
    let (ann, bob) = (
        registry.encrypted_user("ann"),
        registry.encrypted_user("bob"),
    );
    let (mut first, mut other) = (ann.json(), bob.json());
    first.register("ann");
    other.register("bob");
    first.call(&json!({"command": "chat", "id": 1, "with": "bob"}));
    let conversation = first.event("opened")["conversation"].clone();
    let mut second = ann.json();
    second.event("view");
    first.kill();
    // Typed on, as before: until there is a new peer it waits for that.
    let said: Vec<u64> = (10..30).collect();
    for id in &said {
        let text = format!("text {id}");
        second.call(&json!({
            "command": "say", "id": id, "conversation": conversation, "text": text,
        }));
    }
    let mut answers = HashMap::new();
    while answers.len() < said.len() {
        let update = second.update("answers", |update| {
            update["re"].is_u64() && (update["event"] == "done" || update["event"] == "failed")
        });
        answers.insert(update["re"].as_u64().unwrap(), update);
    }
    for id in said {
        assert_eq!(answers[&id]["event"], "done", "{answers:#?}");
    }
    other.update("request", |update| {
        update["chat"]["standing"]["asked"].is_object()
    });
    other.call(&json!({"command": "join", "id": 1, "conversation": conversation}));
    other.update("the last text", |update| update["text"] == "text 29");
}

#[test]
fn the_key_signs_in_after_a_kill_right_after_the_first_sign_in() {
    let registry = Registry::start();
    let ann = registry.encrypted_user("ann");
    let json = || Front::start(&mut ann.command(&["--json", "--no-history"]));
    let mut first = json();
    first.call(&json!({"command": "register", "name": "ann", "password": "secret"}));
    first.event("logged_in");
    first.kill();
    first.exit();
    // Twice: nor may the start by itself lose what is remembered.
    for _ in 0..2 {
        let mut next = json();
        assert_eq!(next.event("view")["view"]["account"], json!(null));
        assert_eq!(next.event("logged_in")["name"], "ann");
        next.kill();
        next.exit();
    }
}

/// Ann's program is killed, and another one of hers goes on in the chat with Bob.
fn is_followed(ann: &User<'_>, bob: &User<'_>) {
    let (mut first, mut other) = (ann.json(), bob.json());
    chat(&mut first, &mut other, bob.address);
    first.say(2, "one");
    assert_eq!(first.answer(2)["event"], "done");

    let (mut second, third) = (ann.json(), ann.watch());
    for attached in [&second, &third] {
        assert_ne!(ann.owner(), attached.pid());
        attached.event("view");
    }
    first.kill();
    let killed = Instant::now();
    let is_view = |update: &serde_json::Value| update["event"] == "view";
    let view = second.update_within(TAKEOVER, "view of the new peer", is_view);
    let view = &view["view"];
    assert_eq!(
        (&view["account"], &view["address"]),
        (&json!("ann"), &json!(ann.address))
    );
    let open = &view["conversations"][0];
    assert_eq!(open["members"][0]["address"], json!(bob.address), "{open}");
    let texts = open["lines"].as_array().unwrap();
    let ones = texts.iter().filter(|line| line["text"] == "one");
    assert_eq!(ones.count(), 1, "{texts:#?}");
    // The one that does not take over goes on with the one that did.
    third.update_within(TAKEOVER, "view of the new peer", is_view);
    assert!(killed.elapsed() < TAKEOVER, "{:?}", killed.elapsed());

    second.say(3, "two");
    assert_eq!(second.answer(3)["event"], "done");
    other.update("two", |update| update["text"] == "two");
    third.update("two", |update| update["text"] == "two");
    other.say(4, "three");
    third.update("three", |update| update["text"] == "three");
}

#[test]
fn an_owner_that_is_closed_hands_over_and_the_last_one_logs_out() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let mut first = ann.json();
    first.register("ann");
    let mut second = ann.json();
    second.event("view");
    let socket = ann.socket();
    assert!(first.end().success());
    let view = second.event("view");
    assert_eq!(view["view"]["account"], "ann");
    // No one told it that the session has ended.
    let other = registry.user("bob");
    let mut bob = other.json();
    bob.register("bob");
    bob.call(&json!({"command": "search", "id": 1, "name": "ann"}));
    assert_eq!(bob.event("found")["address"], json!(ann.address));
    assert!(second.end().success());
    bob.call(&json!({"command": "search", "id": 2, "name": "ann"}));
    assert_eq!(bob.event("found")["address"], json!(null));
    // It left nothing behind but the lock, which names no one.
    let left = std::fs::read(ann.profile().join("lock")).unwrap();
    assert!(left.is_empty());
    assert!(!socket.exists());
}

#[test]
fn one_that_does_not_take_over_ends_with_its_owner() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let mut first = ann.json();
    first.register("ann");
    let mut second = ann.watch();
    second.event("view");
    first.kill();
    assert_eq!(second.exit().code(), Some(1));
    // Nothing of the dead process is in the way.
    let third = ann.json();
    third.event("view");
    assert_eq!(ann.owner(), third.pid());
}

#[test]
fn the_password_of_the_options_renews_the_session() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let mut first = ann.json();
    first.register("ann");
    let password = registry.folder.path().join("password");
    let login = ["--json", "--user", "ann", "--password-file"];
    let login = [&login[..], &[password.to_str().unwrap()]].concat();
    let second = Front::start(&mut ann.command(&login));
    second.event("view");
    first.kill();
    second.event("view");
    second.event("logged_in");
}

#[test]
fn a_process_that_starts_at_that_moment_leaves_the_peer_to_those_who_know_it() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let mut owner = ann.json();
    owner.register("ann");
    for _ in 0..10 {
        let heir = ann.json();
        heir.event("view");
        owner.kill();
        let newcomer = ann.json();
        let view = newcomer.event("view");
        assert_eq!(view["view"]["account"], "ann");
        assert_eq!(ann.owner(), heir.pid());
        owner = heir;
    }
}

#[test]
fn what_is_in_the_way_of_a_takeover_is_said_and_it_succeeds_when_that_is_gone() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let mut first = ann.json();
    first.register("ann");
    let mut second = ann.json();
    second.event("view");
    // Until the other program has the port, the owner must not come back.
    second.signal(Signal::STOP);
    first.kill();
    first.exit();
    let taken = TcpListener::bind((ann.address, 5858)).unwrap();
    second.signal(Signal::CONT);
    let down = second.event("link");
    let words = down["reason"].as_str().unwrap();
    let named = format!("p2pchat, process {} has ended", first.pid());
    assert!(words.starts_with(&named), "{words}");
    assert!(words.contains("port 5858"), "{words}");
    second.call(&json!({"command": "busy", "id": 1, "on": true}));
    drop(taken);
    assert_eq!(second.event("view")["view"]["account"], "ann");
    assert_eq!(second.answer(1)["event"], "done");
}

#[test]
fn owners_that_are_closed_in_the_middle_of_sending_lose_nothing() {
    let registry = Registry::start();
    let (ann, bob) = (registry.user("ann"), registry.user("bob"));
    let (mut owner, mut other) = (ann.json(), bob.json());
    chat(&mut owner, &mut other, bob.address);
    let (mut sent, mut acknowledged) = (0, HashSet::new());
    for _ in 0..20 {
        let mut heir = ann.json();
        heir.event("view");
        let mut texts = HashMap::new();
        for id in 10..20 {
            for front in [&mut owner, &mut heir] {
                sent += 1;
                let text = format!("<{sent}>");
                front.say(id, &text);
                texts.insert((front.pid(), id), text);
            }
        }
        let mut note = |front: &Front, update: &Value| {
            if update["event"] == "done" {
                let id = update["re"].as_u64().unwrap();
                acknowledged.extend(texts.remove(&(front.pid(), id)));
            }
        };
        owner.signal(Signal::TERM);
        for id in 10..20 {
            note(&heir, &heir.answer(id));
        }
        while let Some(update) = owner.next(SOON) {
            note(&owner, &update);
        }
        owner = heir;
    }
    assert!(acknowledged.len() >= 200, "{}", acknowledged.len());
    // Each arrives, and once.
    let mut arrived = HashSet::new();
    while !acknowledged.is_subset(&arrived) {
        let message = other.event("message");
        let text = message["text"].as_str().unwrap().to_owned();
        assert!(arrived.insert(text), "{message}");
    }
}
