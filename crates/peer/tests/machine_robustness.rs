//! No order of inputs, however senseless or hostile, makes a machine panic, stall or
//! leave a connection or a call without an answer.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use p2pchat_model::{
    Call, CallId, Command, ConversationId, Event, FrontEndId, LeaveReason, MessageId, OnlineUser,
    PeerAddr, Person, RequestFailure, Target, Timestamp, Undo, View,
};
use p2pchat_peer::machine::{
    Acknowledgement, Asked, Asker, Config, ConnId, Input, Machine, Now, Output, SendId, ToJournal,
};
use p2pchat_protocol::{ChatAnswer, Contact, Kind, Message, Response};
use proptest::collection::vec;
use proptest::prelude::*;

const OPEN: ConversationId = ConversationId::OPEN;

/// How many outputs one input may cause here, where a group has six members: a text to
/// each, a notify to each, and the events of all that; and after an undo two for each text that
/// waited for it.
const MAX_OUTPUTS: usize = 400;

fn address() -> impl Strategy<Value = PeerAddr> {
    (1..7_u8).prop_map(|last| format!("10.0.0.{last}").parse().unwrap())
}

fn name() -> impl Strategy<Value = p2pchat_model::Username> {
    prop::sample::select(vec!["ann", "bob", "cem"]).prop_map(|name| name.parse().unwrap())
}

fn command() -> impl Strategy<Value = Command> {
    let password = "pw".parse::<p2pchat_model::Passphrase>().unwrap();
    let other = password.clone();
    prop_oneof![
        name().prop_map(move |name| Command::register(name, password.clone())),
        name().prop_map(move |name| Command::login(name, other.clone())),
        Just(Command::Logout),
        Just(Command::Refresh),
        name().prop_map(|name| Command::Search { name }),
        address().prop_map(|to| Command::Request {
            conversation: OPEN,
            to: Target::Address(to)
        }),
        name().prop_map(|to| Command::Request {
            conversation: OPEN,
            to: Target::Name(to)
        }),
        address().prop_map(|from| Command::Accept {
            conversation: OPEN,
            from
        }),
        address().prop_map(|from| Command::Reject {
            conversation: OPEN,
            from
        }),
        "[a-z ]{0,250}".prop_map(|text| Command::Say {
            conversation: OPEN,
            text,
            reply_to: None
        }),
        address().prop_map(|to| Command::Cancel {
            conversation: OPEN,
            to
        }),
        address().prop_map(|who| Command::Block {
            who: Target::Address(who)
        }),
        address().prop_map(|who| Command::Unblock {
            who: Target::Address(who)
        }),
        Just(Command::Undo),
        Just(Command::Leave { conversation: OPEN }),
        any::<bool>().prop_map(|on| Command::Busy { on }),
        any::<u64>().prop_map(|id| Command::Read {
            conversation: OPEN,
            message: MessageId::new(id)
        }),
        Just(Command::Draft {
            conversation: OPEN,
            text: "hel".to_owned()
        }),
        Just(Command::History {
            conversation: OPEN,
            before: None
        }),
        Just(Command::Find {
            conversation: None,
            text: "x".to_owned()
        }),
        Just(Command::Leave {
            conversation: "elsewhere".parse().unwrap()
        }),
    ]
}

fn response() -> impl Strategy<Value = Response> {
    let users = vec(
        (name(), address()).prop_map(|(name, address)| OnlineUser { name, address }),
        0..4,
    );
    prop_oneof![
        4 => Just(Response::LoggedIn),
        2 => Just(Response::Registered),
        2 => users.prop_map(Response::Online),
        1 => address().prop_map(Response::Found),
        1 => prop::sample::select(vec![
            Response::NameTaken,
            Response::WrongCredentials,
            Response::SlowDown,
            Response::NotFound,
            Response::WasNotOnline,
            Response::ServerError { kind: Kind::Login },
            Response::BadRequest { kind: 7 },
        ]),
    ]
}

fn contact() -> impl Strategy<Value = Contact> {
    let list = vec(address(), 0..6).prop_map(|list| list.into_iter().collect());
    let other = vec(address(), 0..6).prop_map(|list| list.into_iter().collect());
    prop_oneof![
        (name(), list).prop_map(|(from, members)| Contact::Request { from, members }),
        (address(), other).prop_map(|(newcomer, members)| Contact::Notify { newcomer, members }),
    ]
}

