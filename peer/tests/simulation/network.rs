//! The connections between peers, each with one packet and at most one answer.
//!
//! A connection is made, the packet arrives, the answer comes back; each takes time, and
//! each may fail. What the two ends then believe is what real ends would believe: a
//! sender who hears nothing does not know whether the packet arrived.

use std::collections::BTreeSet;
use std::time::Duration;

use p2pchat_model::{Gone, Unanswered};
use p2pchat_peer::machine::{ConnId, Input, SendId, Taken};
use p2pchat_protocol::{ChatAnswer, Contact, Message, PeerAddr};

use super::sabotage::Sabotage;
use super::schedule::{Happening, Process};
use super::world::World;

/// What a connection carries.
#[derive(Debug, Clone)]
pub(crate) enum Packet {
    Request(Contact, Duration),
    Notify(Contact),
    Text(Message, Duration),
}

/// Who made a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caller {
    /// A machine, which wants to know how it went.
    Machine(Process, SendId),
    /// Somebody who plays by other rules, at this address.
    Outsider(PeerAddr),
}

/// One connection between two addresses.
#[derive(Debug)]
pub(crate) struct Call {
    caller: Caller,
    to: PeerAddr,
    packet: Packet,
    /// Who took the connection.
    taker: Option<Process>,
    /// Whether the caller waits for the outcome.
    caller_waits: bool,
    /// Whether the packet has arrived and waits to be answered.
    taker_waits: bool,
}

/// How a connection goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CallStage {
    /// The attempt arrives.
    Connect,
    /// The packet arrives.
    Arrive,
    /// The caller learns the outcome.
    Return(Reply),
    /// The caller has waited as long as he wanted to.
    Expire,
    /// The receiver learns that the connection is no more.
    Lost,
}

/// What a caller learns.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reply {
    Answer(ChatAnswer),
    Received,
    /// The other program closed the connection without taking the packet.
    Refused,
    /// The connection could not be made.
    Unreachable,
    /// The connection was made and broke.
    Broken,
    /// Nothing was heard in time.
    Silence,
}

/// All connections that there ever were, and what stands between hosts.
#[derive(Default)]
pub(crate) struct Network {
    pub(crate) calls: Vec<Call>,
    /// Pairs of seats that do not hear each other, the lower one first.
    pub(crate) cuts: BTreeSet<(usize, usize)>,
    /// Seats that the registry does not hear.
    pub(crate) cut_off: BTreeSet<usize>,
}

impl World {
    /// How long a connection may take to be made.
    const CALL_CONNECT: Duration = Duration::from_secs(5);
    /// How long a notify may take.
    const NOTIFY: Duration = Duration::from_secs(10);

    pub(crate) fn call(&mut self, caller: Caller, to: PeerAddr, packet: Packet) {
        let call = self.network.calls.len();
        self.network.calls.push(Call {
            caller,
            to,
            packet,
            taker: None,
            caller_waits: matches!(caller, Caller::Machine(..)),
            taker_waits: false,
        });
        let delay = self.delay();
        self.call_after(delay, call, CallStage::Connect);
    }

    pub(crate) fn call_goes_on(&mut self, call: usize, stage: CallStage) {
        match stage {
            CallStage::Connect => self.call_connects(call),
            CallStage::Arrive => self.call_arrives(call),
            CallStage::Return(reply) => {
                let lost =
                    matches!(reply, Reply::Answer(_) | Reply::Received) && self.call_is_cut(call);
                if !lost {
                    self.call_returns(call, reply);
                }
            }
            CallStage::Expire => {
                self.call_is_given_up(call);
                self.call_returns(call, Reply::Silence);
            }
            CallStage::Lost => self.call_is_lost(call),
        }
    }

