//! Encrypted conversations of real programs: between two, in a group, with JSON, plain lines and
//! subcommands.

use serde_json::{Value, json};

use crate::once::User;
use crate::support::{Piped, Registry};

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
    #[expect(clippy::needless_pass_by_value, reason = "as json! makes it")]
    fn call(&mut self, command: Value) -> u64 {
        self.calls += 1;
        let mut call = command;
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
