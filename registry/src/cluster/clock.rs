//! The clock of the database, by which registries share when a user was seen: [`ServerClock`].
//! The wall clocks of registries do not matter: times here count from when a registry was
//! started.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use mongodb::bson::DateTime;

/// An answer that takes longer tells too little about when the clock was read.
const MAX_ROUND_TRIP: Duration = Duration::from_millis(500);
/// By how much the clock has to differ from the one before to count as another: more than a
/// measurement can be wrong by.
const STEP: Duration = Duration::from_secs(1);
/// By how much two registries may differ in their measurement of the clock.
const TOLERANCE: Duration = Duration::from_secs(2);

/// How far the clock of the database is ahead of the one that a registry counts by.
#[derive(Debug, Default)]
pub struct ServerClock {
    /// In milliseconds; 0 until it was measured.
    ahead: AtomicI64,
}

impl ServerClock {
    /// Takes a measurement: `answer` is the time of the database, read half-way between
    /// `asked` and `answered`. Returns whether the clock has jumped, as it was set or the
    /// primary changed: then times that were written before mean something else.
    pub fn set(&self, asked: Duration, answered: Duration, answer: DateTime) -> bool {
        let took = answered.saturating_sub(asked);
        let before = self.ahead.load(Ordering::Relaxed);
        let is_set = before != 0;
        if took > MAX_ROUND_TRIP && is_set {
            return false;
        }
        let ahead = answer
            .timestamp_millis()
            .saturating_sub(millis(asked + took / 2));
        self.ahead.store(ahead, Ordering::Relaxed);
        is_set && u128::from(ahead.abs_diff(before)) > STEP.as_millis()
    }

    /// Converts a time of this registry to one of the database.
    #[must_use]
    pub fn to_server(&self, time: Duration) -> DateTime {
        DateTime::from_millis(millis(time).saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// Converts a time of the database to one of this registry: never later than `now`, and
    /// never before its first moment. A time in the future is by another clock and tells
    /// nothing, so it counts as that first moment; the registry that gets the user's Hellos
    /// writes it again.
    #[must_use]
    pub fn from_server(&self, time: DateTime, now: Duration) -> Duration {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let here = time.timestamp_millis().saturating_sub(ahead);
        let here = Duration::from_millis(u64::try_from(here).unwrap_or(0));
        if here > now + TOLERANCE {
            Duration::ZERO
        } else {
            here.min(now)
        }
    }

    /// How long ago a time of the database was; zero if it lies in the future.
    #[must_use]
    pub fn age(&self, time: DateTime, now: Duration) -> Duration {
        self.to_server(now).saturating_duration_since(time)
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(24 * 60 * 60);
    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn at(millis: i64) -> DateTime {
        DateTime::from_millis(1_700_000_000_000 + millis)
    }

    fn clock() -> ServerClock {
        let clock = ServerClock::default();
        assert!(!clock.set(NOW, NOW, at(0)), "there was none before");
        clock
    }

    #[test]
    fn times_go_there_and_back() {
        let clock = clock();
        let time = NOW - HOUR;
        assert_eq!(clock.to_server(time), at(-3_600_000));
        assert_eq!(clock.from_server(at(-3_600_000), NOW), time);
    }

    #[test]
    fn nobody_was_seen_in_the_future() {
        let clock = clock();
        assert_eq!(clock.from_server(at(500), NOW), NOW);
        assert_eq!(clock.from_server(at(3_600_000), NOW), Duration::ZERO);
        assert_eq!(clock.from_server(DateTime::MAX, NOW), Duration::ZERO);
        assert_eq!(clock.from_server(DateTime::MIN, NOW), Duration::ZERO);
    }

    #[test]
    fn another_clock_is_noticed_and_a_slow_answer_is_none() {
        let clock = clock();
        let soon = NOW + Duration::from_millis(200);
        assert!(!clock.set(NOW, soon, at(200)), "it took its time");
        assert!(!clock.set(NOW, NOW + HOUR, at(0)), "too slow to tell");
        assert!(clock.set(NOW, NOW, at(3_600_000)));
        assert_eq!(clock.from_server(at(3_600_000), NOW), NOW);
        assert!(clock.set(NOW, NOW, at(-3_600_000)));
        assert!(!clock.set(NOW, NOW, at(-3_600_500)));
    }
}
