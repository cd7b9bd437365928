//! Processes that stand still for a while, and hosts that sleep.
//!
//! A process that is stopped (or on a machine that is busy with other things) finds its
//! clocks gone on and all that arrived meanwhile at once. On a host that sleeps nothing
//! arrives; the clocks go on too, since a peer's steady clock counts sleep.

use std::time::Duration;

use super::faults::Fault;
use super::sabotage::Sabotage;
use super::schedule::{Process, SimEvent};
use super::troubles::Trouble;
use super::world::World;

/// What stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Still {
    Process,
    Host,
}

/// A time in which a process does nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nap {
    pub(crate) still: Still,
    since: Duration,
    until: Duration,
}

impl World {
    /// The longest nap, in seconds.
    const NAP: u64 = 300;
    /// What waits for a process to wake reaches it within this time after it did, in
    /// whatever order.
    const STRETCH: Duration = Duration::from_millis(50);

    /// Some process or host stands still for a while.
    pub(crate) fn fall_asleep(&mut self) {
        let seat = self.rng.below(self.peers.len());
        let (still, trouble) = if self.rng.hits(0.5) {
            (Still::Process, Trouble::ProcessStops)
        } else {
            (Still::Host, Trouble::HostSleeps)
        };
        let longest = [5, 30, Self::NAP][self.rng.below(3)];
        let since = self.now();
        let until = (since + self.rng.secs(1, longest)).min(self.mix.span);
        let process = self.peers[seat].process();
        let name = self.peers[seat].name;
        let Some(running) = self.peers[seat].running_mut() else {
            return;
        };
        if running.nap.is_some() {
            return;
        }
        running.nap = Some(Nap {
            still,
            since,
            until,
        });
        self.troubles.note(trouble);
        self.trace
            .note(since, || format!("-- {name}: {still:?} stands still"));
        self.schedule
            .after(until - since, SimEvent::Fault(Fault::Wake(process)));
    }

    /// It goes on.
    pub(crate) fn wake(&mut self, process: Process) {
        if !self.is_running(process) {
            return;
        }
        let now = self.now();
        let name = self.peers[process.seat].name;
        self.trace.note(now, || format!("-- {name} goes on"));
        let oversleeps = self.mix.sabotage == Some(Sabotage::Oversleep);
        let Some(running) = self.peers[process.seat].running_mut() else {
            return;
        };
        let Some(nap) = running.nap.take() else {
            return;
        };
        let slept = now - nap.since;
        running.book.postpone(slept);
        running.awake_since = now;
        if oversleeps {
            running.clocks.origin -= slept;
        }
        running.planned = None;
        self.plan_timer(process);
    }

    /// In how much time a process goes on, if it stands still.
    pub(crate) fn wakes_in(&self, process: Process) -> Option<Duration> {
        if !self.is_running(process) {
            return None;
        }
        let nap = self.peers[process.seat].running()?.nap?;
        Some(nap.until - self.now())
    }

    /// The same, and a little more.
    pub(crate) fn is_reached_in(&mut self, process: Process) -> Option<Duration> {
        let wait = self.wakes_in(process)?;
        Some(wait + self.rng.between(Duration::ZERO, Self::STRETCH))
    }

    /// Whether nothing at this seat takes connections.
    pub(crate) fn host_sleeps(&self, seat: usize) -> bool {
        let nap = self.peers[seat].running().and_then(|running| running.nap);
        nap.is_some_and(|nap| nap.still == Still::Host)
    }
}
