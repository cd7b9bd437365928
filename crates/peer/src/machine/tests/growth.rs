//! What things cost a member of a large group: how often members are looked at, which is
//! the same each time, as a time would not be.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

use p2pchat_model::{Command, PeerAddr, Timestamp};
use p2pchat_protocol::{ChatAnswer, ChatText, Contact, Message, Response};

use super::super::{Acknowledgement, Config, ConnId, Input, Machine, Now, Output, SendId};
use super::net::password;

/// Group sizes, each ten times the one before.
const SIZES: [u32; 3] = [10, 100, 1000];
/// How often each member may be looked at for one thing that happens in the group. (The list
/// in a notify is not counted: the protocol wants all members on it.)
const MOST_VISITS: usize = 16;

fn address(number: u32) -> PeerAddr {
    PeerAddr::new(Ipv4Addr::from(0x0a01_0000 + number)).unwrap()
}

/// A machine whose packets all are taken.
struct Peer {
    machine: Machine,
    sent: VecDeque<(SendId, bool)>,
}

impl Peer {
    /// In a chat with so many.
    fn with_members(count: u32) -> Self {
        let config = Config {
            address: address(0),
            registry: "registry".to_owned(),
            message_port: 1010,
            request_limit: Duration::from_secs(60),
            seed: 1,
        };
        let mut peer = Self {
            machine: Machine::new(config, now()),
            sent: VecDeque::new(),
        };
        peer.input(Input::RegistryUp);
        let name = "ann".parse().unwrap();
        let password = password();
        peer.input(Input::Command(Command::Login { name, password }));
        peer.input(Input::Response(Response::LoggedIn));
        peer.input(Input::Contact {
            conn: ConnId(0),
            from: address(1),
            contact: Contact::Request {
                from: "bob".parse().unwrap(),
                members: (2..=count).map(address).collect(),
            },
        });
        let from = address(1);
        peer.input(Input::Command(Command::Accept { from }));
        assert_eq!(peer.machine.group.counts().0, count as usize);
        peer
    }

    /// An input, and the results of all that is sent.
    fn input(&mut self, input: Input) {
        self.machine.handle(now(), input);
        loop {
            while let Some(output) = self.machine.output() {
                match output {
                    Output::Text { id, .. } => self.sent.push_back((id, true)),
                    Output::Notify { id, .. } => self.sent.push_back((id, false)),
                    _ => {}
                }
            }
            let _ = self.machine.deadline();
            let Some((id, is_text)) = self.sent.pop_front() else {
                return;
            };
            let result = Ok(Acknowledgement::Confirmed);
            let done = match is_text {
                true => Input::TextDone { id, result },
                false => Input::NotifyDone { id, result },
            };
            self.machine.handle(now(), done);
        }
    }

    /// How often members are looked at while this happens.
    fn visits(&mut self, what: impl FnOnce(&mut Self)) -> usize {
        let before = self.machine.group.visits();
        what(self);
        self.machine.group.visits() - before
    }
}

fn now() -> Now {
    Now {
        elapsed: Duration::from_secs(1),
        wall: Timestamp(1_700_000_000_000),
    }
}

fn assert_grows_with_the_group(what: fn(&mut Peer)) {
    for count in SIZES {
        let mut peer = Peer::with_members(count);
        let visits = peer.visits(what);
        let most = MOST_VISITS * count as usize;
        assert!(visits > 0, "it is counted");
        assert!(visits <= most, "{visits} visits for {count} members");
    }
}

#[test]
fn who_brings_somebody_in_looks_at_each_member_a_few_times() {
    assert_grows_with_the_group(|peer| {
        let to = p2pchat_model::Target::Address(address(5000));
        peer.machine
            .handle(now(), Input::Command(Command::Request { to }));
        let sent = std::iter::from_fn(|| peer.machine.output());
        let ids = sent.filter_map(|output| match output {
            Output::Request { id, .. } => Some(id),
            _ => None,
        });
        let id = ids.last().unwrap();
        let result = Ok(ChatAnswer::Accepted);
        peer.input(Input::RequestDone { id, result });
    });
}

#[test]
fn who_is_told_of_a_newcomer_looks_at_each_member_a_few_times() {
    assert_grows_with_the_group(|peer| {
        let count = u32::try_from(peer.machine.group.counts().0).unwrap();
        peer.input(Input::Contact {
            conn: ConnId(1),
            from: address(1),
            contact: Contact::Notify {
                newcomer: address(5000),
                members: (0..=count).filter(|n| *n != 1).map(address).collect(),
            },
        });
        assert!(peer.machine.group.is_present(address(5000)));
    });
}

#[test]
fn a_text_looks_at_each_member_a_few_times() {
    assert_grows_with_the_group(|peer| {
        let text = "Shall we meet at noon?".to_owned();
        peer.input(Input::Command(Command::Say { text }));
    });
}

#[test]
fn what_a_member_says_looks_at_none_but_him() {
    for count in SIZES {
        let mut peer = Peer::with_members(count);
        let visits = peer.visits(|peer| {
            let text = ChatText::new("Shall we meet at noon?").unwrap();
            peer.input(Input::Text {
                conn: ConnId(1),
                from: address(1),
                message: Message::new("bob".parse().unwrap(), text),
            });
        });
        assert!(visits <= MOST_VISITS, "{visits} visits for {count} members");
    }
}
