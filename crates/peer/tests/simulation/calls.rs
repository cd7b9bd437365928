//! How the connections between peers go on, from the attempt to the outcome.

use std::time::Duration;

use p2pchat_peer::machine::{ConnId, Input, SendId};

use super::mix::Mix;
use super::network::{CallStage, Caller, Packet, Reply};
use super::sabotage::Sabotage;
use super::schedule::Process;
use super::troubles::Trouble;
use super::world::World;

impl World {
    /// How long a connection may take to be made.
    const CALL_CONNECT: Duration = Duration::from_secs(15);

    /// A machine answered the packet that came on this connection.
    pub(crate) fn call_answered(&mut self, conn: ConnId, reply: Reply) {
        let call = usize::try_from(conn.0).unwrap();
        self.network.calls[call].taker_waits = false;
        let delay = self.delay();
        if !self.rng.hits(self.weather.loss) {
            self.call_after(delay, call, CallStage::Return(reply));
        } else if self.rng.hits(0.5) {
            self.call_after(delay, call, CallStage::Return(Reply::Broken));
        } else {
            self.troubles.note(Trouble::HalfOpen);
        }
    }

    /// A process is gone: its system resets what it had open, unless it is gone too.
    pub(crate) fn calls_of_the_dead(&mut self, dead: Process, silently: bool) {
        for call in 0..self.network.calls.len() {
            let delay = self.delay();
            let here = &mut self.network.calls[call];
            if matches!(here.caller, Caller::Machine(process, _) if process == dead) {
                here.caller_waits = false;
                if here.taker_waits && silently {
                    self.troubles.note(Trouble::HalfOpen);
                } else if here.taker_waits {
                    self.call_after(delay, call, CallStage::Lost);
                }
            } else if here.taker == Some(dead) && std::mem::take(&mut here.taker_waits) {
                self.text_may_come_again(call);
                if silently {
                    self.troubles.note(Trouble::HalfOpen);
                } else {
                    self.call_after(delay, call, CallStage::Return(Reply::Refused));
                }
            }
        }
    }

    /// The receiver of a text died before it could confirm that it had taken it.
    fn text_may_come_again(&mut self, call: usize) {
        let here = &self.network.calls[call];
        if let (Packet::Text(message, _), Some(seat)) = (&here.packet, self.seat_of(here.to)) {
            self.ledger.repeats_if_shown(seat, message.text.as_str());
        }
    }

    pub(crate) fn call_connects(&mut self, call: usize) {
        let (to, delay) = (self.network.calls[call].to, self.delay());
        if self.call_is_over(call) {
            return;
        }
        if self.outsiders.contains(&to) && !self.is_quiet() {
            return self.outsider_is_called(call);
        }
        let nobody = CallStage::Return(Reply::Unreachable);
        let Some(seat) = self.seat_of(to) else {
            return self.call_after(Self::CALL_CONNECT, call, nobody);
        };
        let unheard =
            self.call_is_cut(call) || self.peers[seat].is_dark() || self.host_sleeps(seat);
        let quickly = self.rng.hits(0.5) && !unheard;
        if unheard || !self.peers[seat].is_up() || self.rng.hits(self.weather.loss) {
            let delay = if quickly { delay } else { Self::CALL_CONNECT };
            return self.call_after(delay, call, nobody);
        }
        self.network.calls[call].taker = Some(self.peers[seat].process());
        self.call_opens(call, delay);
    }

    fn call_opens(&mut self, call: usize, delay: Duration) {
        self.call_expires(call);
        if self.rng.hits(self.weather.loss) {
            let lie = self.mix.sabotage == Some(Sabotage::FalseConfirm);
            let reply = if lie { Reply::Received } else { Reply::Broken };
            return self.call_after(delay, call, CallStage::Return(reply));
        }
        let late = self.rng.hits(self.weather.held_up);
        let delay = if late {
            delay + self.rng.between(Duration::ZERO, Mix::HELD_UP)
        } else {
            delay
        };
        if late {
            self.troubles.note(Trouble::LatePacket);
        }
        self.call_after(delay, call, CallStage::Arrive);
    }

    pub(crate) fn call_arrives(&mut self, call: usize) {
        let delay = self.delay();
        let here = &self.network.calls[call];
        let taker = here.taker.expect("what arrives was connected");
        // What the caller has given up may arrive all the same: its system had it already.
        let given_up = self.call_is_over(call);
        if self.call_is_cut(call) || given_up && self.rng.hits(0.5) {
            return;
        }
        if !self.is_running(taker) {
            return self.call_after(delay, call, CallStage::Return(Reply::Refused));
        }
        self.packet_arrives(call, taker, given_up);
    }

