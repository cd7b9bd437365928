//! What a registry counts and measures, and how that is asked for: [`Metrics`].
//!
//! Whatever happens often is counted by one relaxed addition to an atomic that is known
//! beforehand: no lock, and no looking up of labels. Names and texts are made when
//! somebody asks ([`http`]). `docs/operations.md` has all names with their meaning.
//!
//! **Invariant:** no user's name and no address of one is a label.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use prometheus_client::metrics::counter::Counter;

pub mod cluster;
pub mod http;
pub mod requests;
pub mod store;
pub mod text;

pub use cluster::ClusterMetrics;
pub use requests::Requests;
pub use store::StoreMetrics;

/// Everything that is counted where it happens. The rest is looked at when somebody asks.
#[derive(Debug)]
pub struct Metrics {
    /// When the registry was started.
    pub started: SystemTime,
    /// Requests, by type and by the status of their answers.
    pub requests: Requests,
    /// Hello datagrams that counted.
    pub hellos: Counter,
    /// How often the online list was made anew.
    pub list_rebuilds: Counter,
    /// Calls of the account store.
    pub store: StoreMetrics,
    cluster: OnceLock<Arc<ClusterMetrics>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started: SystemTime::now(),
            requests: Requests::default(),
            hellos: Counter::default(),
            list_rebuilds: Counter::default(),
            store: StoreMetrics::default(),
            cluster: OnceLock::new(),
        }
    }
}

impl Metrics {
    /// What a registry tells that is one of several. From the first call on it is exposed,
    /// and the registry is not ready before its change stream is up.
    pub fn cluster(&self) -> Arc<ClusterMetrics> {
        Arc::clone(self.cluster.get_or_init(Arc::default))
    }

    /// The same, `None` if this registry is the only one.
    #[must_use]
    pub fn joined_cluster(&self) -> Option<&ClusterMetrics> {
        self.cluster.get().map(Arc::as_ref)
    }

    /// Whether a login can be served.
    ///
    /// # Errors
    /// Why not, in words for the operator.
    pub fn readiness(&self) -> Result<(), String> {
        self.store.readiness()?;
        self.joined_cluster()
            .map_or(Ok(()), ClusterMetrics::readiness)
    }
}
