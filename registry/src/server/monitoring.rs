//! What those who watch a registry are told, and the tasks that tell them.

use std::fmt;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use p2pchat_protocol::Username;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Shared, join};
use crate::counters::Reason;
use crate::metrics::http::{self, Watched};
use crate::metrics::store::PROBE_INTERVAL;
use crate::metrics::text::{self, Source, Writer};
use crate::metrics::{ClusterMetrics, Metrics};

/// Whom the store is asked about to see whether it answers.
const PROBE: &str = "readyz";

/// What the listener answers from.
struct Watch {
    shared: Arc<Shared>,
    /// Cancelled when the server stops.
    stopping: CancellationToken,
}

/// The listener, and the task that looks after the store.
pub(super) struct Watching {
    /// However this ends, the listener hears of it.
    stop: DropGuard,
    listening: JoinHandle<()>,
    probing: JoinHandle<()>,
}

impl Watching {
    /// Starts both. The listener outlives `stopping`, to say that the server stops.
    pub(super) fn start(
        listener: TcpListener,
        shared: &Arc<Shared>,
        stopping: &CancellationToken,
    ) -> Self {
        let stop = CancellationToken::new();
        let watch = Arc::new(Watch {
            shared: Arc::clone(shared),
            stopping: stopping.clone(),
        });
        Self {
            listening: tokio::spawn(http::run(listener, watch, stop.clone())),
            probing: tokio::spawn(probe(Arc::clone(shared), stopping.clone())),
            stop: stop.drop_guard(),
        }
    }

    pub(super) async fn stop(self) {
        drop(self.stop);
        join("listening for watchers", self.listening).await;
        join("probing the store", self.probing).await;
    }
}

/// Asks the store for something when nobody else does, so that it is known whether it
/// answers.
async fn probe(shared: Arc<Shared>, stop: CancellationToken) {
    let name = Username::new(PROBE).expect("the constant is a name");
    let mut ticks = interval(PROBE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if shared.metrics.store.silence() >= PROBE_INTERVAL {
            // What comes of it is noted by the store itself, and its calls have deadlines.
            let _ = stop.run_until_cancelled(shared.store.find(name)).await;
        }
    }
}

impl Watched for Watch {
    fn readiness(&self) -> Result<(), String> {
        if self.stopping.is_cancelled() {
            return Err("this registry stops".to_owned());
        }
        self.shared.metrics.readiness()
    }

    fn exposition(&self) -> String {
        text::exposition(Arc::clone(&self.shared))
    }
}

impl Source for Arc<Shared> {
    fn write(&self, to: &mut Writer<'_>) -> fmt::Result {
        let metrics = &self.metrics;
        write_process(to, metrics)?;
        let ready = u64::from(metrics.readiness().is_ok());
        to.gauge(
            "ready",
            "Whether a login can be served (1) or not (0)",
            ready,
        )?;
        self.write_users(to)?;
        write_requests(to, metrics)?;
        self.write_passwords(to)?;
        let help = "Time that a call of the account store took";
        to.times("store_operation", help, &metrics.store.calls)?;
        self.write_drops(to)?;
        match metrics.joined_cluster() {
            Some(cluster) => write_cluster(to, cluster),
            None => Ok(()),
        }
    }
}

impl Shared {
    fn write_users(&self, to: &mut Writer<'_>) -> fmt::Result {
        let online = self.presence.count();
        to.gauge("users_online", "Users who are online", online)?;
        let (open, max) = self.places.taken();
        to.gauge("connections_open", "Open connections", open)?;
        to.gauge("connections_max", "Connections that there may be", max)
    }

    fn write_passwords(&self, to: &mut Writer<'_>) -> fmt::Result {
        let pool = &self.passwords;
        let help = "Passwords that wait to be hashed";
        to.gauge("hash_queue_length", help, pool.waiting())?;
        let help = "Passwords that may wait to be hashed";
        to.gauge("hash_queue_max", help, pool.room())?;
        to.gauge(
            "hash_workers",
            "Threads that hash passwords",
            pool.workers(),
        )?;
        let help = "Threads that hash a password at this moment";
        to.gauge("hash_workers_busy", help, pool.busy())
    }

    fn write_drops(&self, to: &mut Writer<'_>) -> fmt::Result {
        let help = "What was turned away, by reason";
        let of = |reason: Reason| ([("reason", reason.name())], self.counters.get(reason));
        to.counters("drops", help, Reason::ALL.map(of))
    }
}

fn write_process(to: &mut Writer<'_>, metrics: &Metrics) -> fmt::Result {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    to.info("build_info", "The version of the program", version)?;
    let started = metrics.started.duration_since(UNIX_EPOCH);
    let help = "When the registry was started, in Unix time";
    to.seconds(
        "start_time",
        help,
        started.unwrap_or_default().as_secs_f64(),
    )
}

fn write_requests(to: &mut Writer<'_>, metrics: &Metrics) -> fmt::Result {
    let answers: Vec<_> = metrics.requests.all().collect();
    let texts: Vec<String> = answers
        .iter()
        .map(|(_, status, _)| status.to_string())
        .collect();
    let help = "Requests, by type and by the status of their answers";
    let counters = answers.iter().zip(&texts);
    let counters =
        counters.map(|((kind, _, count), status)| ([("type", *kind), ("status", status)], *count));
    to.counters("requests", help, counters)?;
    let help = "Hello datagrams that counted";
    to.counter("hellos", help, metrics.hellos.get())?;
    let help = "How often the online list was made anew";
    to.counter("list_rebuilds", help, metrics.list_rebuilds.get())
}

fn write_cluster(to: &mut Writer<'_>, cluster: &ClusterMetrics) -> fmt::Result {
    let help = "Whether the change stream is up (1) or broken (0)";
    to.gauge("cluster_stream_up", help, u64::from(cluster.is_stream_up()))?;
    let help = "How old the last news of the other registries was; while the stream is broken, is";
    if let Some(lag) = cluster.lag() {
        to.seconds("cluster_stream_lag", help, lag.as_secs_f64())?;
    }
    let help = "Whether the database took the last write (1) or not (0)";
    to.gauge(
        "cluster_database_up",
        help,
        u64::from(cluster.is_database_up()),
    )?;
    let help = "How often the change stream broke";
    to.counter("cluster_stream_breaks", help, cluster.stream_breaks.get())?;
    let help = "How often who is online was read anew from the database";
    to.counter("cluster_rebuilds", help, cluster.rebuilds.get())?;
    let help = "Documents and changes among those of the registries that none of them wrote";
    to.counter("cluster_foreign_documents", help, cluster.foreign.get())?;
    let help = "Hellos that were written for the other registries to read";
    to.counter("cluster_hellos_written", help, cluster.hellos_written.get())?;
    let help = "Changes that the database has yet to be told";
    to.gauge("cluster_waiting_writes", help, cluster.waiting_writes.get())
}
