//! The queue to the journal: it passes inputs on at once where anyone waits for them, and a
//! little later where no one does, so that more go into one transaction.

use std::collections::VecDeque;
use std::time::Duration;

use p2pchat_model::Event;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::journal::JournalInput;

/// How long a text of the user's own waits for its delivery statuses, to be written with them
/// in one transaction; it is sent meanwhile. Users do not notice their own line come up this
/// much later. One that a call with an id led to does not wait: it is sent once it is stored.
const OWN_TEXT_DELAY: Duration = Duration::from_millis(10);
/// How long a delivery status waits for others while texts are on their way: each transaction
/// writes the statuses of all members.
const DELIVERY_DELAY: Duration = Duration::from_millis(50);
/// How many inputs wait: at most what the journal writes in one transaction.
const MAX_WAITING: usize = 256;

/// The queue to the journal.
#[derive(Debug)]
pub(super) struct JournalQueue {
    journal: mpsc::Sender<JournalInput>,
    waiting: VecDeque<JournalInput>,
    /// When the first of them has waited long enough.
    due: Option<Instant>,
}

/// The journal has ended.
#[derive(Debug)]
pub(super) struct JournalGone;

impl JournalQueue {
    pub(super) fn new(journal: mpsc::Sender<JournalInput>) -> Self {
        Self {
            journal,
            waiting: VecDeque::new(),
            due: None,
        }
    }

    /// Adds an input. All keep their order.
    pub(super) async fn add(&mut self, input: JournalInput) -> Result<(), JournalGone> {
        let delay = delay_of(&input).filter(|_| self.waiting.len() < MAX_WAITING);
        self.waiting.push_back(input);
        let Some(delay) = delay else {
            return self.flush().await;
        };
        let due = Instant::now() + delay;
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
        Ok(())
    }

    /// Ends when the journal has ended.
    pub(super) async fn gone(&self) {
        self.journal.closed().await;
    }

    /// When the inputs that wait have to be passed on.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }

    /// Passes on all inputs that wait. Cancel-safe: none is lost.
    pub(super) async fn flush(&mut self) -> Result<(), JournalGone> {
        while !self.waiting.is_empty() {
            let permit = self.journal.reserve().await.map_err(|_| JournalGone)?;
            if let Some(input) = self.waiting.pop_front() {
                permit.send(input);
            }
        }
        self.due = None;
        Ok(())
    }
}

/// How long an input may wait, if it is about a text of the user's own.
fn delay_of(input: &JournalInput) -> Option<Duration> {
    match input {
        JournalInput::Event {
            event: Event::Message(text),
            ..
        } => text.is_own().then_some(OWN_TEXT_DELAY),
        JournalInput::Event {
            event: Event::Delivered { .. },
            ..
        } => Some(DELIVERY_DELAY),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
