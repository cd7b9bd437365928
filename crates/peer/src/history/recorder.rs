//! The recorder: writes to a history, and keeps the entries while that fails because the disk
//! is full or another program holds the file.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Entry, History};

/// How many entries wait for a history that cannot be written. If there are more, the oldest
/// are dropped.
const MAX_UNWRITTEN: usize = 1024;
/// How long to wait before a retry. A retry may itself wait for another program that writes,
/// and messages are not shown for as long.
const RETRY: Duration = Duration::from_secs(10);

/// A history, and the entries that wait to be written to it.
#[derive(Debug)]
pub(crate) struct Recorder {
    history: History,
    broken: Option<Broken>,
}

/// The state while the history cannot be written.
#[derive(Debug)]
struct Broken {
    unwritten: VecDeque<Entry>,
    /// How many messages were dropped because there were too many entries.
    lost: usize,
    next_try: Instant,
}

/// A change of whether the history can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The history cannot be written any more.
    Broke,
    /// It can be written again. All messages since are in it, except for as many as were lost.
    Mended { lost: usize },
}

impl Recorder {
    /// A recorder for a history that was just opened.
    pub(crate) fn new(history: History) -> Self {
        Self {
            history,
            broken: None,
        }
    }

    /// The history, for reading. Entries that wait are not in it.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// The history, for a search, which updates the index first.
    pub(crate) fn history_mut(&mut self) -> &mut History {
        &mut self.history
    }

    /// Writes entries, or keeps them until that works.
    pub(crate) fn write(&mut self, entries: Vec<Entry>, now: Instant) -> Option<Change> {
        match &mut self.broken {
            None => self.write_at_once(entries, now),
            Some(broken) => {
                broken.keep(entries);
                if now < broken.next_try {
                    return None;
                }
                self.retry(now)
            }
        }
    }

    fn write_at_once(&mut self, entries: Vec<Entry>, now: Instant) -> Option<Change> {
        let error = self.history.write(&entries).err()?;
        tracing::warn!(%error, "the history cannot be written; messages wait for it");
        let mut broken = Broken {
            unwritten: VecDeque::new(),
            lost: 0,
            next_try: now + RETRY,
        };
        broken.keep(entries);
        self.broken = Some(broken);
        Some(Change::Broke)
    }

    /// Does the work that can wait until new messages were shown.
    pub(crate) fn tidy(&mut self) {
        if self.broken.is_none()
            && let Err(error) = self.history.tidy()
        {
            tracing::debug!(%error, "the history cannot be tidied");
        }
    }

    /// Writes the entries that wait.
    pub(crate) fn retry(&mut self, now: Instant) -> Option<Change> {
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
        let dropped = self.unwritten.drain(..too_many);
        self.lost += dropped
            .filter(|entry| matches!(entry, Entry::Message { .. }))
            .count();
    }
}

#[cfg(test)]
mod tests;
