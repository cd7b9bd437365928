//! Whatever other peers do, and for however long, a machine stays within its limits.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_model::{
    Call, Command, ConversationId, FrontEndId, LeaveReason, OnlineUser, PeerAddr, Target, Timestamp,
};
use p2pchat_peer::machine::{
    Acknowledgement, Asked, Config, ConnId, Input, Machine, Now, Output, SendId,
};
use p2pchat_protocol::{ChatAnswer, ChatList, Contact, Kind, Message, Response};

const OPEN: ConversationId = ConversationId::OPEN;

/// A machine whose user is logged in, and the world around it.
struct Bench {
    machine: Machine,
    now: Duration,
    conns: u64,
    /// The most that it held of each.
    most: BTreeMap<&'static str, usize>,
    /// The peers that take nothing and give no result.
    silent: Vec<PeerAddr>,
    /// Whether others take texts.
    takes_texts: bool,
    /// Whether the registry answers.
    answers: bool,
}

fn address(number: u32) -> PeerAddr {
    PeerAddr::new((0x0a00_0000 + number).into()).unwrap()
}

impl Bench {
    fn new() -> Self {
        let now = Duration::from_secs(1000);
        let config = Config {
            address: address(1),
            registry: "registry".to_owned(),
            message_port: 1010,
            request_limit: Duration::from_secs(60),
            seed: 1,
            keys: None,
        };
        let mut bench = Self {
            machine: Machine::new(config, time(now)),
            now,
            conns: 0,
            most: BTreeMap::new(),
            silent: Vec::new(),
            takes_texts: true,
            answers: true,
        };
        bench.feed(Input::RegistryUp);
        bench.feed(Input::Command(login().into()));
        bench
    }

    /// Feeds the machine, and does what it wants done.
    fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.machine.handle(time(self.now), input);
            while let Some(output) = self.machine.output() {
                inputs.extend(self.act(output));
            }
        }
        self.look();
    }

    fn look(&mut self) {
        for holding in self.machine.usage() {
            let (what, count, limit) = (holding.what, holding.count, holding.limit);
            assert!(count <= limit, "{count} {what}, {limit} are allowed");
            let most = self.most.entry(what).or_default();
            *most = count.max(*most);
        }
    }

    fn act(&self, output: Output) -> Option<Input> {
        let taken = |to: &PeerAddr| !self.silent.contains(to);
        match output {
            Output::Ask(request) if self.answers => Some(Input::Response(match request.kind() {
                Kind::Register => Response::Registered,
                Kind::Login => Response::LoggedIn,
                Kind::Search => Response::NotFound,
                Kind::Logout => Response::LoggedOut,
                Kind::AllOnline => Response::Online(vec![own()]),
            })),
            Output::Request { id, to, .. } if taken(&to) => Some(Input::RequestDone {
                id,
                result: Ok(ChatAnswer::Accepted),
            }),
            Output::Notify { id, to, .. } if taken(&to) => Some(notified(id)),
            Output::Text { id, to, .. } if taken(&to) => Some(Input::TextDone {
                id,
                result: if self.takes_texts {
                    Ok(Acknowledgement::Confirmed)
                } else {
                    Err(LeaveReason::Unreachable)
                },
            }),
            _ => None,
        }
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            self.feed(Input::Timer);
        }
    }

    fn contact(&mut self, from: PeerAddr, contact: Contact) {
        self.conns += 1;
        let conn = ConnId(self.conns);
        self.feed(Input::Contact {
            conn,
            from,
            contact,
        });
    }

    fn say(&mut self, text: &str) {
        let text = text.to_owned();
        self.feed(Input::Command(
            Command::Say {
                conversation: OPEN,
                text,
                reply_to: None,
            }
            .into(),
        ));
    }

    fn ask(&mut self, to: PeerAddr) {
        let to = Target::Address(to);
        self.feed(Input::Command(
            Command::Request {
                conversation: OPEN,
                to,
            }
            .into(),
        ));
    }

    /// More than a few were held of it, so that its limit was tried.
    fn assert_tried(&self, what: &str, least: usize) {
        assert!(self.most[what] >= least, "{:?}", self.most);
    }
}