/// What may happen, with ids that may or may not mean anything.
#[derive(Debug, Clone)]
enum Step {
    Command(Command),
    /// The last call but so many once more, with its id.
    Again(usize),
    Pass(u64),
    Up,
    Down,
    Response(Response),
    Contact(PeerAddr, Contact),
    Lost(u64),
    Text(PeerAddr),
    Request(u64, Result<ChatAnswer, RequestFailure>),
    Notify(u64, Result<Acknowledgement, LeaveReason>),
    TextDone(u64, Result<Acknowledgement, LeaveReason>),
}

fn step() -> impl Strategy<Value = Step> {
    let answers = vec![
        Ok(ChatAnswer::Accepted),
        Ok(ChatAnswer::Accepted),
        Ok(ChatAnswer::Busy),
        Err(RequestFailure::NoAnswer),
    ];
    let taken = vec![
        Ok(Acknowledgement::Confirmed),
        Ok(Acknowledgement::Unconfirmed),
        Err(LeaveReason::Refused),
        Err(LeaveReason::Unreachable),
    ];
    let id = || 0..60_u64;
    prop_oneof![
        6 => command().prop_map(Step::Command),
        1 => (0..3_usize).prop_map(Step::Again),
        3 => (0..40_000_u64).prop_map(Step::Pass),
        1 => Just(Step::Up),
        1 => Just(Step::Down),
        4 => response().prop_map(Step::Response),
        4 => (address(), contact()).prop_map(|(from, contact)| Step::Contact(from, contact)),
        1 => id().prop_map(Step::Lost),
        3 => address().prop_map(Step::Text),
        4 => (id(), prop::sample::select(answers)).prop_map(|(id, result)| Step::Request(id, result)),
        2 => (id(), prop::sample::select(vec![Ok(Acknowledgement::Confirmed), Ok(Acknowledgement::Unconfirmed), Err(LeaveReason::Unreachable)])).prop_map(|(id, result)| Step::Notify(id, result)),
        4 => (id(), prop::sample::select(taken)).prop_map(|(id, result)| Step::TextDone(id, result)),
    ]
}

struct Subject {
    machine: Machine,
    elapsed: Duration,
    conns: u64,
    /// The texts without a word so far, and since when.
    open_texts: BTreeMap<ConnId, Duration>,
    open_requests: BTreeSet<ConnId>,
    calls: Vec<Call>,
    /// The calls that are open.
    open_calls: BTreeSet<CallId>,
}

impl Subject {
    /// A new machine, or one that goes on where another has ended.
    fn new(resume: Option<&View>) -> Self {
        let config = Config {
            address: "10.0.0.1".parse().unwrap(),
            registry: "registry".to_owned(),
            message_port: 1010,
            request_limit: Duration::from_secs(60),
            seed: 1,
            keys: None,
        };
        let start = now(Duration::from_secs(1));
        let mut subject = Self {
            machine: match resume {
                None => Machine::new(config, start),
                Some(view) => Machine::resume(config, start, view),
            },
            elapsed: Duration::from_secs(1),
            conns: 0,
            open_texts: BTreeMap::new(),
            open_requests: BTreeSet::new(),
            calls: Vec::new(),
            open_calls: BTreeSet::new(),
        };
        subject.drain();
        subject
    }

    fn conn(&mut self) -> ConnId {
        self.conns += 1;
        ConnId(self.conns)
    }

    fn take(&mut self, step: Step) {
        let input = match step {
            Step::Command(command) => {
                self.calls
                    .push(Call::with_id(self.calls.len() as u64, command));
                self.call(0)
            }
            Step::Again(back) if back < self.calls.len() => self.call(back),
            Step::Again(_) => return,
            Step::Pass(millis) => return self.pass(Duration::from_millis(millis)),
            Step::Up => Input::RegistryUp,
            Step::Down => Input::RegistryDown {
                reason: "test".to_owned(),
            },
            Step::Response(response) => Input::Response(response),
            Step::Contact(from, contact) => {
                let conn = self.conn();
                if matches!(contact, Contact::Request { .. }) {
                    self.open_requests.insert(conn);
                }
                Input::Contact {
                    conn,
                    from,
                    contact,
                }
            }
            Step::Lost(conn) => {
                self.open_requests.remove(&ConnId(conn));
                Input::ContactLost { conn: ConnId(conn) }
            }
            Step::Text(from) => {
                let conn = self.conn();
                self.open_texts.insert(conn, self.elapsed);
                let message = Message::new("bob".parse().unwrap(), "hi".parse().unwrap());
                Input::Text {
                    conn,
                    from,
                    message,
                }
            }
            Step::Request(id, result) => Input::RequestDone {
                id: SendId(id),
                result,
            },
            Step::Notify(id, result) => Input::NotifyDone {
                id: SendId(id),
                result,
            },
            Step::TextDone(id, result) => Input::TextDone {
                id: SendId(id),
                result,
            },
        };
        self.handle(input);
    }

