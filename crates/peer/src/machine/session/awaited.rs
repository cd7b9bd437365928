//! Calls that wait for presence: version 2 pushes who is online, so a name that it has not told
//! may be on its way.

use std::time::Duration;

use p2pchat_model::{Problem, Username};

use super::super::context::{Context, Refusal};
use super::super::directory::Directory;
use super::super::io::Asker;
use super::encrypted::Encrypted;
use super::{RESPONSE_TIMEOUT, SearchPurpose, Session};

/// How long a name that presence does not tell is waited for: a login is told within 2 s, also
/// where another registry of a cluster has it.
const PRESENCE_DELAY: Duration = Duration::from_secs(2);
/// How long after the list of who is online it may lack someone who came before it was asked for:
/// it may be some seconds old, and what has changed since comes behind it, within 250 ms.
const SETTLING: Duration = Duration::from_millis(500);

/// A call that waits for presence.
#[derive(Debug)]
pub(super) struct Waiting {
    wanted: Wanted,
    asker: Option<Asker>,
    due: Duration,
}

/// What a call wants to know of presence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    /// Who is online.
    All,
    /// Where a user is.
    Name(Username, SearchPurpose),
}

impl Wanted {
    pub(super) fn command(self) -> &'static str {
        match self {
            Self::All => "refresh",
            Self::Name(_, purpose) => purpose.command(),
        }
    }
}

impl Session {
    /// Whether the list of who is online has come since the sign-in, and what has changed since it
    /// was made.
    pub(crate) fn has_whole_list(&self, now: Duration) -> bool {
        let line = self.encrypted.as_ref();
        let came = line.and_then(|line| line.snapshot_at);
        came.is_some_and(|at| at + SETTLING <= now)
    }

    /// The list of who is online has come.
    pub(crate) fn snapshot_came(&mut self, now: Duration) {
        let Some(line) = &mut self.encrypted else {
            return;
        };
        line.snapshot_at.get_or_insert(now);
        for waiting in &mut line.waiting {
            let due = match waiting.wanted {
                Wanted::All => now + SETTLING,
                Wanted::Name(..) => now + PRESENCE_DELAY,
            };
            waiting.due = waiting.due.min(due);
        }
    }

    /// Answers the call when presence has told, or will not.
    pub(crate) fn await_presence(
        &mut self,
        cx: &mut Context,
        wanted: Wanted,
    ) -> Result<(), Refusal> {
        let line = self.encrypted.as_mut().ok_or(Problem::NotEncrypted)?;
        let limit = match (line.snapshot_at, wanted) {
            (None, _) => RESPONSE_TIMEOUT,
            (Some(_), Wanted::All) => SETTLING,
            (Some(_), Wanted::Name(..)) => PRESENCE_DELAY,
        };
        line.waiting.push(Waiting {
            wanted,
            asker: cx.defer(),
            due: cx.now.elapsed + limit,
        });
        Ok(())
    }

    /// The calls that can be answered now: presence has told, or has not in time.
    pub(crate) fn take_told(
        &mut self,
        now: Duration,
        directory: &Directory,
    ) -> Vec<(Wanted, Option<Asker>)> {
        let Some(line) = &mut self.encrypted else {
            return Vec::new();
        };
        let is_told = |wanted| match wanted {
            Wanted::All => false,
            Wanted::Name(name, _) => directory.address_of(name).is_some(),
        };
        let told = line
            .waiting
            .extract_if(.., |waiting| waiting.due <= now || is_told(waiting.wanted));
        told.map(|waiting| (waiting.wanted, waiting.asker))
            .collect()
    }

    /// Nothing comes any more that these calls wait for.
    pub(super) fn fail_waiting(&mut self, cx: &mut Context, refusal: &Refusal) {
        let waiting = self.encrypted.as_mut().map(|line| &mut line.waiting);
        for waiting in waiting.map(std::mem::take).unwrap_or_default() {
            cx.answer_to(waiting.asker);
            cx.fail(waiting.wanted.command(), refusal.clone());
        }
    }

    /// How many questions have no answer so far, to the registry and of what it pushes.
    pub(super) fn questions(&self) -> usize {
        let waiting = self.encrypted.as_ref().map(Encrypted::waiting);
        self.pending.len() + waiting.unwrap_or_default()
    }
}

impl Encrypted {
    fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// When the first of the calls that wait is due.
    pub(super) fn waiting_until(&self) -> Option<Duration> {
        self.waiting.iter().map(|waiting| waiting.due).min()
    }
}
