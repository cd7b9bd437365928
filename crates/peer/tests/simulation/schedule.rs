//! What is going to happen, ordered by time and then by when it was planned.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_model::{Command, Timestamp};
use p2pchat_peer::machine::Now;

use super::faults::Fault;
use super::links::LinkStage;
use super::network::CallStage;
use super::users::Act;

/// One run of the program at one address. After a crash there is a new one, and nothing
/// that was meant for the old one reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    /// Which peer.
    pub(crate) seat: usize,
    /// The number of the run there.
    pub(crate) run: u32,
}

/// An event of the simulation.
#[derive(Debug)]
pub(crate) enum SimEvent {
    /// A machine's deadline may have come.
    Timer(Process),
    /// A user does something at the keyboard.
    User(usize, Act),
    /// A user types this.
    Command(usize, Command),
    /// A front end makes its last call once more.
    CommandAgain(usize),
    /// An outsider does something.
    Outsider,
    /// A connection between peers goes on.
    Call(usize, CallStage),
    /// A connection to the registry goes on.
    Link(usize, LinkStage),
    /// A hello arrives at the registry.
    Hello(usize, p2pchat_protocol::Hello),
    /// Something breaks or heals.
    Fault(Fault),
    /// Time to look at what must have happened by now.
    Audit,
}

/// The clock and the queue.
#[derive(Default)]
pub(crate) struct Schedule {
    now: Duration,
    planned: u64,
    queue: BTreeMap<(Duration, u64), SimEvent>,
}

impl Schedule {
    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    /// Plans something for `delay` from now.
    pub(crate) fn after(&mut self, delay: Duration, event: SimEvent) {
        self.planned += 1;
        self.queue.insert((self.now + delay, self.planned), event);
    }

    /// The next event that is due by `end`, and moves the clock to it; else moves
    /// the clock to `end`.
    pub(crate) fn next(&mut self, end: Duration) -> Option<SimEvent> {
        match self.queue.first_entry() {
            Some(entry) if entry.key().0 <= end => {
                self.now = entry.key().0;
                Some(entry.remove())
            }
            _ => {
                self.now = self.now.max(end);
                None
            }
        }
    }
}

/// The clocks of one process: neither begins where the others' do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clocks {
    /// What the steady clock showed when the world began.
    pub(crate) origin: Duration,
    /// What the wall clock showed when the world began, in milliseconds.
    pub(crate) wall: u64,
}

impl Clocks {
    pub(crate) fn at(self, now: Duration) -> Now {
        Now {
            elapsed: self.origin + now,
            wall: Timestamp(self.wall + u64::try_from(now.as_millis()).unwrap()),
        }
    }
}
