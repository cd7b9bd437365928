//! Front ends of different kinds on one profile.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use p2pchat_model::{Command as Ask, ConversationId, Event};
use p2pchat_testkit::{Peer, Programs, SOON};
use serde_json::json;

use crate::support::{Front, Registry, User, chat};

/// How many messages come and go.
const MESSAGES: u64 = 1000;

/// A running `p2pchat --plain`, and its lines. Killed on drop.
struct Plain {
    child: Child,
    lines: Receiver<String>,
}

impl Plain {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text of a message, as the tests write them: `<7>`.
fn text_in(line: &str) -> Option<&str> {
    let (start, end) = (line.find('<')?, line.find('>')?);
    line.get(start..=end)
}

/// Opens the page of a bridge of this user, and waits for its view.
async fn page(registry: &Registry, user: &User<'_>) -> Peer {
    let programs = Programs::find().unwrap();
    let bridge = Peer::start_bridge(&programs, &user.home, registry.at(), user.address);
    let mut bridge = bridge.await.unwrap();
    bridge.open_page().await.unwrap();
    let view = bridge.event().await.unwrap();
    assert!(matches!(view, Some(Event::View(_))), "{view:?}");
    bridge
}

#[test]
fn three_front_ends_see_the_same_lines_in_the_same_order_while_a_thousand_come_and_go() {
    let registry = Registry::start();
    let (ann, bob) = (registry.user("ann"), registry.user("bob"));
    let (mut first, mut other) = (ann.json(), bob.json());
    chat(&mut first, &mut other, bob.address);
    let plain = Plain::start(&mut ann.command(&["--plain"]));
    let mut bridge = registry.runtime.block_on(page(&registry, &ann));
    let mut second = ann.json();
    second.event("view");
    assert_eq!(ann.owner(), first.pid());

    // From the owner, from one who is attached, from the page, and from the other side.
    for number in 1..=MESSAGES {
        let text = format!("<{number}>");
        match number % 4 {
            0 => first.say(number + 10, &text),
            1 => second.say(number + 10, &text),
            2 => other.say(number + 10, &text),
            _ => {
                let say = Ask::Say {
                    conversation: ConversationId::OPEN,
                    text,
                    reply_to: None,
                };
                registry.runtime.block_on(bridge.ask(&say)).unwrap();
            }
        }
    }
    let texts = |front: &Front| -> Vec<String> {
        let is_text = |update: &serde_json::Value| update["event"] == "message";
        let message = || front.update("message", is_text);
        let texts = (0..MESSAGES).map(|_| message()["text"].as_str().unwrap().to_owned());
        texts.collect()
    };
    let seen = texts(&first);
    assert_eq!(texts(&second), seen);
    let mut on_the_page = Vec::new();
    while on_the_page.len() < seen.len() {
        let text = bridge.event_with("message", SOON, |event| match event {
            Event::Message(message) => Some(message.text.clone()),
            _ => None,
        });
        on_the_page.push(registry.runtime.block_on(text).unwrap());
    }
    assert_eq!(on_the_page, seen);
    let mut in_lines = Vec::new();
    while in_lines.len() < seen.len() {
        let line = plain.lines.recv_timeout(SOON).unwrap();
        in_lines.extend(text_in(&line).map(ToOwned::to_owned));
    }
    assert_eq!(in_lines, seen);
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), seen.len(), "each once");
}

#[test]
fn a_bridge_and_p2pchat_start_in_either_order_and_share_what_is_read_typed_and_set() {
    let registry = Registry::start();
    let runtime = &registry.runtime;
    for bridge_first in [true, false] {
        let ann = registry.user(if bridge_first { "ann" } else { "bob" });
        let (mut bridge, mut json) = if bridge_first {
            let bridge = runtime.block_on(page(&registry, &ann));
            let json = ann.json();
            json.event("view");
            (bridge, json)
        } else {
            let json = ann.json();
            json.event("view");
            (runtime.block_on(page(&registry, &ann)), json)
        };
        let owner = if bridge_first {
            bridge.pid().unwrap()
        } else {
            json.pid()
        };
        assert_eq!(ann.owner(), owner);
        json.register(if bridge_first { "ann" } else { "bob" });
        runtime
            .block_on(bridge.event_with("login", SOON, |event| {
                matches!(event, Event::LoggedIn { .. }).then_some(())
            }))
            .unwrap();
        json.call(&json!({"command": "draft", "id": 1, "conversation": "open", "text": "half a"}));
        let draft = bridge.event_with("draft", SOON, |event| match event {
            Event::Draft { text, .. } => Some(text.clone()),
            _ => None,
        });
        assert_eq!(runtime.block_on(draft).unwrap(), "half a");
        let busy = Ask::Busy { on: true };
        runtime.block_on(bridge.call(&busy)).unwrap().unwrap();
        assert_eq!(json.event("busy")["on"], true);
        // The one that is left goes on: the draft and the switch stay.
        if bridge_first {
            runtime.block_on(bridge.kill()).unwrap();
            let view = &json.event("view")["view"];
            assert_eq!(view["busy"], true, "{view}");
            assert_eq!(view["conversations"][0]["draft"], "half a", "{view}");
        } else {
            json.kill();
            let view = bridge.event_with("view", SOON, |event| match event {
                Event::View(snapshot) => Some(snapshot.view.clone()),
                _ => None,
            });
            let view = runtime.block_on(view).unwrap();
            assert!(view.busy);
            assert_eq!(view.open().draft, "half a");
        }
    }
}

#[test]
fn a_script_that_writes_faster_than_it_is_answered_gets_all_answers() {
    let registry = Registry::start();
    let (ann, bob) = (registry.user("ann"), registry.user("bob"));
    let (mut first, mut other) = (ann.json(), bob.json());
    chat(&mut first, &mut other, bob.address);
    let mut attached = ann.json();
    attached.event("view");
    for front in [&mut first, &mut attached] {
        for id in MESSAGES..2 * MESSAGES {
            front.say(id, "as fast as the pipe takes it");
        }
        for id in MESSAGES..2 * MESSAGES {
            front.update("the end of a call", |update| {
                update["re"] == id && update["event"] == "done"
            });
        }
        assert!(front.end().success());
    }
}
