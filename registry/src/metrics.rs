//! Counters and measurements of a registry, and the HTTP listener that exposes them:
//! [`Metrics`].
//!
//! Counting is one relaxed addition to an atomic, at most after a look-up of its labels.
//! Text is made when it is asked for ([`http`]), and what can be read off the state of the
//! server is read then (`server/monitoring.rs`). `docs/operations.md` lists all names with
//! their meaning.
//!
//! **Invariant:** no user name and no user's address is a label.

use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

mod cluster;
mod drops;
pub mod http;
pub mod ready;
mod requests;
mod sessions;
pub mod store;

pub use cluster::ClusterMetrics;
pub use drops::{DropReason, Drops};
pub use requests::Requests;
pub use sessions::{HandshakeResult, Sessions};
pub use store::StoreMetrics;

/// Everything that is counted where it happens.
#[derive(Debug)]
pub struct Metrics {
    started: SystemTime,
    /// Answered requests, by type and status.
    pub requests: Requests,
    /// Refused connections, requests and datagrams, by reason.
    pub drops: Drops,
    /// Connections, handshakes and requests of version 2.
    pub sessions: Sessions,
    /// Hello datagrams that counted.
    pub hellos: Counter,
    /// How often the online list was rebuilt.
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
            drops: Drops::default(),
            sessions: Sessions::default(),
            hellos: Counter::default(),
            list_rebuilds: Counter::default(),
            store: StoreMetrics::default(),
            cluster: OnceLock::new(),
        }
    }
}

impl Metrics {
    /// The metrics of a registry in a cluster. From the first call on they are exposed, and
    /// the registry is not ready before its change stream is up.
    pub fn cluster(&self) -> Arc<ClusterMetrics> {
        Arc::clone(self.cluster.get_or_init(Arc::default))
    }

    /// Exposes all of them.
    pub fn register(&self, registry: &mut Registry) {
        let version: Family<[(&str, &str); 1], Gauge> = Family::default();
        let labels = [("version", env!("CARGO_PKG_VERSION"))];
        version.get_or_create(&labels).set(1);
        registry.register("build_info", "The version of the program", version);
        let started = self.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        registry.register_with_unit(
            "start_time",
            "When the registry was started, in Unix time",
            Unit::Seconds,
            ConstGauge::new(started.as_secs_f64()),
        );
        registry.register(
            "ready",
            "Whether a login can be served (1) or not (0)",
            ConstGauge::new(u64::from(self.readiness().is_ok())),
        );
        self.requests.register(registry);
        self.drops.register(registry);
        self.sessions.register(registry);
        registry.register(
            "hellos",
            "Hello datagrams that counted",
            self.hellos.clone(),
        );
        registry.register(
            "list_rebuilds",
            "How often the online list was rebuilt",
            self.list_rebuilds.clone(),
        );
        self.store.register(registry);
        if let Some(cluster) = self.cluster.get() {
            cluster.register(registry);
        }
    }

    /// Whether a login can be served.
    ///
    /// # Errors
    /// Why not, in words for the operator.
    pub fn readiness(&self) -> Result<(), String> {
        self.store.readiness()?;
        match self.cluster.get() {
            Some(cluster) => Ok(cluster.readiness()?),
            None => Ok(()),
        }
    }
}
