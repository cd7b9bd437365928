//! Those who play by other rules: at addresses of their own, with a system of their own,
//! and sometimes asked in by people who do not know better.

use std::time::Duration;

use p2pchat_model::{DropKind, DropReason, PeerAddr, Username};
use p2pchat_peer::machine::Input;
use p2pchat_protocol::{ChatAnswer, ChatList, ChatText, Contact, Message};

use super::mix::Outsiders;
use super::network::{CallStage, Caller, Packet, Reply};
use super::schedule::SimEvent;
use super::troubles::Trouble;
use super::world::World;

impl World {
    /// How many of them there are.
    pub(crate) const OUTSIDERS: u8 = 3;
    /// How many packets one of them sends at once, at most.
    const FLOOD: u64 = 60;
    /// How many addresses they name of which nobody answers.
    const DEAD: u64 = 60;
    /// How many addresses a list of theirs has at most.
    const LONG_LIST: usize = 40;

    pub(crate) fn plan_outsiders(&mut self) {
        if self.mix.outsiders.is_some() {
            self.schedule
                .after(Duration::from_secs(5), SimEvent::Outsider);
        }
    }

    /// Whether people let those in who play by other rules.
    pub(crate) fn outsiders_are_let_in(&self) -> bool {
        self.mix.outsiders == Some(Outsiders::LetIn)
    }

    /// One of them does something at random.
    pub(crate) fn outsider_acts(&mut self) {
        if self.is_quiet() {
            return;
        }
        let delay = self.rng.secs(1, 10);
        self.schedule.after(delay, SimEvent::Outsider);
        let from = self.any_outsider();
        let seat = self.rng.below(self.peers.len());
        let count = if self.rng.hits(0.05) {
            self.rng.number(10, Self::FLOOD)
        } else {
            self.rng.number(1, 3)
        };
        self.note_hostility(from, seat, count);
        if self.rng.hits(0.2) {
            return self.send_rubbish(from, seat, count);
        }
        for _ in 0..count {
            let packet = self.hostile_packet(seat);
            self.call(Caller::Nobody(from), self.seats[seat], packet);
        }
    }

    /// What is no packet does not get as far as to a machine, which learns how often.
    fn send_rubbish(&mut self, from: PeerAddr, seat: usize, count: u64) {
        let process = self.peers[seat].process();
        if self.is_running(process) && self.wakes_in(process).is_none() {
            let input = Input::Dropped {
                from: self.rng.hits(0.8).then_some(from),
                tried: [DropKind::Text, DropKind::Request, DropKind::Connection][self.rng.below(3)],
                why: [
                    DropReason::Malformed,
                    DropReason::Silent,
                    DropReason::TooMuch,
                ][self.rng.below(3)],
                count,
            };
            self.feed(process, input);
        }
    }

    fn note_hostility(&mut self, from: PeerAddr, seat: usize, count: u64) {
        let running = self.peers[seat].running();
        let is_member = running.is_some_and(|running| running.book.members.contains(&from));
        self.troubles.note(if is_member {
            Trouble::HostileMember
        } else {
            Trouble::HostileStranger
        });
        if count >= 10 {
            self.troubles.note(Trouble::Flood);
        }
    }

    fn hostile_packet(&mut self, seat: usize) -> Packet {
        match self.rng.below(3) {
            0 => {
                let words = self.rng.number(1, 12) as usize;
                let text = self.ledger.compose_hostile(words);
                let text = ChatText::new(&text).expect("it fits");
                Packet::Text(Message::new(self.hostile_name(), text), Duration::ZERO)
            }
            1 => {
                let newcomer = self.any_address(seat);
                let members = self.any_list(seat);
                Packet::Notify(Contact::Notify { newcomer, members }, Duration::ZERO)
            }
            _ => Packet::Request(
                Contact::Request {
                    from: self.hostile_name(),
                    members: self.any_list(seat),
                },
                self.mix.request_limit,
            ),
        }
    }

    /// A peer calls one of them.
    pub(crate) fn outsider_is_called(&mut self, call: usize) {
        let reply = match self.packet_of(call) {
            Packet::Request(..) => match self.rng.below(3) {
                0 => None,
                1 => Some(Reply::Answer(ChatAnswer::Rejected)),
                _ => Some(Reply::Answer(ChatAnswer::Accepted)),
            },
            _ => match self.rng.below(6) {
                0 => None,
                1 => Some(Reply::Refused),
                2 => Some(Reply::Broken),
                _ => Some(Reply::Received),
            },
        };
        self.call_expires(call);
        if let Some(reply) = reply {
            let delay = self.delay();
            self.call_after(delay, call, CallStage::Return(reply));
        }
    }

    pub(crate) fn any_outsider(&mut self) -> PeerAddr {
        let which = self.rng.below(self.outsiders.len());
        self.outsiders[which]
    }

    fn hostile_name(&mut self) -> Username {
        match self.rng.below(4) {
            0 => self.peers[self.rng.below(self.peers.len())].name,
            // It fills its field, and turns what follows it around.
            1 => "\u{202e}evil\u{200b}".parse().expect("it is a name"),
            _ => "mallory".parse().expect("it is a name"),
        }
    }

    /// The receiver's own address, another peer's, or one where no peer is.
    fn any_address(&mut self, receiver: usize) -> PeerAddr {
        match self.rng.below(8) {
            0 => self.seats[receiver],
            1 | 2 => self.any_outsider(),
            3 | 4 => {
                let last = self.rng.number(1, Self::DEAD);
                format!("10.0.2.{last}").parse().expect("it is an address")
            }
            _ => self.seats[self.rng.below(self.seats.len())],
        }
    }

    fn any_list(&mut self, receiver: usize) -> ChatList {
        let count = if self.rng.hits(0.05) {
            self.rng.below(Self::LONG_LIST)
        } else {
            self.rng.below(4)
        };
        (0..count).map(|_| self.any_address(receiver)).collect()
    }
}
