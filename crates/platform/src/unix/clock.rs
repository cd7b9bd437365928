//! A clock that does not stand still while the computer sleeps.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

#[cfg(any(target_os = "linux", target_os = "android"))]
const CLOCK: ClockId = ClockId::Boottime;
/// Counts sleep on macOS.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const CLOCK: ClockId = ClockId::Monotonic;

/// The time since the computer was started, with the time in which it slept.
#[must_use]
pub fn since_boot() -> Duration {
    // Never negative.
    clock_gettime(CLOCK).try_into().unwrap_or_default()
}