    /// A machine answered the packet that came on this connection.
    pub(crate) fn call_answered(&mut self, conn: ConnId, reply: Reply) {
        let call = usize::try_from(conn.0).unwrap();
        self.network.calls[call].taker_waits = false;
        let delay = self.delay();
        if !self.chance.hits(self.weather.loss) {
            self.call_after(delay, call, CallStage::Return(reply));
        } else if self.chance.hits(0.5) {
            self.call_after(delay, call, CallStage::Return(Reply::Broken));
        }
    }

    /// A process is gone: its system closes what it had open, if it still can.
    pub(crate) fn calls_of_the_dead(&mut self, dead: Process) {
        for call in 0..self.network.calls.len() {
            let delay = self.delay();
            let here = &mut self.network.calls[call];
            if matches!(here.caller, Caller::Machine(process, _) if process == dead) {
                here.caller_waits = false;
                if here.taker_waits {
                    self.call_after(delay, call, CallStage::Lost);
                }
            } else if here.taker == Some(dead) && std::mem::take(&mut here.taker_waits) {
                self.call_after(delay, call, CallStage::Return(Reply::Broken));
            }
        }
    }

    fn call_connects(&mut self, call: usize) {
        let (to, delay) = (self.network.calls[call].to, self.delay());
        if to == self.outsider && !self.is_quiet() {
            return self.outsider_is_called(call);
        }
        let Some(seat) = self.seat_of(to) else {
            return self.call_after(
                Self::CALL_CONNECT,
                call,
                CallStage::Return(Reply::Unreachable),
            );
        };
        let quickly = self.chance.hits(0.5) && !self.call_is_cut(call);
        if self.call_is_cut(call)
            || !self.peers[seat].is_up()
            || self.chance.hits(self.weather.loss)
        {
            let delay = if quickly { delay } else { Self::CALL_CONNECT };
            return self.call_after(delay, call, CallStage::Return(Reply::Unreachable));
        }
        self.network.calls[call].taker = Some(self.peers[seat].process());
        self.call_opens(call, delay);
    }

    /// Plans when the caller has waited long enough.
    pub(crate) fn call_expires(&mut self, call: usize) {
        let patience = match self.network.calls[call].packet {
            Packet::Request(_, limit) => limit,
            Packet::Notify(_) => Self::NOTIFY,
            Packet::Text(_, patience) => patience,
        };
        self.call_after(patience, call, CallStage::Expire);
    }

    fn call_opens(&mut self, call: usize, delay: Duration) {
        self.call_expires(call);
        if self.chance.hits(self.weather.loss) {
            let lie = self.mix.sabotage == Some(Sabotage::FalseConfirm);
            let reply = if lie { Reply::Received } else { Reply::Broken };
            self.call_after(delay, call, CallStage::Return(reply));
        } else {
            self.call_after(delay, call, CallStage::Arrive);
        }
    }

    fn call_arrives(&mut self, call: usize) {
        let delay = self.delay();
        let here = &self.network.calls[call];
        let taker = here.taker.expect("what arrives was connected");
        // What the caller has given up may arrive all the same: his system had it already.
        let given_up = matches!(here.caller, Caller::Machine(..)) && !here.caller_waits;
        if self.call_is_cut(call) || given_up && self.chance.hits(0.5) {
            return;
        }
        if !self.is_running(taker) {
            return self.call_after(delay, call, CallStage::Return(Reply::Refused));
        }
        self.packet_arrives(call, taker);
    }

