//! The time of the database, in which registries tell each other when a user was seen.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use mongodb::bson::DateTime;

/// A question that takes longer says too little about when it was answered.
const LONGEST: Duration = Duration::from_millis(500);

/// How far the clock of the database is ahead of the one that registries count by here.
#[derive(Debug)]
pub struct ServerClock {
    epoch: Instant,
    /// In milliseconds; 0 until it was asked.
    ahead: AtomicI64,
}

impl ServerClock {
    /// A clock that has not been set. `epoch` is what [`ServerClock::now`] counts from.
    #[must_use]
    pub fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            ahead: AtomicI64::new(0),
        }
    }

    /// The time here.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Takes note of what the database answered to a question that was `asked` then: it
    /// looked at its clock half-way.
    pub fn set(&self, asked: Duration, answer: DateTime) {
        let took = self.now().saturating_sub(asked);
        let is_set = self.ahead.load(Ordering::Relaxed) != 0;
        if took > LONGEST && is_set {
            return;
        }
        let ahead = answer.timestamp_millis() - millis(asked + took / 2);
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    /// A time here as the database would have it.
    #[must_use]
    pub fn to_server(&self, time: Duration) -> DateTime {
        DateTime::from_millis(millis(time).saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// A time of the database as it is here: never in the future, where no user was seen
    /// yet, and never before the epoch.
    #[must_use]
    pub fn from_server(&self, time: DateTime) -> Duration {
        let here = time
            .timestamp_millis()
            .saturating_sub(self.ahead.load(Ordering::Relaxed));
        Duration::from_millis(u64::try_from(here).unwrap_or(0)).min(self.now())
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> ServerClock {
        let day = Duration::from_secs(24 * 60 * 60);
        ServerClock::new(Instant::now().checked_sub(day).unwrap_or_else(Instant::now))
    }

    #[test]
    fn times_go_there_and_back() {
        let clock = clock();
        clock.set(clock.now(), DateTime::now());
        let time = clock.now().saturating_sub(Duration::from_secs(30));
        let back = clock.from_server(clock.to_server(time));
        assert!(
            time.abs_diff(back) <= Duration::from_millis(1),
            "{time:?} {back:?}"
        );
    }

    #[test]
    fn nobody_was_seen_in_the_future() {
        let clock = clock();
        clock.set(clock.now(), DateTime::now());
        let tomorrow = DateTime::from_millis(DateTime::now().timestamp_millis() + 86_400_000);
        assert!(clock.from_server(tomorrow) <= clock.now());
        assert_eq!(clock.from_server(DateTime::MIN), Duration::ZERO);
    }
}
