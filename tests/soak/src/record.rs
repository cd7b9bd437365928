//! Everything that a user saw, and when.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::sync::watch;
use tokio::time::timeout;

/// How much of a record an error shows.
const SHOWN: usize = 12;

/// What a user saw so far, and when.
#[derive(Debug)]
pub(crate) struct Record<T> {
    seen: watch::Sender<Vec<(Instant, T)>>,
}

impl<T> Default for Record<T> {
    fn default() -> Self {
        Self {
            seen: watch::Sender::new(Vec::new()),
        }
    }
}

impl<T: Debug> Record<T> {
    /// Adds one more thing.
    pub(crate) fn add(&self, thing: T) {
        let now = Instant::now();
        self.seen.send_modify(|seen| seen.push((now, thing)));
    }

    /// What `wanted` finds in everything so far, in order.
    pub(crate) fn all<U>(&self, mut wanted: impl FnMut(&T) -> Option<U>) -> Vec<U> {
        let seen = self.seen.borrow();
        seen.iter().filter_map(|(_, thing)| wanted(thing)).collect()
    }

    /// Waits for the first thing since then in which `wanted` finds something, and says
    /// how long after `since` it came.
    pub(crate) async fn find<U>(
        &self,
        since: Instant,
        what: &str,
        limit: Duration,
        mut wanted: impl FnMut(&T) -> Option<U>,
    ) -> Result<(Duration, U)> {
        // Each thing is looked at once: in a flood there are many, and more all the time.
        let mut next = None;
        let find = |seen: &[(Instant, T)]| {
            let first = || seen.partition_point(|(at, _)| *at < since);
            let from = next.replace(seen.len()).unwrap_or_else(first);
            let mut new = seen[from..].iter();
            new.find_map(|(at, thing)| Some((*at - since, wanted(thing)?)))
        };
        self.find_in_all(what, limit, find).await
    }

    /// Waits until `wanted` finds something in everything so far.
    pub(crate) async fn find_in_all<U>(
        &self,
        what: &str,
        limit: Duration,
        mut wanted: impl FnMut(&[(Instant, T)]) -> Option<U>,
    ) -> Result<U> {
        let mut found = None;
        let mut watch = self.seen.subscribe();
        let look = watch.wait_for(|seen| {
            found = wanted(seen);
            found.is_some()
        });
        // An error of `wait_for` means that nothing is added any more.
        let _ = timeout(limit, look).await.map(|seen| seen.is_ok());
        if let Some(found) = found {
            return Ok(found);
        }
        let seen = self.seen.borrow();
        let last = &seen[seen.len().saturating_sub(SHOWN)..];
        let last: Vec<_> = last.iter().map(|(_, thing)| thing).collect();
        bail!("no {what} within {limit:?}; the last that came: {last:#?}")
    }
}
