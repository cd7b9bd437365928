//! What goes to the journal: at once where somebody waits for it, a little later where
//! nobody does.

use std::collections::VecDeque;
use std::time::Duration;

use p2pchat_model::Event;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::journal::ToJournal;

/// How long what the user said waits for word of how it fared, which then is written down
/// with it, in one transaction; and meanwhile it is sent. Nobody sees a line of his own come
/// up this much later.
const SAID_WAITS: Duration = Duration::from_millis(10);
/// How long word of how it fared waits for more of that, while more is under way: each
/// transaction writes what is known of all members.
const FARED_WAITS: Duration = Duration::from_millis(50);
/// How many entries wait at the most: what the journal takes as one transaction.
const MAX_WAITING: usize = 256;

/// The way to the journal.
#[derive(Debug)]
pub(super) struct Entries {
    journal: mpsc::Sender<ToJournal>,
    waiting: VecDeque<ToJournal>,
    /// When one of them has waited long enough.
    due: Option<Instant>,
}

/// The journal has ended.
#[derive(Debug)]
pub(super) struct JournalGone;

impl Entries {
    pub(super) fn new(journal: mpsc::Sender<ToJournal>) -> Self {
        Self {
            journal,
            waiting: VecDeque::new(),
            due: None,
        }
    }

    /// Takes one. All keep their order.
    pub(super) async fn add(&mut self, entry: ToJournal) -> Result<(), JournalGone> {
        let waits = may_wait(&entry).filter(|_| self.waiting.len() < MAX_WAITING);
        self.waiting.push_back(entry);
        let Some(time) = waits else {
            return self.hand_over().await;
        };
        let due = Instant::now() + time;
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
        Ok(())
    }

    /// When the entries that wait have to go on.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }

    /// Hands over all that waits. Nothing is lost if this is dropped half-way.
    pub(super) async fn hand_over(&mut self) -> Result<(), JournalGone> {
        while !self.waiting.is_empty() {
            let place = self.journal.reserve().await.map_err(|_| JournalGone)?;
            if let Some(entry) = self.waiting.pop_front() {
                place.send(entry);
            }
        }
        self.due = None;
        Ok(())
    }
}

/// How long an entry may wait: what is about what the user said himself.
fn may_wait(entry: &ToJournal) -> Option<Duration> {
    match entry {
        ToJournal::Event(Event::Message(said)) => said.is_own().then_some(SAID_WAITS),
        ToJournal::Event(Event::Delivered { .. }) => Some(FARED_WAITS),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
