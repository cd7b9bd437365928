//! A clock that does not stand still while the computer sleeps.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// The time since this was called first, with the time in which the computer slept: the
/// standard library's clock is the performance counter, which counts that.
#[must_use]
pub fn since_boot() -> Duration {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    FIRST.elapsed()
}
