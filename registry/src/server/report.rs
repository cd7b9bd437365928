//! What the log says of what is turned away: enough to see it, and no more than an
//! attacker should be able to write there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::counters::{Counters, Snapshot};

/// How often the counters are logged, if they have moved.
const INTERVAL: Duration = Duration::from_secs(60);
/// How often a failure is logged that comes with every request or connection while
/// something is away. Each of them is counted.
const FAILURE_INTERVAL: Duration = Duration::from_secs(1);

/// Logs the counters now and then, and a last time when told to stop.
pub(super) async fn run(counters: Arc<Counters>, stop: CancellationToken) {
    let mut ticks = interval_at(Instant::now() + INTERVAL, INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reported = Snapshot::default();
    loop {
        let goes_on = stop.run_until_cancelled(ticks.tick()).await.is_some();
        let counted = counters.snapshot();
        if counted != reported {
            tracing::info!("turned away since the start: {counted}");
            reported = counted;
        }
        if !goes_on {
            break;
        }
    }
}

/// Something that is logged seldom, however often it happens.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    /// When it may be logged again, in milliseconds.
    next: AtomicU64,
}

impl Seldom {
    /// Whether it was not logged a moment ago. Whoever is told so has to log it.
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
        let seldom = Seldom::default();
        let logged = (0..10_000).map(Duration::from_millis);
        assert_eq!(logged.filter(|&now| seldom.is_due(now)).count(), 10);
    }
}
