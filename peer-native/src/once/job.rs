//! What a subcommand does, step by step, without the peer it does it with: updates go in, calls
//! and the end come out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use p2pchat_model::{
    Call, CallId, Command, Event, Failure, Problem, Timestamp, Update, View, wording,
};

use crate::exit::Exit;

/// A subcommand under way. Each method is given the view as it is now.
pub(super) trait Job {
    /// What to do first.
    fn start(&mut self, view: &View) -> Step;

    /// What to do about an update, which the view has already.
    fn on_update(&mut self, update: &Update, view: &View) -> Step;

    /// How it ends if it has to end now, since its time is over; with a last call.
    fn out_of_time(&mut self, view: &View) -> (Option<Call>, End);
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Wait for the next update.
    Wait,
    /// Send this, then wait.
    Call(Call),
    /// End.
    End(End),
}

/// How a subcommand has ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The exit code.
    pub(super) exit: Exit,
    /// What to say on standard error.
    pub(super) words: Option<String>,
}

impl End {
    /// All is done.
    pub(super) const DONE: Self = Self {
        exit: Exit::Done,
        words: None,
    };

    /// Something else, for this reason.
    pub(super) fn new(exit: Exit, words: impl Into<String>) -> Self {
        let words = Some(words.into());
        Self { exit, words }
    }

    /// The peer refused a command: the code for scripts, the rest for people.
    pub(super) fn refused(failure: &Failure) -> Self {
        Self::new(Exit::Refused, in_words(failure))
    }

    /// The same, where the registry may have another key than before: what to do then matters
    /// more than what was asked.
    pub(super) fn failed(failure: &Failure, view: &View) -> Self {
        let stopped = failure.code == Problem::RegistryKeyChanged;
        let stop = Self::stopped(view).filter(|_| stopped);
        stop.unwrap_or_else(|| Self::refused(failure))
    }

    /// The registry has another key than before, if it has.
    pub(super) fn stopped(view: &View) -> Option<Self> {
        let stop = wording::security::registry_stop(&view.registry, &view.link)?;
        let code = code(&Problem::RegistryKeyChanged);
        let words = format!("{code}: {}", stop.join("\n"));
        Some(Self::new(Exit::Login, words))
    }

    /// The session has ended meanwhile.
    pub(super) fn logged_out() -> Self {
        Self::new(Exit::Login, "signed out meanwhile")
    }
}

/// The end where the peer does not answer, whatever it was asked.
pub(super) fn no_answer() -> End {
    let words = "the peer of this profile does not answer in time";
    End::new(Exit::Silent, words)
}

/// `not_online: no one with this name is online; search for them later`.
pub(super) fn in_words(failure: &Failure) -> String {
    let Failure {
        message, advice, ..
    } = failure;
    format!("{}: {message}; {advice}", code(&failure.code))
}

/// The word for a value in the contract.
pub(super) fn code(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Gives each call of a run an id that no call of another run has. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Ids(Arc<AtomicU64>);

impl Ids {
    /// How many calls a run may make in the time until the next could begin.
    const A_MILLISECOND: u64 = 1000;

    /// For a run that begins now.
    pub(super) fn new(now: Timestamp) -> Self {
        // Far below 2^53 for a century and more.
        let first = now.0.wrapping_mul(Self::A_MILLISECOND) % (1 << 52);
        Self(Arc::new(first.into()))
    }

    /// A call with the next id.
    pub(super) fn call(&self, command: Command) -> Call {
        let id = self.0.fetch_add(1, Ordering::Relaxed);
        Call::with_id(id, command)
    }
}

/// The call that waits for its answer.
#[derive(Debug, Default)]
pub(super) struct Pending(Option<CallId>);

impl Pending {
    /// Waits for the answer to this call.
    pub(super) fn begin(&mut self, call: Call) -> Step {
        self.0.clone_from(&call.id);
        Step::Call(call)
    }

    /// Whether an update answers the call.
    pub(super) fn is_answered_by(&self, update: &Update) -> bool {
        update.re.is_some() && update.re == self.0
    }

    /// How an update closes the call, if it does.
    pub(super) fn closed_by<'a>(&self, update: &'a Update) -> Option<Result<(), &'a Failure>> {
        if !self.is_answered_by(update) {
            return None;
        }
        match &*update.event {
            Event::Done => Some(Ok(())),
            Event::Failed(failure) => Some(Err(failure)),
            _ => None,
        }
    }
}
