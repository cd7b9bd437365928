//! Processes that end: killed, switched off with their host, or killed in the middle of
//! carrying out what their machine wants done.

use std::time::Duration;

use p2pchat_peer::machine::{Output, ToJournal};

use super::faults::Fault;
use super::sabotage::Sabotage;
use super::schedule::{Process, SimEvent};
use super::troubles::Trouble;
use super::users::Act;
use super::world::World;

/// What machines want done, by name.
pub(crate) const STEPS: &[&str] = &[
    "connect_registry",
    "disconnect_registry",
    "ask",
    "hello",
    "request",
    "cancel_request",
    "answer",
    "notify",
    "text",
    "take_text",
    "refuse_text",
    "event",
    "keep_block",
    "recall",
    "find",
    "repeat",
];

/// A step at which the next process that comes to it is killed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trap {
    step: &'static str,
    after: bool,
}

/// What ends at one point of a run. The points are counted through the whole run: one
/// before each thing that is carried out, and one after the last that came of an input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strike {
    pub(crate) point: usize,
    pub(crate) victim: Victim,
}

/// What a strike ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    /// The process at this seat. If it is its own step that is struck, the journal may
    /// have written all that came before it, or nothing of what came of this input. Another
    /// process may go on in its place.
    Seat {
        seat: usize,
        journal_lags: bool,
        is_taken_over: bool,
    },
    /// The registry.
    Registry,
}

/// Where among the outputs of one input something ends.
struct End {
    /// Before the output of this index.
    at: usize,
    victim: Victim,
    /// How many entries the journal has not written by then.
    unwritten: usize,
}

impl World {
    /// The longest time until a process that was killed is started again.
    const BACK: u64 = 40;
    /// The same of one that something looks after.
    const BACK_AT_ONCE: u64 = 3;
    /// The longest until another process goes on.
    const TAKEOVER: Duration = Duration::from_secs(3);
    /// When what was struck is started again.
    const BACK_AFTER_STRIKE: Duration = Duration::from_secs(2);

    /// Kills some process, or switches its host off.
    pub(crate) fn crash(&mut self) {
        let seat = self.rng.below(self.peers.len());
        if self.peers[seat].is_up() {
            let silently = self.rng.hits(0.3);
            let back = self.rng.secs(0, Self::BACK);
            let is_taken_over = self.is_taken_over(silently);
            self.end_process(seat, silently, back, is_taken_over);
        }
    }

    /// Whether another process goes on for one that is killed. There is none without the host.
    fn is_taken_over(&mut self, silently: bool) -> bool {
        self.mix.takeovers && !silently && self.rng.hits(0.7)
    }

    /// The next process that comes to some step is killed there.
    pub(crate) fn set_trap(&mut self) {
        let block = self.mix.blocks && self.rng.hits(0.3);
        self.trap = Some(Trap {
            step: if block {
                // Users rarely do that.
                "keep_block"
            } else {
                self.rng.pick(STEPS).expect("there are steps")
            },
            after: self.rng.hits(0.5),
        });
    }

    fn end_process(&mut self, seat: usize, silently: bool, back: Duration, is_taken_over: bool) {
        let dead: Process = self.peers[seat].process();
        let (now, name) = (self.now(), self.peers[seat].name);
        let words = if silently { "power cut at" } else { "crash of" };
        self.trace.note(now, || format!("-- {words} {name}"));
        self.troubles.note(if silently {
            Trouble::PowerCut
        } else {
            Trouble::Crash
        });
        let totals = self.peers[seat].stop(silently);
        self.totals.add(totals);
        self.calls_of_the_dead(dead, silently);
        let (back, fault) = if is_taken_over {
            (back.min(Self::TAKEOVER), Fault::Takeover(seat))
        } else {
            (back, Fault::Restart(seat))
        };
        self.schedule.after(back, SimEvent::Fault(fault));
    }

    /// Starts the program of a seat, unless it runs.
    pub(crate) fn restart(&mut self, seat: usize) {
        if !self.peers[seat].is_up() {
            self.start(seat);
            let delay = self.rng.secs(0, 5);
            self.schedule.after(delay, SimEvent::User(seat, Act::Enter));
        }
    }