    /// Takes all steps, and sees that nothing is left open in the end.
    fn take_all(&mut self, steps: Vec<Step>) -> Result<(), TestCaseError> {
        for step in steps {
            self.take(step);
        }
        self.pass(Duration::from_secs(700));
        prop_assert!(
            self.open_requests.len() <= 1,
            "requests are answered in time"
        );
        self.take(Step::Down);
        prop_assert!(self.open_calls.is_empty(), "{:?} are open", self.open_calls);
        Ok(())
    }

    /// Makes the last call but so many.
    fn call(&mut self, back: usize) -> Input {
        let call = self.calls[self.calls.len() - 1 - back].clone();
        let id = call.id.clone().unwrap();
        let is_read = matches!(call.command, Command::Refresh | Command::Search { .. });
        if is_read && !self.open_calls.insert(id.clone()) {
            // It would be read twice, and answered twice.
            return Input::Timer;
        }
        self.open_calls.insert(id);
        Input::Command(Asked::by(FrontEndId::new("front-end").unwrap(), call))
    }

    /// Sees that only open calls are answered, and each closed by one answer.
    fn note_answer(&mut self, re: Option<&Asker>, is_last: bool) {
        let Some(id) = re.and_then(|asker| asker.id.as_ref()) else {
            return;
        };
        assert!(self.open_calls.contains(id), "{id:?} is not open");
        if is_last {
            self.open_calls.remove(id);
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
            assert!(timers < 500, "a storm of timers at {:?}", self.elapsed);
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
        assert!(
            self.machine.deadline().is_none_or(|due| due > self.elapsed),
            "a deadline that has passed"
        );
    }

    fn drain(&mut self) {
        let mut count = 0;
        while let Some(output) = self.machine.output() {
            count += 1;
            match &output {
                Output::Event { event, re, .. } => {
                    let is_last = matches!(event, Event::Done | Event::Failed(_));
                    self.note_answer(re.as_ref(), is_last);
                }
                Output::Journal(ToJournal::Recall { re, .. } | ToJournal::Find { re, .. }) => {
                    self.note_answer(re.as_ref(), true);
                }
                Output::Journal(ToJournal::Repeat { re, .. }) => self.note_answer(Some(re), true),
                _ => {}
            }
            match output {
                Output::TakeText { conn } | Output::RefuseText { conn } => {
                    assert!(
                        self.open_texts.remove(&conn).is_some(),
                        "one word to each text"
                    );
                }
                Output::Answer { conn, .. } => {
                    assert!(
                        self.open_requests.remove(&conn),
                        "one answer to each request"
                    );
                }
                Output::Event {
                    event: Event::MemberJoined { member, .. },
                    ..
                } => {
                    assert_ne!(
                        member.address.to_string(),
                        "10.0.0.1",
                        "no user is their own member"
                    );
                }
                _ => {}
            }
        }
        assert!(count < MAX_OUTPUTS, "{count} outputs to one input");
    }
}

fn now(elapsed: Duration) -> Now {
    let millis = u64::try_from(elapsed.as_millis()).unwrap();
    Now {
        elapsed,
        wall: Timestamp(1_700_000_000_000 + millis),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_inputs_does_harm(steps in vec(step(), 1..120)) {
        let mut subject = Subject::new(None);
        subject.take(Step::Up);
        subject.take(Step::Command(Command::login("ann".parse().unwrap(), "pw".parse().unwrap())));
        subject.take(Step::Response(Response::LoggedIn));
        subject.take_all(steps)?;
    }

    #[test]
    fn nor_after_a_takeover(steps in vec(step(), 1..120)) {
        let mut subject = Subject::new(Some(&left_by_another()));
        subject.take(Step::Up);
        subject.take_all(steps)?;
    }
}

/// What a process has left: a session, and two members.
fn left_by_another() -> View {
    let mut view = View {
        account: "ann".parse().ok(),
        ..View::default()
    };
    let person = |address: &str| Person::listed(address.parse().unwrap(), None);
    let chat = &mut view.conversations[0];
    chat.members.push(person("10.0.0.2"));
    chat.out_of_reach.push(person("10.0.0.3"));
    view
}