    /// Whether the caller has the outcome, or is no more.
    fn call_is_over(&self, call: usize) -> bool {
        let here = &self.network.calls[call];
        matches!(here.caller, Caller::Machine(..)) && !here.caller_waits
    }

    fn packet_arrives(&mut self, call: usize, taker: Process, given_up: bool) {
        let conn = ConnId(call as u64);
        let here = &mut self.network.calls[call];
        let (from, to, packet) = (here.from, here.to, here.packet.clone());
        here.taker_waits = !matches!(packet, Packet::Notify(..));
        let latest = self.network.arrived.entry((from, to)).or_default();
        if call < *latest {
            self.troubles.note(Trouble::Overtaken);
        }
        *latest = call.max(*latest);
        match packet {
            Packet::Notify(..) => self.call_answered(conn, Reply::Received),
            Packet::Request(_, limit) if self.rng.hits(self.weather.loss) => {
                let delay = self.rng.between(Duration::ZERO, limit);
                self.call_after(delay, call, CallStage::Return(Reply::Broken));
            }
            _ => {}
        }
        self.packet_is_copied(call);
        if given_up && self.network.calls[call].taker_waits {
            // Its end is right behind it.
            let delay = self.delay();
            self.call_after(delay, call, CallStage::Lost);
        }
        self.feed(taker, packet.input(conn, from));
    }

    /// A packet may come a second time, as from a system that repeats itself or an
    /// attacker who replays it.
    fn packet_is_copied(&mut self, call: usize) {
        let here = &self.network.calls[call];
        let (from, to, packet) = (here.from, here.to, here.packet.clone());
        let secretly =
            self.mix.sabotage == Some(Sabotage::TextTwice) && matches!(packet, Packet::Text(..));
        let original = matches!(here.caller, Caller::Machine(..));
        if !original || !secretly && !self.rng.hits(self.weather.copies) {
            return;
        }
        match (&packet, self.seat_of(to)) {
            (Packet::Text(message, _), Some(seat)) if !secretly => {
                self.troubles.note(Trouble::TextCopied);
                self.ledger.repeats(seat, message.text.as_str());
            }
            _ => self.troubles.note(Trouble::ContactCopied),
        }
        let delay = self.rng.between(Duration::ZERO, Mix::COPIED);
        self.call_later(delay, Caller::Nobody(from), to, packet);
    }

    /// Tells the caller, if it still waits, and the receiver, if it does.
    pub(crate) fn call_returns(&mut self, call: usize, reply: Reply) {
        let here = &mut self.network.calls[call];
        if !std::mem::take(&mut here.caller_waits) {
            return;
        }
        let Caller::Machine(process, id) = here.caller else {
            return;
        };
        let input = here.packet.outcome(id, reply);
        if here.taker_waits {
            let delay = self.delay();
            self.call_after(delay, call, CallStage::Lost);
        }
        if self.is_running(process) {
            self.feed(process, input);
        }
    }

    /// The sender of a chat request withdraws it: its system resets the connection.
    pub(crate) fn call_is_withdrawn(&mut self, process: Process, id: SendId) {
        let is_it = |caller: Caller| matches!(caller, Caller::Machine(by, known) if (by, known) == (process, id));
        let call = self
            .network
            .calls
            .iter()
            .rposition(|call| is_it(call.caller));
        let call = call.expect("what is withdrawn was sent");
        let here = &mut self.network.calls[call];
        here.caller_waits = false;
        if here.taker_waits {
            let delay = self.delay();
            self.call_after(delay, call, CallStage::Lost);
        }
    }

    /// The sender of a text does not wait for it any longer, and may send the next.
    pub(crate) fn call_is_given_up(&mut self, call: usize) {
        let here = &self.network.calls[call];
        if let Packet::Text(message, _) = &here.packet
            && let Some(seat) = self.seat_of(here.to)
            && here.caller_waits
        {
            self.ledger.give_up(seat, message.text.as_str());
        }
    }

    pub(crate) fn call_is_lost(&mut self, call: usize) {
        let here = &mut self.network.calls[call];
        if !std::mem::take(&mut here.taker_waits) {
            return;
        }
        let taker = here.taker.expect("who waits was connected");
        if matches!(here.packet, Packet::Request(..)) && self.is_running(taker) {
            let conn = ConnId(call as u64);
            self.feed(taker, Input::ContactLost { conn });
        }
    }
}