    /// Does what a machine wants done, in that order, unless something ends meanwhile.
    pub(crate) fn carry_out_all(&mut self, process: Process, outputs: Vec<Output>) {
        let Some(end) = self.end_among(process, &outputs) else {
            for output in outputs {
                self.carry_out(process, output);
            }
            return;
        };
        let own = matches!(end.victim, Victim::Seat { seat, .. } if seat == process.seat);
        let unwritten = if own {
            self.unwritten(&outputs[..end.at], end.unwritten)
        } else {
            Vec::new()
        };
        let count = outputs.len();
        for (index, output) in outputs.into_iter().enumerate() {
            if index == end.at {
                self.strike(end.victim);
            }
            if !self.is_running(process) {
                return;
            }
            if !unwritten.contains(&index) {
                self.carry_out(process, output);
            }
        }
        if end.at == count {
            self.strike(end.victim);
        }
    }

    /// Whether the next process that comes to this step is killed.
    pub(crate) fn is_trap_at(&self, step: &str) -> bool {
        self.trap.is_some_and(|trap| trap.step == step)
    }

    /// Whether something ends while these are carried out.
    fn end_among(&mut self, process: Process, outputs: &[Output]) -> Option<End> {
        let first = self.points;
        self.points += outputs.len() + 1;
        self.steps.extend(outputs.iter().map(name_of));
        if let Some(Strike { point, victim }) = self.mix.strike
            && (first..self.points).contains(&point)
        {
            let lags = matches!(
                victim,
                Victim::Seat {
                    journal_lags: true,
                    ..
                }
            );
            return Some(End {
                at: point - first,
                victim,
                unwritten: if lags { usize::MAX } else { 0 },
            });
        }
        let Trap { step, after } = self.trap?;
        let index = outputs.iter().position(|output| name_of(output) == step)?;
        self.trap = None;
        self.troubles.note(if after {
            Trouble::CrashAfter(step)
        } else {
            Trouble::CrashBefore(step)
        });
        Some(End {
            at: index + usize::from(after),
            victim: Victim::Seat {
                seat: process.seat,
                journal_lags: true,
                is_taken_over: self.is_taken_over(false),
            },
            unwritten: self.rng.below(4),
        })
    }

    /// The entries that the journal has not written yet, if it is behind by so many. What
    /// it is told, it does in order; what goes to the network does not wait for it.
    fn unwritten(&self, outputs: &[Output], behind: usize) -> Vec<usize> {
        let hasty = self.mix.sabotage == Some(Sabotage::HastyTake);
        let by_journal = |output: &Output| match output {
            Output::Event { .. } | Output::Journal(_) => true,
            // It waits for the text to be stored that it is of.
            Output::Text { .. } => true,
            Output::TakeText { .. } => !hasty,
            _ => false,
        };
        let entries = outputs.iter().enumerate().rev();
        entries
            .filter(|(_, output)| by_journal(output))
            .map(|(index, _)| index)
            .take(behind)
            .collect()
    }

    fn strike(&mut self, victim: Victim) {
        match victim {
            Victim::Registry => self.registry_stops(Self::BACK_AFTER_STRIKE),
            Victim::Seat {
                seat,
                is_taken_over,
                ..
            } if self.peers[seat].is_up() => {
                let back = match self.mix.strike {
                    Some(_) => Self::BACK_AFTER_STRIKE,
                    None if self.rng.hits(0.5) => self.rng.secs(0, Self::BACK_AT_ONCE),
                    None => self.rng.secs(0, Self::BACK),
                };
                self.end_process(seat, false, back, is_taken_over);
            }
            Victim::Seat { .. } => {}
        }
    }
}

/// What a step is called.
fn name_of(output: &Output) -> &'static str {
    match output {
        Output::ConnectRegistry => "connect_registry",
        Output::ConnectEncrypted { .. } => "connect_encrypted",
        Output::Send(_) => "send",
        Output::Work { .. } => "work",
        Output::Chats(_) => "chats",
        Output::UseRegistry { .. } => "use_registry",
        Output::StartRegistry { .. } => "start_registry",
        Output::Journal(ToJournal::Keep { .. }) => "keep",
        Output::DisconnectRegistry => "disconnect_registry",
        Output::Ask(_) => "ask",
        Output::Hello(_) => "hello",
        Output::Request { .. } => "request",
        Output::CancelRequest { .. } => "cancel_request",
        Output::Answer { .. } => "answer",
        Output::Notify { .. } => "notify",
        Output::Text { .. } => "text",
        Output::TakeText { .. } => "take_text",
        Output::RefuseText { .. } => "refuse_text",
        Output::Event { .. } => "event",
        Output::Journal(ToJournal::KeepBlock { .. }) => "keep_block",
        Output::Journal(ToJournal::Recall { .. }) => "recall",
        Output::Journal(ToJournal::Find { .. }) => "find",
        Output::Journal(ToJournal::Repeat { .. }) => "repeat",
    }
}