fn time(elapsed: Duration) -> Now {
    Now {
        elapsed,
        wall: Timestamp(1_790_000_000_000),
    }
}

fn own() -> OnlineUser {
    OnlineUser {
        name: "ann".parse().unwrap(),
        address: address(1),
    }
}

fn login() -> Command {
    Command::login("ann".parse().unwrap(), "secret".parse().unwrap())
}

fn notified(id: SendId) -> Input {
    Input::NotifyDone {
        id,
        result: Ok(Acknowledgement::Confirmed),
    }
}

/// A member tells of two dozen newcomers a second, each present until a text is sent to it;
/// and another member never confirms that it was told of them.
#[test]
fn a_member_who_brings_people_without_end_fills_no_memory() {
    const AT_ONCE: u32 = 24;
    const FIRST: u32 = 1000;
    let mut bench = Bench::new();
    let (hostile, honest) = (address(2), address(3));
    bench.ask(hostile);
    bench.ask(honest);
    bench.silent.push(honest);
    for round in 0..120 {
        let next = FIRST + round * AT_ONCE;
        // They know each other already: only the honest one is to be told.
        let members: ChatList = (next - 3 * AT_ONCE..next + AT_ONCE).map(address).collect();
        let newcomer = address(next);
        bench.contact(hostile, Contact::Notify { newcomer, members });
        if round % 3 == 2 {
            bench.takes_texts = false;
            bench.say("who is there?");
            bench.takes_texts = true;
            bench.ask(hostile);
        }
        bench.pass(1);
    }
    bench.assert_tried("members", 3 * AT_ONCE as usize);
    bench.assert_tried("lost members", 1024);
    let untold = "addresses that a member is to be told of";
    bench.assert_tried(untold, 1024);
}

#[test]
fn a_member_who_does_not_take_texts_is_lost_before_they_fill_memory() {
    let mut bench = Bench::new();
    bench.ask(address(2));
    bench.silent.push(address(2));
    for _ in 0..3000 {
        bench.say("hello");
    }
    bench.assert_tried("packets for a member", 1000);
}

#[test]
fn strangers_without_end_fill_no_memory() {
    let mut bench = Bench::new();
    bench.ask(address(2));
    for number in 0..5000 {
        let from = address(100_000 + number);
        let members: ChatList = [from].into_iter().collect();
        let newcomer = from;
        bench.contact(from, Contact::Notify { newcomer, members });
        bench.conns += 1;
        let message = Message::new("mallory".parse().unwrap(), "hi".parse().unwrap());
        bench.feed(Input::Text {
            conn: ConnId(bench.conns),
            from,
            message,
        });
    }
    bench.pass(10);
    bench.assert_tried("packets of those who may become members", 64);
    bench.assert_tried("counts of what was dropped", 64);
}

#[test]
fn a_registry_that_does_not_answer_fills_no_memory() {
    let mut bench = Bench::new();
    bench.answers = false;
    for _ in 0..500 {
        bench.feed(Input::Command(Command::Logout.into()));
        bench.feed(Input::Command(login().into()));
        bench.feed(Input::Command(Command::Refresh.into()));
    }
    bench.assert_tried("questions to the registry", 60);
}

#[test]
fn calls_are_remembered_up_to_a_limit() {
    let mut bench = Bench::new();
    for id in 0..4200 {
        let front_end = FrontEndId::new(&format!("front-end-{}", id % 100)).unwrap();
        let who = Target::Address(address(id % 900));
        let call = Call::with_id(u64::from(id), Command::Block { who });
        bench.feed(Input::Command(Asked::by(front_end, call)));
    }
    bench.assert_tried("calls of front ends", 4096);
}

#[test]
fn requests_to_others_are_bounded() {
    let mut bench = Bench::new();
    bench.silent = (2..200).map(address).collect();
    for number in 2..200 {
        bench.ask(address(number));
    }
    bench.assert_tried("chat requests to others", 64);
}
