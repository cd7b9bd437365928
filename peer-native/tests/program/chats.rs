//! Encrypted conversations of real programs: between two, in a group, with JSON, plain lines and
//! subcommands.

use serde_json::{Value, json};

use crate::once::{User, meanwhile};
use crate::support::{Piped, Registry, program};

/// A user with `p2pchat --json`.
struct Chatting {
    json: Piped,
    calls: u64,
}

impl Chatting {
    fn start(user: &User<'_>) -> Self {
        let json = user.json();
        Self { json, calls: 0 }
    }

    /// Sends a command; its answers have this id.
    fn call(&mut self, mut call: Value) -> u64 {
        self.calls += 1;
        call["id"] = self.calls.into();
        self.json.write(&call.to_string());
        self.calls
    }

    /// The next event with this name for which this holds.
    fn event(&self, name: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.json.line_with(&format!(r#""event":"{name}""#));
            let event: Value = serde_json::from_str(&line).unwrap();
            if is_it(&event) {
                return event;
            }
        }
    }

    /// The answer to a call.
    fn answer(&self, call: u64, name: &str) -> Value {
        self.event(name, |event| event["re"] == call)
    }

    /// Sends a command, and waits for its end.
    fn done(&mut self, command: Value) {
        let call = self.call(command);
        self.answer(call, "done");
    }

    /// The conversation that a command has begun.
    fn begin(&mut self, command: Value) -> String {
        let call = self.call(command);
        let opened = self.answer(call, "opened");
        opened["conversation"].as_str().unwrap().to_owned()
    }

    /// The conversation that someone asks the user to be in.
    fn asked(&self) -> String {
        let chat = self.event("chat", |event| {
            event["chat"]["standing"]["asked"].is_object()
        });
        chat["conversation"].as_str().unwrap().to_owned()
    }

    /// Accepts the next request.
    fn join(&mut self) -> String {
        let conversation = self.asked();
        self.done(json!({ "command": "join", "conversation": conversation }));
        conversation
    }

    /// The next message with this text.
    fn hears(&self, text: &str) -> Value {
        self.event("post", |event| event["text"] == text)
    }

    /// Waits until a message has reached everyone.
    fn delivered(&self, text: &str) {
        self.event("post_changed", |event| {
            let receipts = event["receipts"].as_array();
            let all = receipts.is_some_and(|all| all.iter().all(|one| one["delivered"] == true));
            event["text"] == text && all
        });
    }
}

#[test]
fn two_programs_chat_by_json() {
    let registry = Registry::start();
    let [mut alice, mut bob] =
        ["alice", "bob"].map(|name| Chatting::start(&User::new(&registry, name)));
    alice.json.sees("bob");
    let conversation = alice.begin(json!({ "command": "chat", "with": "bob" }));
    assert_eq!(conversation.len(), 64);
    // It may be written before bob has answered.
    alice.done(json!({ "command": "say", "conversation": conversation, "text": "lunch?" }));
    assert_eq!(bob.join(), conversation);
    let heard = bob.hears("lunch?");
    assert_eq!(heard["from"]["name"], "alice");
    assert_eq!(heard["receipts"], Value::Null);
    alice.delivered("lunch?");

    let reply = json!({
        "command": "say", "conversation": conversation, "text": "at noon",
        "reply_to": heard["id"],
    });
    bob.done(reply);
    let heard = alice.hears("at noon");
    assert_eq!(heard["reply"]["text"], "lunch?");
    assert_eq!(heard["reply"]["from"]["you"], true);
    let react = json!({
        "command": "react", "conversation": conversation, "message": heard["id"], "emoji": "👍",
    });
    alice.done(react);
    bob.event("post_changed", |event| {
        event["reactions"][0]["emoji"] == "👍"
    });
}

#[test]
fn chats_are_there_when_the_registry_is_not() {
    let mut registry = Registry::start();
    let conversation = {
        let [mut alice, mut bob] =
            ["alice", "bob"].map(|name| Chatting::start(&User::new(&registry, name)));
        alice.json.sees("bob");
        let conversation = alice.begin(json!({ "command": "chat", "with": "bob" }));
        bob.join();
        bob.done(json!({ "command": "say", "conversation": conversation, "text": "lunch?" }));
        alice.hears("lunch?");
        assert!(bob.json.end().success() && alice.json.end().success());
        conversation
    };
    registry.stop();
    let mut line = User::new(&registry, "alice").peer();
    line.push("--json".to_owned());
    let json = Piped::start_at(registry.folder.path(), &line);
    let mut alice = Chatting { json, calls: 0 };
    alice.event("link", |event| event["state"] == "down");
    let call = alice.call(json!({ "command": "history", "conversation": conversation }));
    let page = alice.answer(call, "posts");
    assert_eq!(page["posts"][0]["text"], "lunch?");
    assert_eq!(page["posts"][0]["from"]["name"], "bob");
    alice.done(json!({ "command": "say", "conversation": conversation, "text": "at noon" }));
    let call = alice
        .call(json!({ "command": "request", "conversation": "open", "to": { "name": "bob" } }));
    let failed = alice.answer(call, "failed");
    assert_eq!(failed["code"], "registry_unreachable");

    registry.come_back();
    let bob = Chatting::start(&User::new(&registry, "bob"));
    bob.hears("at noon");
    alice.delivered("at noon");
}

#[test]
fn one_who_was_away_gets_a_message_from_another_after_its_writer_is_gone() {
    let registry = Registry::start();
    let users = ["alice", "bob", "carol"].map(|name| User::new(&registry, name));
    let [mut alice, mut bob, mut carol] = users.each_ref().map(Chatting::start);
    alice.json.sees("carol");
    let group = json!({ "command": "group", "name": "Release team", "members": ["bob", "carol"] });
    let team = alice.begin(group);
    for member in [&mut bob, &mut carol] {
        assert_eq!(member.join(), team);
        alice.event("chat_changed", |event| {
            event["change"]["joined"].is_object()
        });
    }
    assert!(carol.json.end().success());
    drop(carol);
    alice.event("presence", |event| event["gone"] == json!(["carol"]));

    alice.done(json!({ "command": "say", "conversation": team, "text": "it is out" }));
    bob.hears("it is out");
    alice.event("post_changed", |event| {
        let receipts = event["receipts"].as_array().unwrap();
        receipts
            .iter()
            .any(|one| one["to"]["name"] == "bob" && one["delivered"] == true)
    });
    assert!(alice.json.end().success());
    drop(alice);

    let carol = Chatting::start(&users[2]);
    let heard = carol.hears("it is out");
    assert_eq!(heard["from"]["name"], "alice");
    assert_eq!(heard["conversation"], team);
}

#[test]
fn a_script_sends_to_an_encrypted_conversation_and_waits_for_its_receipts() {
    let registry = Registry::start();
    let [alice, bob] = ["alice", "bob"].map(|name| User::new(&registry, name));
    let (at_alice, mut at_bob) = (Chatting::start(&alice), Chatting::start(&bob));
    at_alice.json.sees("bob");
    // Without an answer of bob: it is stored, and waits.
    alice.run(&["send", "--to=bob", "one"]).done();
    let conversation = at_bob.join();
    at_bob.hears("one");
    let with_id = [
        "send",
        "--to=bob",
        "--wait=delivered",
        "--timeout=1m",
        "--id=two",
        "two",
    ];
    for _ in 0..2 {
        alice.run(&with_id).done();
    }
    alice
        .run(&["send", "--to", &bob.address, "--wait=delivered", "three"])
        .done();
    alice
        .run(&["send", "--conversation=bob", "--wait=delivered", "four"])
        .done();
    alice
        .run(&[
            "send",
            "--conversation",
            &conversation,
            "--wait=delivered",
            "five",
        ])
        .done();

    let chats = alice.run(&["chats"]);
    assert!(
        chats.done().contains("bob · direct · you: five"),
        "{chats:?}"
    );
    let chats = alice.run(&["chats", "--json"]);
    assert!(
        chats.done().contains(r#"{"event":"chat","conversation":""#),
        "{chats:?}"
    );
    let history = alice.run(&["history", "--conversation=bob"]);
    let texts: Vec<_> = history
        .done()
        .lines()
        .map(|line| line.rsplit(' ').next().unwrap())
        .collect();
    assert_eq!(
        texts,
        ["one", "two", "three", "four", "five"],
        "{history:?}"
    );
    let found = alice.run(&["history", "--conversation=bob", "--find=four", "--json"]);
    assert!(
        found
            .done()
            .starts_with(r#"{"event":"post","conversation":""#),
        "{found:?}"
    );
    assert_eq!(found.out.lines().count(), 1);

    let file = alice.home().join("bob.txt");
    let file = file.to_str().unwrap();
    alice.run(&["export", "bob", file]).done();
    let exported = std::fs::read_to_string(file).unwrap();
    assert_eq!(exported, history.out);
    alice
        .run(&["export", "bob", file])
        .expect(1, "cannot write");
    let export = alice.run(&["export", "bob", "--format=json"]);
    assert_eq!(export.done().lines().count(), 5);

    // Nothing of that is in the open chat.
    assert_eq!(alice.run(&["history"]).done(), "");
    assert!(at_bob.json.end().success());
    at_alice.event("presence", |event| event["gone"] == json!(["bob"]));
    let away = alice.run(&[
        "send",
        "--to=bob",
        "--wait=delivered",
        "--timeout=500ms",
        "six",
    ]);
    away.expect(6, "waiting for bob: not delivered within 500ms");
    let at_bob = Chatting::start(&bob);
    at_bob.hears("six");
}

#[test]
fn what_is_for_one_user_never_goes_to_the_open_chat_by_itself() {
    let registry = Registry::start();
    let [alice, bob] = ["alice", "bob"].map(|name| User::new(&registry, name));
    let mut at_alice = Chatting::start(&alice);
    let mut at_bob = Chatting::start(&bob);
    at_alice.json.sees("bob");
    // They are in the open chat too.
    at_alice.call(json!({ "command": "request", "conversation": "open", "conversation": "open", "to": { "name": "bob" } }));
    User::accept(&mut at_bob.json, &alice);
    at_alice.event("member_joined", |_| true);
    alice.run(&["send", "--to=bob", "for bob"]).done();
    at_bob.join();
    at_bob.hears("for bob");
    alice
        .run(&["send", "--to=nobody", "x"])
        .expect(5, "no_key: ");
    alice
        .run(&["send", "--conversation=Team", "x"])
        .expect(5, "no_such_conversation: ");
    alice
        .run(&["send", "--to=bob", "--conversation=bob", "x"])
        .expect(2, "open chat alone");
    assert_eq!(alice.run(&["history"]).done(), "");
    alice
        .run(&["send", "--to=bob", "--conversation=open", "for all"])
        .done();
    assert!(
        alice
            .run(&["history"])
            .done()
            .trim_end()
            .ends_with(": for all")
    );
}

#[test]
fn plain_lines_show_all_conversations_and_go_from_one_to_another() {
    let registry = Registry::start();
    let [alice, bob] = ["alice", "bob"].map(|name| User::new(&registry, name));
    let mut at_alice = Chatting::start(&alice);
    let mut line = bob.signed_in();
    line.push("--plain".to_owned());
    let mut at_bob = Piped::start_at(bob.home(), &line);
    at_bob.line_with("signed in as bob");
    at_alice.json.sees("bob");
    let conversation = at_alice.begin(json!({ "command": "chat", "with": "bob" }));
    at_bob.line_with(
        "alice wants to chat with you. You see what was written before. /join or /decline",
    );
    at_bob.write("/join");
    at_bob.line_with("alice (Encrypted): alice");
    at_alice.event("chat_changed", |event| {
        event["change"]["joined"].is_object()
    });
    at_alice.done(json!({ "command": "say", "conversation": conversation, "text": "hello\nbob" }));
    let said = at_bob.line_with("] alice / alice: hello");
    assert!(said.starts_with('['), "{said}");
    assert_eq!(at_bob.line_with(""), "  bob");

    // What is typed goes to the chat that was joined until the user goes to another one.
    at_bob.write("hello alice");
    let said = at_alice.hears("hello alice");
    assert_eq!(said["conversation"], conversation);
    at_bob.line_with("] alice / you: hello alice");
    at_alice.done(json!({
        "command": "react", "conversation": conversation, "message": said["id"], "emoji": "👍",
    }));
    at_bob.line_with("alice / alice reacted 👍 to “hello alice”");

    at_bob.write("/go open chat");
    at_bob.write("to nobody");
    at_bob.line_with("not sent: ");
    at_bob.write("/go alice");
    at_bob.line_with("alice (Encrypted): alice");
    at_bob.write("and again");
    assert_eq!(at_alice.hears("and again")["conversation"], conversation);
}

#[test]
fn someone_with_an_older_program_is_asked_into_the_open_chat() {
    let registry = Registry::start();
    let [alice, carol] = ["alice", "carol"].map(|name| User::new(&registry, name));
    let at_alice = Chatting::start(&alice);
    let mut line = carol.signed_in();
    line.extend(["--allow-plaintext", "--json"].map(str::to_owned));
    let mut at_carol = Piped::start_at(carol.home(), &line);
    at_carol.line_with("logged_in");
    at_alice.json.sees("carol");
    let send = alice.command(&[
        "send",
        "--to=carol",
        "--wait=delivered",
        "--timeout=1m",
        "hi",
    ]);
    meanwhile(send, || User::accept(&mut at_carol, &alice)).done();
    at_carol.line_with(r#""event":"message","conversation":"open""#);
}

#[test]
fn a_peer_that_runs_for_one_text_stays_until_those_who_are_there_have_it() {
    let registry = Registry::start();
    let [alice, bob] = ["alice", "bob"].map(|name| User::new(&registry, name));
    let mut at_bob = Chatting::start(&bob);
    let mut send = program(alice.home());
    send.args(alice.signed_in());
    send.args(["send", "--to=bob", "--wait=stored", "--timeout=1m", "hi"]);
    let sent = meanwhile(send, || {
        at_bob.join();
        at_bob.hears("hi");
    });
    sent.done();
    let listed = alice.run_alone(&["chats"]);
    assert!(
        listed.done().contains("bob · direct · you: hi"),
        "{listed:?}"
    );
    let read = alice.run_alone(&["history", "--conversation=bob"]);
    assert!(
        read.done().trim_end().ends_with("] bob / you: hi"),
        "{read:?}"
    );
}
