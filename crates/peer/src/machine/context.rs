//! What every part of the machine needs: the time, random numbers, ids, and the outputs.

use std::collections::VecDeque;
use std::time::Duration;

use p2pchat_model::{
    DropKind, DropReason, Event, Failure, MessageId, Notice, PeerAddr, Problem, Timestamp, Username,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::drops::DropCounters;
use super::io::{Config, Now, Output, SendId, Usage};

/// The surroundings of the sub-machines, lent to each while it handles an input.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) config: Config,
    /// The time of the input that is being handled.
    pub(super) now: Now,
    pub(super) rng: ChaCha8Rng,
    outputs: VecDeque<Output>,
    drops: DropCounters,
    last_send: u64,
    last_message: MessageId,
    unconfirmed_name: bool,
}

impl Context {
    pub(super) fn new(config: Config, now: Now) -> Self {
        Self {
            now,
            rng: ChaCha8Rng::seed_from_u64(config.seed),
            outputs: VecDeque::new(),
            drops: DropCounters::default(),
            last_send: 0,
            last_message: MessageId(0),
            unconfirmed_name: false,
            config,
        }
    }

    pub(super) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.push(Output::Event(event));
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        let at = self.now.wall;
        self.emit(Event::Notice { at, notice });
    }

    /// Tells the user why a command failed.
    pub(super) fn fail(&mut self, command: &str, refusal: Refusal) {
        let failure = Failure {
            command: command.to_owned(),
            problem: refusal.problem,
            message: refusal.message,
        };
        let at = self.now.wall;
        self.emit(Event::Failed { at, failure });
    }

    /// Counts one dropped packet, and tells the user at powers of ten.
    pub(super) fn count_drop(
        &mut self,
        from: PeerAddr,
        name: Option<Username>,
        kind: DropKind,
        reason: DropReason,
    ) {
        self.count_drops(Some(from), name, kind, reason, 1);
    }

    /// The same for several; `from` is `None` for addresses that were not counted one by one.
    pub(super) fn count_drops(
        &mut self,
        from: Option<PeerAddr>,
        name: Option<Username>,
        kind: DropKind,
        reason: DropReason,
        more: u64,
    ) {
        let at = self.now.wall;
        if let Some(dropped) = self.drops.count(at, from, name, kind, reason, more) {
            self.emit(Event::Dropped(dropped));
        }
    }

    /// Tells the user each drop count that has grown since the user was last told.
    pub(super) fn report_drops(&mut self) {
        for dropped in self.drops.report() {
            self.emit(Event::Dropped(dropped));
        }
    }

    pub(super) fn drop_usage(&self) -> Usage {
        self.drops.usage()
    }

    pub(super) fn next_send(&mut self) -> SendId {
        self.last_send += 1;
        SendId(self.last_send)
    }

    /// Makes message ids continue after this one.
    pub(super) fn skip_messages(&mut self, last: MessageId) {
        self.last_message = self.last_message.max(last);
    }

    /// Microseconds of the wall clock; one more than the last id where the clock stands
    /// still or went back.
    pub(super) fn next_message(&mut self) -> MessageId {
        let by_clock = MessageId(self.now.wall.0.saturating_mul(1000));
        self.last_message = by_clock.max(MessageId(self.last_message.0 + 1));
        self.last_message
    }

    /// The wall-clock time after this wait.
    pub(super) fn wall_in(&self, wait: Duration) -> Timestamp {
        self.now.wall.after(wait)
    }

    /// Notes that the user was shown a name that the online list does not confirm, or no
    /// name: the list has to be refreshed soon.
    pub(super) fn note_unconfirmed_name(&mut self) {
        self.unconfirmed_name = true;
    }

    /// Whether [`Context::note_unconfirmed_name`] was called since the last time.
    pub(super) fn take_unconfirmed_name(&mut self) -> bool {
        std::mem::take(&mut self.unconfirmed_name)
    }
}

/// Why a command is not carried out.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) problem: Problem,
    pub(super) message: String,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            message: problem.words().to_owned(),
        }
    }
}
