//! Whatever may happen to a peer, in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use p2pchat_model::{CallId, Event, PeerAddr, Timestamp, Undo, Update, Username, View};
use p2pchat_peer::machine::{
    Asker, Config, ConnId, Input, Machine, Now, Output, SendId, ToJournal,
};
use p2pchat_protocol::Contact;

mod answered;
mod ask;
mod step;

use ask::own_address;
use step::{Made, Sent, Step};

/// How many outputs one input may cause here, where there are few addresses: a text to
/// each in parts, a notify to each, and the events of all that.
const MAX_OUTPUTS: usize = 2_000;
/// How many timers may be due within one step; the longest step is 40 s.
const MAX_TIMERS: usize = 500;
/// How many steps of an input are taken.
const MAX_STEPS: usize = 300;
/// Longer than any request waits.
const LONG: Duration = Duration::from_secs(700);

/// No order of inputs, however senseless or hostile, makes a machine panic, stall or
/// forget an answer; and what it tells can be sent as JSON and shown.
pub fn machine(data: &[u8]) {
    let mut data = Unstructured::new(data);
    let mut subject = Subject::new();
    for _ in 0..MAX_STEPS {
        if data.is_empty() {
            break;
        }
        match Step::arbitrary(&mut data) {
            Ok(step) => subject.take(step),
            Err(_) => break,
        }
    }
    // Its connection does not last for ever, whether it was there or not.
    subject.handle(Input::RegistryDown {
        reason: "the end".to_owned(),
    });
    subject.pass(LONG);
    assert!(
        subject.open_requests.len() <= 1,
        "requests are answered in time"
    );
    assert_eq!(subject.open_calls, [], "calls are closed in time");
}

struct Subject {
    machine: Machine,
    elapsed: Duration,
    view: View,
    conns: u64,
    /// The texts without a word so far, and since when.
    open_texts: BTreeMap<ConnId, Duration>,
    open_requests: BTreeSet<ConnId>,
    /// The calls that are not closed yet, by their ids; one that is made again is there twice.
    open_calls: Vec<CallId>,
    /// What the machine sent, newest last, whatever became of it.
    sent: Vec<(SendId, Sent)>,
}

impl Subject {
    fn new() -> Self {
        let elapsed = Duration::from_secs(1);
        let config = Config {
            address: own_address(),
            registry: "registry".to_owned(),
            message_port: 1010,
            request_limit: Duration::from_secs(60),
            seed: 1,
            keys: None,
        };
        let mut subject = Self {
            machine: Machine::new(config, now(elapsed)),
            elapsed,
            view: View::default(),
            conns: 0,
            open_texts: BTreeMap::new(),
            open_requests: BTreeSet::new(),
            open_calls: Vec::new(),
            sent: Vec::new(),
        };
        subject.drain();
        subject
    }

    fn take(&mut self, step: Step<'_>) {
        self.conns += 1;
        match step.into_inputs(ConnId(self.conns), &self.sent) {
            Made::Pass(by) => self.pass(by),
            Made::Inputs(inputs) => {
                for input in inputs {
                    self.note(&input);
                    self.handle(input);
                }
            }
        }
    }

    /// Remembers which connections wait for a word, and which calls for an answer.
    fn note(&mut self, input: &Input) {
        match input {
            Input::Contact {
                conn,
                contact: Contact::Request { .. },
                ..
            } => {
                self.open_requests.insert(*conn);
            }
            Input::ContactLost { conn } => {
                self.open_requests.remove(conn);
            }
            Input::Command(asked) => {
                let id = asked.asker.as_ref().and_then(|asker| asker.id.clone());
                self.open_calls.extend(id);
            }
            Input::Text { conn, .. } => {
                self.open_texts.insert(*conn, self.elapsed);
            }
            _ => {}
        }
    }

