//! State of the links to the other registries of a cluster: [`ClusterMetrics`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

/// State of the links to the other registries. Set by the tasks that talk to the database;
/// down until they report otherwise.
#[derive(Debug, Default)]
pub struct ClusterMetrics {
    stream_up: AtomicBool,
    database_up: AtomicBool,
    /// When the last change arrived, and how old it was.
    last_change: Mutex<Option<(Instant, Duration)>>,
    /// Hellos that were written for the other registries to read.
    pub hellos_written: Counter,
    /// How often the change stream broke.
    pub stream_breaks: Counter,
    /// How often the presence was reloaded from the collection.
    pub rebuilds: Counter,
    /// Documents and changes in the collection that no registry wrote, and that were
    /// ignored.
    pub foreign: Counter,
    /// Changes that are not yet written to the database.
    pub waiting_writes: Gauge,
}

impl ClusterMetrics {
    /// The change stream brought everything that was written until `lag` ago, so it is up.
    pub fn synced(&self, lag: Duration) {
        self.stream_up.store(true, Ordering::Relaxed);
        *self.last_change() = Some((Instant::now(), lag));
    }

    /// The change stream is broken, until [`ClusterMetrics::synced`] is called again.
    pub fn stream_broke(&self) {
        if self.stream_up.swap(false, Ordering::Relaxed) {
            self.stream_breaks.inc();
        }
    }

    /// Whether the database took the last write.
    pub fn database_is_up(&self, is_up: bool) {
        self.database_up.store(is_up, Ordering::Relaxed);
    }

    fn is_stream_up(&self) -> bool {
        self.stream_up.load(Ordering::Relaxed)
    }

    /// The age of the last change when it arrived; while the stream is broken, its age now.
    /// `None` if none has arrived yet.
    fn lag(&self) -> Option<Duration> {
        let (at, lag) = (*self.last_change())?;
        Some(if self.is_stream_up() {
            lag
        } else {
            lag + at.elapsed()
        })
    }

    /// Exposes all of it.
    pub fn register(&self, registry: &mut Registry) {
        let is_database_up = self.database_up.load(Ordering::Relaxed);
        registry.register(
            "cluster_stream_up",
            "Whether the change stream is up (1) or broken (0)",
            ConstGauge::new(u64::from(self.is_stream_up())),
        );
        if let Some(lag) = self.lag() {
            registry.register_with_unit(
                "cluster_stream_lag",
                "Age of the last change of another registry when it arrived; while the stream \
                 is broken, its age now",
                Unit::Seconds,
                ConstGauge::new(lag.as_secs_f64()),
            );
        }
        registry.register(
            "cluster_database_up",
            "Whether the database took the last write (1) or not (0)",
            ConstGauge::new(u64::from(is_database_up)),
        );
        registry.register(
            "cluster_stream_breaks",
            "How often the change stream broke",
            self.stream_breaks.clone(),
        );
        registry.register(
            "cluster_rebuilds",
            "How often the presence was reloaded from the database",
            self.rebuilds.clone(),
        );
        registry.register(
            "cluster_foreign_documents",
            "Documents and changes in the collection that no registry wrote, and that were ignored",
            self.foreign.clone(),
        );
        registry.register(
            "cluster_hellos_written",
            "Hellos that were written for the other registries to read",
            self.hellos_written.clone(),
        );
        registry.register(
            "cluster_waiting_writes",
            "Changes that are not yet written to the database",
            self.waiting_writes.clone(),
        );
    }

    /// Whether this registry is up to date with the others.
    ///
    /// # Errors
    /// Why not, in words for the operator.
    pub fn readiness(&self) -> Result<(), &'static str> {
        if self.is_stream_up() {
            Ok(())
        } else {
            Err("the change stream is broken: users of other registries are shown as last known")
        }
    }

    fn last_change(&self) -> MutexGuard<'_, Option<(Instant, Duration)>> {
        self.last_change
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
