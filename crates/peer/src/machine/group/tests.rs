//! What a tick costs in a large group: a look at the members that something happened to, and
//! at no others.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use p2pchat_model::{JoinedBy, PeerAddr, Timestamp, Username};
use p2pchat_protocol::{ChatList, ChatText, Message};

use super::super::blocks::Blocks;
use super::super::context::Context;
use super::super::directory::Directory;
use super::super::io::{Acknowledgement, Config, ConnId, Now, Output, SendId};
use super::super::people::People;
use super::{Group, Notify};

const MEMBERS: u32 = 1000;
const OWN: u32 = 0;
const NEWCOMER: u32 = 5000;

fn address(number: u32) -> PeerAddr {
    PeerAddr::new(Ipv4Addr::from(0x0a01_0000 + number)).unwrap()
}

fn addresses(numbers: impl IntoIterator<Item = u32>) -> BTreeSet<PeerAddr> {
    numbers.into_iter().map(address).collect()
}

fn name(name: &str) -> Username {
    name.parse().unwrap()
}

/// A packet that was sent: its id, its receiver, and whether it is a text.
type Sent = (SendId, PeerAddr, bool);

/// A user in a chat.
struct Chat {
    cx: Context,
    group: Group,
    directory: Directory,
    blocks: Blocks,
}

impl Chat {
    /// In a chat with this many members, who all know each other.
    fn with_members(count: u32) -> Self {
        let config = Config {
            address: address(OWN),
            registry: "registry".to_owned(),
            message_port: 1010,
            request_limit: Duration::from_secs(60),
            seed: 1,
            keys: None,
        };
        let now = Now {
            elapsed: Duration::from_secs(1),
            wall: Timestamp(1_700_000_000_000),
        };
        let mut chat = Self {
            cx: Context::new(config, now),
            group: Group::default(),
            directory: Directory::default(),
            blocks: Blocks::default(),
        };
        let others: ChatList = (2..=count).map(address).collect();
        chat.with(|group, cx, people| {
            group.accepted(cx, people, address(1), &others, JoinedBy::AcceptedByUs);
        });
        assert_eq!(chat.group.roster.present().len(), count as usize);
        assert_eq!(chat.due().len(), count as usize);
        assert!(
            chat.send_due(chat.group.roster.present().clone())
                .is_empty()
        );
        chat
    }

    fn with<T>(&mut self, what: impl FnOnce(&mut Group, &mut Context, People<'_>) -> T) -> T {
        let people = People::new(Some(name("ann")), &self.directory, &self.blocks);
        what(&mut self.group, &mut self.cx, people)
    }

    /// The members that the next tick looks at.
    fn due(&mut self) -> BTreeSet<PeerAddr> {
        self.group.roster.take_due(self.cx.now.elapsed)
    }

    /// The rest of that tick: what is sent.
    fn send_due(&mut self, due: BTreeSet<PeerAddr>) -> Vec<Sent> {
        self.group.send_due(&mut self.cx, due);
        std::iter::from_fn(|| self.cx.next_output())
            .filter_map(|output| match output {
                Output::Text { id, to, .. } => Some((id, to, true)),
                Output::Notify { id, to, .. } => Some((id, to, false)),
                _ => None,
            })
            .collect()
    }

    /// Each of these is taken, and the tick after each looks at its receiver alone.
    fn assert_results_look_at_the_receiver(&mut self, sent: Vec<Sent>) {
        for (id, to, is_text) in sent {
            let result = Ok(Acknowledgement::Confirmed);
            self.with(|group, cx, people| {
                if is_text {
                    group.text_done(cx, people, id, result);
                } else {
                    group.notify_done(cx, people, id, result);
                }
            });
            let due = self.due();
            assert_eq!(due, BTreeSet::from([to]));
            assert!(self.send_due(due).is_empty());
        }
    }
}

#[test]
fn bringing_a_member_in_looks_at_each_member_once_per_notify() {
    let mut chat = Chat::with_members(MEMBERS);
    let known = chat.group.list_without(address(NEWCOMER));
    chat.with(|group, cx, people| group.accepted_by(cx, people, address(NEWCOMER), &known));
    let due = chat.due();
    assert_eq!(due, addresses((1..=MEMBERS).chain([NEWCOMER])));
    let sent = chat.send_due(due);
    assert_eq!(sent.len(), MEMBERS as usize);
    chat.assert_results_look_at_the_receiver(sent);
}

#[test]
fn being_told_of_a_newcomer_looks_at_each_member_once() {
    let mut chat = Chat::with_members(MEMBERS);
    let notify = Notify {
        newcomer: address(NEWCOMER),
        members: (0..=MEMBERS).filter(|n| *n != 1).map(address).collect(),
    };
    let packet =
        chat.with(|group, cx, people| group.notify_received(cx, people, address(1), notify));
    assert!(packet.is_none() && chat.group.is_present(address(NEWCOMER)));
    let due = chat.due();
    assert_eq!(due.len(), MEMBERS as usize + 1);
    assert!(chat.send_due(due).is_empty(), "its sender tells the others");
    assert!(chat.due().is_empty());
}

#[test]
fn a_text_looks_at_each_member_once_per_packet() {
    let mut chat = Chat::with_members(MEMBERS);
    let text = "Shall we meet at noon?".to_owned();
    chat.with(|group, cx, people| group.say(cx, people, text).unwrap());
    let due = chat.due();
    let sent = chat.send_due(due);
    assert_eq!(sent.len(), MEMBERS as usize);
    chat.assert_results_look_at_the_receiver(sent);
    assert!(chat.due().is_empty());
}

#[test]
fn a_text_of_a_member_looks_at_no_other_member() {
    let mut chat = Chat::with_members(MEMBERS);
    let text = ChatText::new("Shall we meet at noon?").unwrap();
    let message = Message::new(name("bob"), text);
    let from = address(1);
    chat.with(|group, cx, people| group.text_received(cx, people, ConnId(1), from, &message));
    assert_eq!(chat.due(), BTreeSet::from([from]));
}

#[test]
fn a_member_with_a_time_is_looked_at_when_it_has_come() {
    let mut chat = Chat::with_members(10);
    let at = chat.cx.now.elapsed + Duration::from_secs(5);
    chat.group.roster.schedule(address(3), Some(at));
    assert_eq!(chat.group.roster.next_due(), Some(at));
    assert!(chat.due().is_empty());
    chat.cx.now.elapsed = at;
    assert_eq!(chat.due(), BTreeSet::from([address(3)]));
}
