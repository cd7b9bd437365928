//! What operators see of a running server: health, readiness, metrics, and the refusals that
//! the log sums up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use p2pchat_protocol::Username;
use prometheus_client::encoding::text;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Shared;
use crate::metrics::http::{self, Monitored};
use crate::metrics::store::PROBE_INTERVAL;
use crate::vital::VitalTask;

/// What the name of each metric begins with.
const PREFIX: &str = "p2pchat_registry";
/// The account that the store is asked for to see whether it answers.
const PROBE: &str = "readyz";
/// How often the refusals are logged, if there were more.
const SUMMARY_INTERVAL: Duration = Duration::from_secs(60);
/// How often a failure is logged that comes with every request or connection while
/// something is away. Each of them is counted.
const FAILURE_INTERVAL: Duration = Duration::from_secs(1);

/// The HTTP listener, and the task that probes the store.
pub(super) struct MonitoringTasks {
    /// However this ends, the listener stops.
    stop: DropGuard,
    listening: VitalTask,
    probing: VitalTask,
}

impl MonitoringTasks {
    /// Starts both. The listener outlives the others, to answer that the server stops.
    pub(super) fn start(listener: TcpListener, shared: &Arc<Shared>) -> Self {
        let stop = CancellationToken::new();
        let monitored = Arc::new(MonitoredServer(Arc::clone(shared)));
        Self {
            listening: (shared.vital).spawn(
                "listener for monitoring",
                http::run(listener, monitored, stop.clone()),
            ),
            probing: (shared.vital).spawn("store probe", probe_store(Arc::clone(shared))),
            stop: stop.drop_guard(),
        }
    }

    pub(super) async fn stop(self) {
        drop(self.stop);
        self.listening.join().await;
        self.probing.join().await;
    }
}

/// Asks the store for something while no request does, so that it is known whether it
/// answers.
async fn probe_store(shared: Arc<Shared>) {
    let stop = &shared.stop;
    let name = Username::new(PROBE).expect("the constant is a name");
    let mut ticks = interval(PROBE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if shared.metrics.store.silence() >= PROBE_INTERVAL {
            // The store notes the result by itself, and its calls have deadlines.
            let _ = stop.run_until_cancelled(shared.store.find(name)).await;
        }
    }
}

/// What the HTTP listener exposes.
struct MonitoredServer(Arc<Shared>);

impl Monitored for MonitoredServer {
    fn readiness(&self) -> Result<(), String> {
        if self.0.stop.is_cancelled() {
            return Err("this registry stops".to_owned());
        }
        self.0.metrics.readiness()
    }

    fn exposition(&self) -> String {
        let mut registry = Registry::with_prefix(PREFIX);
        self.0.metrics.register(&mut registry);
        self.0.register_gauges(&mut registry);
        let mut text = String::new();
        text::encode(&mut text, &registry).expect("writing to a String cannot fail");
        text
    }
}

impl Shared {
    /// Exposes what is read off the state of the server.
    fn register_gauges(&self, registry: &mut Registry) {
        let mut gauge = |name: &str, help: &str, value: usize| {
            registry.register(name, help, ConstGauge::new(value));
        };
        gauge(
            "users_online",
            "Users who are online",
            self.presence.count(),
        );
        gauge(
            "sessions",
            "Encrypted sessions of this registry that are signed in",
            self.live.count(),
        );
        gauge(
            "subscribers",
            "Encrypted sessions that presence is pushed to",
            self.presence.feed().subscribers(),
        );
        let (open, max) = self.slots.taken();
        gauge("connections_open", "Open connections", open);
        gauge("connections_max", "Limit of open connections", max);
        let passwords = &self.passwords;
        gauge(
            "hash_queue_length",
            "Passwords that wait to be hashed",
            passwords.waiting(),
        );
        gauge(
            "hash_queue_max",
            "Limit of passwords that wait to be hashed",
            passwords.capacity(),
        );
        gauge(
            "hash_workers",
            "Threads that hash passwords",
            passwords.workers(),
        );
        gauge(
            "hash_workers_busy",
            "Threads that are hashing a password now",
            passwords.busy(),
        );
    }
}

/// Logs the refusals once a minute if there were more, and a last time when told to stop:
/// enough to see them, and no more than an attacker should be able to write there.
pub(super) async fn log_refusals(shared: Arc<Shared>) {
    let mut ticks = interval_at(Instant::now() + SUMMARY_INTERVAL, SUMMARY_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut logged = String::new();
    loop {
        let is_running = (shared.stop)
            .run_until_cancelled(ticks.tick())
            .await
            .is_some();
        let counted = shared.metrics.drops.to_string();
        if counted != logged {
            tracing::info!("refused since the start: {counted}");
            logged = counted;
        }
        if !is_running {
            break;
        }
    }
}

/// Rate limit of a log line that an outage would repeat with every request.
#[derive(Debug, Default)]
pub(super) struct LogThrottle {
    /// When it may be logged again, in milliseconds.
    next: AtomicU64,
}

impl LogThrottle {
    /// Whether the line is due now. The caller then has to log it.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let next = self.next.load(Ordering::Relaxed);
        let later = millis(now.saturating_add(FAILURE_INTERVAL));
        let exchange =
            || (self.next).compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed);
        millis(now) >= next && exchange().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_all_the_time_is_logged_once_a_second() {
        let throttle = LogThrottle::default();
        let logged = (0..10_000).map(Duration::from_millis);
        assert_eq!(logged.filter(|&now| throttle.is_due(now)).count(), 10);
    }
}
