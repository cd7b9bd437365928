//! The connections between peers, each with one packet and at most one answer.
//!
//! A connection is made, the packet arrives, the answer comes back; each takes time, and
//! each may fail. What the two ends then believe is what real ends would believe: a
//! sender who hears nothing does not know whether the packet arrived. How a connection
//! goes on is in `calls.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use p2pchat_model::{LeaveReason, RequestFailure};
use p2pchat_peer::machine::{Acknowledgement, ConnId, Input, SendId};
use p2pchat_protocol::{ChatAnswer, Contact, Message, PeerAddr};

use super::schedule::{Process, SimEvent};
use super::world::World;

/// What a connection carries.
#[derive(Debug, Clone)]
pub(crate) enum Packet {
    Request(Contact, Duration),
    Notify(Contact, Duration),
    Text(Message, Duration),
}

/// Who made a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caller {
    /// A machine, which wants to know how it went.
    Machine(Process, SendId),
    /// Nobody who waits for the outcome: this is a copy of what came from this address,
    /// or comes from an attacker.
    Nobody(PeerAddr),
}

/// One connection between two addresses.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) caller: Caller,
    pub(crate) from: PeerAddr,
    pub(crate) to: PeerAddr,
    pub(crate) packet: Packet,
    /// Who took the connection.
    pub(crate) taker: Option<Process>,
    /// Whether the caller waits for the outcome.
    pub(crate) caller_waits: bool,
    /// Whether the packet has arrived and waits to be answered.
    pub(crate) taker_waits: bool,
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
    /// The caller has waited as long as it wanted to.
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
    /// The latest connection from one to another whose packet has arrived.
    pub(crate) arrived: BTreeMap<(PeerAddr, PeerAddr), usize>,
}

impl World {
    pub(crate) fn call(&mut self, caller: Caller, to: PeerAddr, packet: Packet) {
        let delay = self.delay();
        self.call_later(delay, caller, to, packet);
    }

    /// The same, with an attempt that arrives after `delay`.
    pub(crate) fn call_later(
        &mut self,
        delay: Duration,
        caller: Caller,
        to: PeerAddr,
        packet: Packet,
    ) {
        let call = self.network.calls.len();
        let from = match caller {
            Caller::Machine(process, _) => self.peers[process.seat].address,
            Caller::Nobody(address) => address,
        };
        self.network.calls.push(Call {
            caller,
            from,
            to,
            packet,
            taker: None,
            caller_waits: matches!(caller, Caller::Machine(..)),
            taker_waits: false,
        });
        self.call_after(delay, call, CallStage::Connect);
        if let Packet::Request(_, limit) = self.network.calls[call].packet {
            self.call_after(limit, call, CallStage::Expire);
        }
    }

    pub(crate) fn call_goes_on(&mut self, call: usize, stage: CallStage) {
        if let Some(wait) = self.call_sleeps(call, stage) {
            return self.call_after(wait, call, stage);
        }
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

    /// How much later this happens because the process that it happens to stands still.
    fn call_sleeps(&mut self, call: usize, stage: CallStage) -> Option<Duration> {
        let here = &self.network.calls[call];
        let process = match (stage, here.caller) {
            (CallStage::Arrive | CallStage::Lost, _) => here.taker,
            (CallStage::Return(_) | CallStage::Expire, Caller::Machine(process, _)) => {
                Some(process)
            }
            _ => None,
        };
        self.is_reached_in(process?)
    }

    /// The connection is made: plans when the caller has waited long enough.
    pub(crate) fn call_expires(&mut self, call: usize) {
        match self.network.calls[call].packet {
            // That is planned already: its limit counts from the beginning.
            Packet::Request(..) => {}
            Packet::Notify(_, patience) | Packet::Text(_, patience) => {
                self.call_after(patience, call, CallStage::Expire);
            }
        }
    }

    /// Whether there is a partition between the two ends.
    pub(crate) fn call_is_cut(&self, call: usize) -> bool {
        let here = &self.network.calls[call];
        match (self.seat_of(here.from), self.seat_of(here.to)) {
            (Some(from), Some(to)) => self.is_cut(from, to),
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
        self.schedule.after(delay, SimEvent::Call(call, stage));
    }

    pub(crate) fn packet_of(&self, call: usize) -> &Packet {
        &self.network.calls[call].packet
    }
}

impl Packet {
    /// What the machine that takes it is fed.
    pub(crate) fn input(self, conn: ConnId, from: PeerAddr) -> Input {
        match self {
            Self::Request(contact, _) | Self::Notify(contact, _) => Input::Contact {
                conn,
                from,
                contact,
            },
            Self::Text(message, _) => Input::Text {
                conn,
                from,
                message,
            },
        }
    }

    /// What the machine that sent it is told.
    pub(crate) fn outcome(&self, id: SendId, reply: Reply) -> Input {
        match self {
            Self::Request(..) => Input::RequestDone {
                id,
                result: match reply {
                    Reply::Answer(answer) => Ok(answer),
                    Reply::Unreachable => Err(RequestFailure::Unreachable),
                    _ => Err(RequestFailure::NoAnswer),
                },
            },
            Self::Notify(..) => Input::NotifyDone {
                id,
                result: match reply {
                    Reply::Received => Ok(Acknowledgement::Confirmed),
                    Reply::Unreachable => Err(LeaveReason::Unreachable),
                    _ => Ok(Acknowledgement::Unconfirmed),
                },
            },
            Self::Text(..) => Input::TextDone {
                id,
                result: match reply {
                    Reply::Received | Reply::Answer(_) => Ok(Acknowledgement::Confirmed),
                    Reply::Silence => Ok(Acknowledgement::Unconfirmed),
                    Reply::Refused => Err(LeaveReason::Refused),
                    Reply::Unreachable | Reply::Broken => Err(LeaveReason::Unreachable),
                },
            },
        }
    }
}
