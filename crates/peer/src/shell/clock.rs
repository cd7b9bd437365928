//! The clocks of a peer: a monotonic clock for deadlines, the wall clock for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use p2pchat_model::Timestamp;
use tokio::time::Instant;

use crate::machine::Now;

/// The clocks of a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    /// A monotonic clock that starts now, and the wall clock.
    pub(super) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// The time of both clocks.
    pub(super) fn now(&self) -> Now {
        Now {
            elapsed: self.start.elapsed(),
            wall: wall(),
        }
    }

    /// The moment at which this much time has passed since the start.
    pub(super) fn at(&self, elapsed: Duration) -> Instant {
        self.start + elapsed
    }
}

/// The wall-clock time.
pub(super) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    // A clock before 1970 was never set.
    Timestamp(since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }))
}
