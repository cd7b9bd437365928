//! Writes to a history that cannot be written for a while: a full disk, another program
//! that holds the file.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Entry, History};

/// How many entries wait for a history that cannot be written. When there are more, the
/// oldest go.
const MAX_UNWRITTEN: usize = 1024;
/// How long to wait before trying again. A try may itself wait, for another program that
/// writes, and what is said is not shown for as long.
const RETRY: Duration = Duration::from_secs(10);

/// A history, and what is to be written to it.
#[derive(Debug)]
pub(crate) struct Recorder {
    history: History,
    broken: Option<Broken>,
}

/// What is there while the history cannot be written.
#[derive(Debug)]
struct Broken {
    unwritten: VecDeque<Entry>,
    /// How many messages went because there were too many entries.
    lost: usize,
    next_try: Instant,
}

/// What changed by a try to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The history cannot be written any more.
    Broke,
    /// It can again. What was said meanwhile is in it, but for so many messages.
    Mended { lost: usize },
}

impl Recorder {
    /// Of a history that can be written as far as is known.
    pub(crate) fn new(history: History) -> Self {
        Self {
            history,
            broken: None,
        }
    }

    /// For reading. What could not be written is not there.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// For a search, which brings the index up to date first.
    pub(crate) fn history_mut(&mut self) -> &mut History {
        &mut self.history
    }

    /// Writes entries down, or keeps them until that works.
    pub(crate) fn write(&mut self, entries: Vec<Entry>, now: Instant) -> Option<Change> {
        match &mut self.broken {
            None => self.write_at_once(entries, now),
            Some(broken) => {
                broken.keep(entries);
                match now < broken.next_try {
                    true => None,
                    false => self.try_again(now),
                }
            }
        }
    }

    fn write_at_once(&mut self, entries: Vec<Entry>, now: Instant) -> Option<Change> {
        let error = self.history.write(&entries).err()?;
        tracing::warn!(%error, "the history cannot be written; what is said waits for it");
        let mut broken = Broken {
            unwritten: VecDeque::new(),
            lost: 0,
            next_try: now + RETRY,
        };
        broken.keep(entries);
        self.broken = Some(broken);
        Some(Change::Broke)
    }

    /// Does what need not be done before what was written is shown.
    pub(crate) fn tidy(&mut self) {
        if self.broken.is_none()
            && let Err(error) = self.history.tidy()
        {
            tracing::debug!(%error, "the history cannot be tidied");
        }
    }

    /// Writes down what waits.
    pub(crate) fn try_again(&mut self, now: Instant) -> Option<Change> {
        let broken = self.broken.as_mut()?;
        match self.history.write(broken.unwritten.make_contiguous()) {
            Ok(()) => {
                let lost = broken.lost;
                tracing::info!(lost, "the history can be written again");
                self.broken = None;
                Some(Change::Mended { lost })
            }
            Err(error) => {
                tracing::debug!(%error, "the history still cannot be written");
                broken.next_try = now + RETRY;
                None
            }
        }
    }
}

impl Broken {
    fn keep(&mut self, entries: Vec<Entry>) {
        self.unwritten.extend(entries);
        let too_many = self.unwritten.len().saturating_sub(MAX_UNWRITTEN);
        let gone = self.unwritten.drain(..too_many);
        self.lost += gone
            .filter(|entry| matches!(entry, Entry::Message { .. }))
            .count();
    }
}

#[cfg(test)]
mod tests;
