//! One hundred takeovers in the middle of sending.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use p2pchat_testkit::SOON;
use serde_json::{Value, json};

use crate::support::{Front, Registry, TAKEOVER, User, chat};

const TAKEOVERS: u64 = 100;
/// How many texts each front end sends before its owner is killed.
const TEXTS: u64 = 5;

/// The lines that a front end shows, from its updates.
#[derive(Default)]
struct Screen {
    texts: Vec<String>,
}

impl Screen {
    fn apply(&mut self, update: &Value) {
        if update["event"] == "view" {
            let lines = update["view"]["conversations"][0]["lines"].as_array();
            let texts = lines
                .unwrap()
                .iter()
                .filter_map(|line| line["text"].as_str());
            self.texts = texts
                .filter(|text| text.starts_with("text "))
                .map(ToOwned::to_owned)
                .collect();
        } else if update["event"] == "message" {
            self.texts.push(update["text"].as_str().unwrap().to_owned());
        }
        let different: HashSet<_> = self.texts.iter().collect();
        assert_eq!(
            different.len(),
            self.texts.len(),
            "shown twice: {:#?}",
            self.texts
        );
    }
}

/// A front end that sends, and what it knows of its texts.
struct Sender {
    front: Front,
    /// Its texts without an answer, by the id of the call.
    waiting: HashMap<u64, String>,
    calls: u64,
}

impl Sender {
    fn start(user: &User<'_>) -> Self {
        let front = user.json();
        front.event("view");
        Self {
            front,
            waiting: HashMap::new(),
            calls: 100,
        }
    }

    fn say(&mut self, text: &str) {
        self.calls += 1;
        self.front.say(self.calls, text);
        self.waiting.insert(self.calls, text.to_owned());
    }

    /// Notes an answer to one of its calls.
    fn note(&mut self, update: &Value, acknowledged: &mut Vec<String>) {
        let Some(id) = update["re"].as_u64() else {
            return;
        };
        assert_ne!(update["event"], "failed", "{update}");
        if update["event"] == "done" {
            let text = self.waiting.remove(&id);
            acknowledged.push(text.unwrap_or_else(|| panic!("answered twice: {update}")));
        }
    }

    /// Waits until all its calls are answered.
    fn settle(&mut self, acknowledged: &mut Vec<String>) {
        let start = Instant::now();
        while !self.waiting.is_empty() {
            let update = self.front.next(SOON).expect("it runs");
            self.note(&update, acknowledged);
            assert!(start.elapsed() < SOON, "no answer to {:?}", self.waiting);
        }
    }
}

/// All texts in the history, the newest first.
fn history(front: &mut Front) -> Vec<String> {
    let (mut texts, mut before, mut id) = (Vec::new(), json!(null), 1_000_000);
    loop {
        id += 1;
        front.call(
            &json!({"command": "history", "id": id, "conversation": "open", "before": before}),
        );
        let page = front.update("history", |update| {
            update["event"] == "history" && update["re"] == id
        });
        let messages = page["messages"].as_array().unwrap();
        for message in messages.iter().rev() {
            texts.push(message["text"].as_str().unwrap().to_owned());
        }
        if page["more"] == false {
            return texts;
        }
        before = messages[0]["id"].clone();
    }
}

#[test]
fn a_hundred_owners_are_killed_in_the_middle_of_sending_and_each_acknowledged_text_is_there_once() {
    let registry = Registry::start();
    let (ann, bob) = (registry.user("ann"), registry.user("bob"));
    let mut first = Sender::start(&ann);
    let mut other = bob.json();
    chat(&mut first.front, &mut other, bob.address);
    // One that never takes over, and so sees it all.
    let observer = ann.watch();
    let mut screen = Screen::default();

    let mut senders = vec![first, Sender::start(&ann), Sender::start(&ann)];
    let (mut acknowledged, mut sent, mut slowest) = (Vec::new(), 0, std::time::Duration::ZERO);
    for _ in 0..TAKEOVERS {
        let owner = ann.owner();
        let at = senders
            .iter()
            .position(|sender| sender.front.pid() == owner);
        let mut owner = senders.swap_remove(at.expect("one of them runs the peer"));
        for _ in 0..TEXTS {
            for sender in senders.iter_mut().chain([&mut owner]) {
                sent += 1;
                sender.say(&format!("text {sent}"));
            }
        }
        // Some are acknowledged, some are not.
        let some = sent % 31;
        for _ in 0..some {
            let update = owner.front.next(SOON).unwrap();
            owner.note(&update, &mut acknowledged);
        }
        owner.front.kill();
        let killed = Instant::now();
        while let Some(update) = owner.front.next(SOON) {
            owner.note(&update, &mut acknowledged);
        }
        for sender in &mut senders {
            let mut seen = false;
            while !seen {
                let left = TAKEOVER
                    .checked_sub(killed.elapsed())
                    .expect("a takeover within 3 s");
                let update = sender.front.next(left).expect("it runs");
                seen = update["event"] == "view";
                sender.note(&update, &mut acknowledged);
            }
        }
        slowest = slowest.max(killed.elapsed());
        for sender in &mut senders {
            sender.settle(&mut acknowledged);
        }
        senders.push(Sender::start(&ann));
        while let Some(update) = observer.ready() {
            screen.apply(&update);
        }
    }
    eprintln!(
        "{} of {sent} acknowledged, slowest takeover {slowest:?}",
        acknowledged.len()
    );
    assert!(
        acknowledged.len() as u64 > TAKEOVERS,
        "sending was in full swing: {}",
        acknowledged.len()
    );
    let texts = history(&mut senders[0].front);
    let mut counts = HashMap::new();
    for text in &texts {
        *counts.entry(text.as_str()).or_insert(0) += 1;
    }
    for text in &acknowledged {
        assert_eq!(counts.get(text.as_str()), Some(&1), "{text}");
    }
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