    /// Lets time pass, with the timers that are due.
    fn pass(&mut self, by: Duration) {
        let end = self.elapsed + by;
        let mut timers = 0;
        while let Some(due) = self.machine.deadline().filter(|due| *due <= end) {
            self.elapsed = self.elapsed.max(due);
            self.handle(Input::Timer);
            timers += 1;
            assert!(timers < MAX_TIMERS, "a storm of timers");
        }
        self.elapsed = end;
    }

    fn handle(&mut self, input: Input) {
        self.machine.handle(now(self.elapsed), input);
        self.drain();
        let is_in_time = |since: &Duration| self.elapsed < *since + Undo::LIMIT;
        assert!(
            self.open_texts.values().all(is_in_time),
            "every text is taken or refused while there is an undo"
        );
        let deadline = self.machine.deadline();
        assert!(
            deadline.is_none_or(|due| due > self.elapsed),
            "a deadline that has passed"
        );
    }

    fn drain(&mut self) {
        let mut count = 0;
        while let Some(output) = self.machine.output() {
            count += 1;
            match output {
                Output::TakeText { conn } | Output::RefuseText { conn } => {
                    assert!(
                        self.open_texts.remove(&conn).is_some(),
                        "one word to each text"
                    );
                }
                Output::Answer { conn, .. } => {
                    let is_open = self.open_requests.remove(&conn);
                    assert!(is_open, "one answer to each request");
                }
                Output::Request { id, to, .. } => self.sends(Sent::Request, id, to),
                Output::Notify { id, to, .. } => self.sends(Sent::Notify, id, to),
                Output::Text { id, to, .. } => self.sends(Sent::Text, id, to),
                Output::Event { event, re, .. } => {
                    if matches!(event, Event::Done | Event::Failed(_)) {
                        self.close_call(re.clone());
                    }
                    self.show(re, event);
                }
                // The journal closes these.
                Output::Journal(ToJournal::Recall { re, .. } | ToJournal::Find { re, .. }) => {
                    self.close_call(re);
                }
                Output::Journal(ToJournal::Repeat { re, .. }) => self.close_call(Some(re)),
                _ => {}
            }
        }
        assert!(count < MAX_OUTPUTS, "{count} outputs to one input");
    }

    fn close_call(&mut self, asker: Option<Asker>) {
        let Some(id) = asker.and_then(|asker| asker.id) else {
            return;
        };
        let open = self.open_calls.iter().position(|open| *open == id);
        self.open_calls
            .remove(open.expect("one last answer to each call"));
    }

    fn sends(&mut self, what: Sent, id: SendId, to: PeerAddr) {
        assert_ne!(to, own_address(), "a peer sends nothing to itself");
        let last = self.sent.last().map(|(id, _)| *id);
        assert!(last < Some(id), "ids are never used twice");
        self.sent.push((id, what));
    }

    fn is_welcome(&self, said: Option<Username>, at: PeerAddr) {
        assert_eq!(self.view.blocks(said, at), None, "this sender is blocked");
    }

    /// What a page and a script are given, and what is shown.
    fn show(&mut self, re: Option<Asker>, event: Event) {
        match &event {
            Event::MemberJoined { member, .. } => {
                assert_ne!(
                    member.address,
                    own_address(),
                    "a peer is not its own member"
                );
                self.is_welcome(None, member.address);
            }
            Event::RequestReceived(request) => {
                self.is_welcome(request.from.name, request.from.address);
            }
            Event::Message(message) if !message.is_own() => {
                self.is_welcome(message.from.name, message.from.address);
            }
            _ => {}
        }
        let update = Update {
            re: re.and_then(|asker| asker.id),
            event: Arc::new(event),
        };
        let json = serde_json::to_string(&update).unwrap();
        let read = Update::from_json(&json).unwrap();
        assert_eq!(read, update, "an update is read as it was written");
        self.view.apply(&read.event);
    }
}

fn now(elapsed: Duration) -> Now {
    let millis = u64::try_from(elapsed.as_millis()).unwrap();
    Now {
        elapsed,
        wall: Timestamp(1_700_000_000_000 + millis),
    }
}
