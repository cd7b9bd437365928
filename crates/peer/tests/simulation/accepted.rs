//! The peers that a user has let in, worked out from what reached their machine and from
//! nothing that the machine says about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use p2pchat_model::{Command, PeerAddr, Undo};
use p2pchat_peer::machine::{Asked, ConnId, Input, Output, SendId};
use p2pchat_protocol::{ChatAnswer, Contact};

/// The addresses that may be members: those of accepted requests, in either direction,
/// and those that one of them told of. A machine may know fewer members than these, never
/// others. A member that left the chat without the user leaving it may come back.
#[derive(Default)]
pub(crate) struct Accepted {
    addresses: BTreeSet<PeerAddr>,
    /// Notifies, and when they came: one from a peer that is let in a little later counts
    /// then.
    notifies: Vec<(Duration, PeerAddr, Vec<PeerAddr>)>,
    /// Chat requests that were received: the sender, and the members on its list.
    received: BTreeMap<ConnId, (PeerAddr, Vec<PeerAddr>)>,
    /// The receivers of the chat requests that were sent.
    sent: BTreeMap<SendId, PeerAddr>,
    /// Those that were let in when the user left, and when that was: the user may take it back.
    left: Option<(Duration, BTreeSet<PeerAddr>)>,
}

impl Accepted {
    /// The longest that a notify may wait for its sender to be let in.
    const HELD: Duration = Duration::from_secs(30);

    /// Whether the user has let this address in.
    pub(crate) fn holds(&self, address: PeerAddr) -> bool {
        self.addresses.contains(&address)
    }

    /// The sender of the chat request on this connection, and the members on its list.
    pub(crate) fn request(&self, conn: ConnId) -> Option<&(PeerAddr, Vec<PeerAddr>)> {
        self.received.get(&conn)
    }

    /// The user left: no peer is let in, unless the user takes it back.
    pub(crate) fn leave(&mut self, now: Duration) {
        self.left = Some((now, std::mem::take(&mut self.addresses)));
        self.notifies.clear();
    }

    /// Another process goes on with these members of the chat. What the one that has ended made
    /// of its last inputs is lost with it.
    pub(crate) fn resume(mut self, members: impl IntoIterator<Item = PeerAddr>) -> Self {
        let left = self.left.take().into_iter().flat_map(|(_, left)| left);
        self.addresses.extend(left.chain(members));
        self.sent.clear();
        self
    }

    /// The session ended: no peer is let in.
    pub(crate) fn forget(&mut self) {
        self.addresses.clear();
        self.notifies.clear();
        self.left = None;
    }

    /// Takes note of what reached the machine.
    pub(crate) fn learn_input(&mut self, now: Duration, input: &Input) {
        match input {
            Input::Contact {
                conn,
                from,
                contact,
            } => {
                let list = contact.members().iter();
                match contact {
                    Contact::Request { .. } => {
                        self.received.insert(*conn, (*from, list.collect()));
                    }
                    Contact::Notify { newcomer, .. } => {
                        let told = list.chain([*newcomer]).collect();
                        self.notifies.push((now, *from, told));
                    }
                }
            }
            Input::RequestDone {
                id,
                result: Ok(ChatAnswer::Accepted),
            } => {
                self.addresses.extend(self.sent.get(id));
                self.left = None;
            }
            Input::Command(Asked {
                command: Command::Undo,
                ..
            }) => {
                let left = self.left.take();
                let in_time = left.filter(|(at, _)| now < *at + Undo::LIMIT);
                self.addresses
                    .extend(in_time.into_iter().flat_map(|(_, known)| known));
            }
            _ => {}
        }
        self.spread(now);
    }

    /// Takes note of what the machine sends.
    pub(crate) fn learn_output(&mut self, now: Duration, output: &Output) {
        match output {
            Output::Request { id, to, .. } => {
                self.sent.insert(*id, *to);
            }
            Output::Answer {
                conn,
                answer: ChatAnswer::Accepted,
            } => {
                self.left = None;
                if let Some((from, list)) = self.received.get(conn) {
                    self.addresses.insert(*from);
                    self.addresses.extend(list);
                }
            }
            _ => {}
        }
        self.spread(now);
    }

    /// Lets in what those that are let in told of, until nothing changes.
    fn spread(&mut self, now: Duration) {
        self.notifies.retain(|(at, ..)| now <= *at + Self::HELD);
        let mut before = usize::MAX;
        while before != self.addresses.len() {
            before = self.addresses.len();
            for (_, from, told) in &self.notifies {
                if self.addresses.contains(from) {
                    self.addresses.extend(told);
                }
            }
        }
    }
}
