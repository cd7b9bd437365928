//! What a registry tells that is one of several over one database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

/// Set by the tasks that talk to the database; down until they say otherwise.
#[derive(Debug, Default)]
pub struct ClusterMetrics {
    stream_up: AtomicBool,
    database_up: AtomicBool,
    /// What was last heard, and how old it was.
    heard: Mutex<Option<(Instant, Duration)>>,
    /// Hellos that were written for the other registries to read.
    pub hellos_written: Counter,
    /// How often the change stream broke.
    pub stream_breaks: Counter,
    /// How often who is online was read anew from the collection.
    pub rebuilds: Counter,
    /// Documents and changes in the collection that are of no registry, and were passed
    /// over.
    pub foreign: Counter,
    /// Changes that the database has yet to be told.
    pub waiting_writes: Gauge,
}

impl ClusterMetrics {
    /// The change stream brought everything that was written until `lag` ago, so it is up.
    pub fn heard(&self, lag: Duration) {
        self.stream_up.store(true, Ordering::Relaxed);
        *self.last_heard() = Some((Instant::now(), lag));
    }

    /// The change stream is broken; [`ClusterMetrics::heard`] says that it is no longer.
    pub fn stream_broke(&self) {
        if self.stream_up.swap(false, Ordering::Relaxed) {
            self.stream_breaks.inc();
        }
    }

    /// Whether the database took the last write.
    pub fn database_is_up(&self, is_up: bool) {
        self.database_up.store(is_up, Ordering::Relaxed);
    }

    /// Whether the change stream is up, for whoever exposes it.
    #[must_use]
    pub fn is_stream_up(&self) -> bool {
        self.stream_up.load(Ordering::Relaxed)
    }

    /// Whether the database is up, for whoever exposes it.
    #[must_use]
    pub fn is_database_up(&self) -> bool {
        self.database_up.load(Ordering::Relaxed)
    }

    /// How old the last news was when it came; while the stream is broken, how old it is by
    /// now. `None` if nothing has come yet.
    #[must_use]
    pub fn lag(&self) -> Option<Duration> {
        let (at, lag) = (*self.last_heard())?;
        Some(match self.is_stream_up() {
            true => lag,
            false => lag + at.elapsed(),
        })
    }

    /// Whether this registry knows what the others do.
    ///
    /// # Errors
    /// Why not, in words for the operator.
    pub fn readiness(&self) -> Result<(), String> {
        match self.is_stream_up() {
            true => Ok(()),
            false => Err(
                "the change stream is broken: who is online is shown as it was \
                          when that was last known"
                    .to_owned(),
            ),
        }
    }

    fn last_heard(&self) -> MutexGuard<'_, Option<(Instant, Duration)>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
