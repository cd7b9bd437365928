//! Wall-clock time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use p2pchat_model::Timestamp;

/// The time now.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(0).after(since.unwrap_or(Duration::ZERO))
}
