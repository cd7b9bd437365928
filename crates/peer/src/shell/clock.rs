//! The clocks of a peer: a monotonic clock for deadlines, the wall clock for people.
//!
//! The monotonic clock counts the time in which the computer sleeps, as the timers of tokio and
//! [`std::time::Instant`] do not on Linux and macOS: ten minutes without a member are over when
//! the lid has been down for ten minutes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use p2pchat_model::Timestamp;
use p2pchat_platform::clock::since_boot;
use tokio::time::sleep;

use crate::machine::Now;

/// After how long at most a wait looks at the clock again: it ends this late where the computer
/// slept meanwhile. Hellos wake a peer every few seconds in any case.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The clocks of a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    since_boot: fn() -> Duration,
    look_again: Duration,
    start: Duration,
}

impl Clock {
    /// A monotonic clock that starts now, and the wall clock.
    pub(super) fn start() -> Self {
        Self {
            since_boot,
            look_again: LOOK_AGAIN,
            start: since_boot(),
        }
    }

    /// The time of both clocks.
    pub(super) fn now(&self) -> Now {
        Now {
            elapsed: self.elapsed(),
            wall: wall(),
        }
    }

    fn elapsed(&self) -> Duration {
        (self.since_boot)().saturating_sub(self.start)
    }

    /// Waits until this much time has passed since the start.
    pub(super) async fn sleep_until(&self, elapsed: Duration) {
        loop {
            let left = elapsed.saturating_sub(self.elapsed());
            if left.is_zero() {
                return;
            }
            sleep(left.min(self.look_again)).await;
        }
    }

    /// What a future returns; `None` if that takes longer than `limit`.
    pub(super) async fn timeout<T>(
        &self,
        limit: Duration,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        let end = self.elapsed().saturating_add(limit);
        tokio::select! {
            biased;
            output = future => Some(output),
            () = self.sleep_until(end) => None,
        }
    }
}

/// The wall-clock time.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    // A clock before 1970 was never set.
    Timestamp(since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::shell::testing::within;

    const TEN_MINUTES: Duration = Duration::from_secs(600);

    #[tokio::test]
    async fn a_wait_is_over_when_the_computer_has_slept_as_long() {
        // The timers of tokio do not count this sleep.
        static SLEPT: AtomicU64 = AtomicU64::new(0);
        let clock = Clock {
            since_boot: || Duration::from_secs(SLEPT.load(Ordering::Relaxed)),
            look_again: Duration::from_millis(10),
            start: Duration::ZERO,
        };
        let wait = tokio::spawn(async move { clock.sleep_until(TEN_MINUTES).await });
        let limit = tokio::spawn(async move {
            let never = std::future::pending::<()>();
            clock.timeout(TEN_MINUTES, never).await
        });
        sleep(3 * clock.look_again).await;
        assert!(!wait.is_finished() && !limit.is_finished());
        SLEPT.store(TEN_MINUTES.as_secs(), Ordering::Relaxed);
        within("the end", wait).await.unwrap();
        assert_eq!(within("the limit", limit).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_wait_takes_its_time() {
        let (clock, wait) = (Clock::start(), Duration::from_millis(30));
        let began = std::time::Instant::now();
        clock.sleep_until(wait).await;
        assert!(began.elapsed() >= wait - Duration::from_millis(1));
        assert!(clock.now().elapsed >= wait);
        assert_eq!(clock.timeout(wait, async { 1 }).await, Some(1));
    }
}