    fn packet_arrives(&mut self, call: usize, taker: Process) {
        let conn = ConnId(call as u64);
        let here = &mut self.network.calls[call];
        let from = match here.caller {
            Caller::Machine(process, _) => self.peers[process.seat].address,
            Caller::Outsider(address) => address,
        };
        here.taker_waits = !matches!(here.packet, Packet::Notify(_));
        let input = match here.packet.clone() {
            Packet::Request(contact, _) | Packet::Notify(contact) => Input::Contact {
                conn,
                from,
                contact,
            },
            Packet::Text(message, _) => Input::Text {
                conn,
                from,
                message,
            },
        };
        match here.packet.clone() {
            Packet::Notify(_) => self.call_answered(conn, Reply::Received),
            Packet::Request(_, limit) if self.chance.hits(self.weather.loss) => {
                let delay = self.chance.between(Duration::ZERO, limit);
                self.call_after(delay, call, CallStage::Return(Reply::Broken));
            }
            packet @ Packet::Text(..) if self.mix.sabotage == Some(Sabotage::TextTwice) => {
                if matches!(self.network.calls[call].caller, Caller::Machine(..)) {
                    self.call(
                        Caller::Outsider(from),
                        self.peers[taker.seat].address,
                        packet,
                    );
                }
            }
            _ => {}
        }
        self.feed(taker, input);
    }

    /// Tells the caller, if he still waits, and the receiver, if he does.
    fn call_returns(&mut self, call: usize, reply: Reply) {
        let here = &mut self.network.calls[call];
        if !std::mem::take(&mut here.caller_waits) {
            return;
        }
        let Caller::Machine(process, id) = here.caller else {
            return;
        };
        let input = outcome(id, &here.packet, reply);
        if here.taker_waits {
            let delay = self.delay();
            self.call_after(delay, call, CallStage::Lost);
        }
        if self.is_running(process) {
            self.feed(process, input);
        }
    }

    /// The sender of a text does not wait for it any longer, and may send the next.
    fn call_is_given_up(&mut self, call: usize) {
        let here = &self.network.calls[call];
        if let Packet::Text(message, _) = &here.packet
            && let Some(seat) = self.seat_of(here.to)
            && here.caller_waits
        {
            self.ledger.give_up(seat, message.text.as_str());
        }
    }

    fn call_is_lost(&mut self, call: usize) {
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

    /// Whether there is a partition between the two ends.
    fn call_is_cut(&self, call: usize) -> bool {
        let here = &self.network.calls[call];
        match (here.caller, self.seat_of(here.to)) {
            (Caller::Machine(process, _), Some(seat)) => self.is_cut(process.seat, seat),
            _ => false,
        }
    }

    /// Whether two seats do not hear each other.
    pub(crate) fn is_cut(&self, one: usize, other: usize) -> bool {
        let pair = (one.min(other), one.max(other));
        self.network.cuts.contains(&pair)
    }

    /// Whether the registry does not hear a seat.
    pub(crate) fn is_cut_off(&self, seat: usize) -> bool {
        self.network.cut_off.contains(&seat)
    }

    pub(crate) fn call_after(&mut self, delay: Duration, call: usize, stage: CallStage) {
        self.schedule.after(delay, Happening::Call(call, stage));
    }

    pub(crate) fn packet_of(&self, call: usize) -> &Packet {
        &self.network.calls[call].packet
    }
}

/// What a machine is told about what it sent.
fn outcome(id: SendId, packet: &Packet, reply: Reply) -> Input {
    match packet {
        Packet::Request(..) => Input::RequestDone {
            id,
            result: match reply {
                Reply::Answer(answer) => Ok(answer),
                Reply::Unreachable => Err(Unanswered::Unreachable),
                _ => Err(Unanswered::NoAnswer),
            },
        },
        Packet::Notify(_) => Input::NotifyDone {
            id,
            result: match reply {
                Reply::Received | Reply::Answer(_) => Ok(()),
                Reply::Refused => Err(Gone::Refused),
                Reply::Unreachable | Reply::Broken | Reply::Silence => Err(Gone::Unreachable),
            },
        },
        Packet::Text(..) => Input::TextDone {
            id,
            result: match reply {
                Reply::Received | Reply::Answer(_) => Ok(Taken::Confirmed),
                Reply::Silence => Ok(Taken::Unconfirmed),
                Reply::Refused => Err(Gone::Refused),
                Reply::Unreachable | Reply::Broken => Err(Gone::Unreachable),
            },
        },
    }
}
