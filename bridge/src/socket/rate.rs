//! How many frames a socket may send.

use std::time::{Duration, Instant};

/// A bucket of tokens: a frame takes one, and one comes back at each interval.
#[derive(Debug)]
pub(super) struct Bucket {
    interval: Duration,
    depth: Duration,
    /// When the bucket would be full again.
    full_at: Instant,
}

impl Bucket {
    /// A full one: `burst` tokens, and `rate` a second come back.
    pub(super) fn new(burst: u32, rate: u32, now: Instant) -> Self {
        let interval = Duration::from_secs(1) / rate.max(1);
        Self {
            interval,
            depth: interval * burst,
            full_at: now,
        }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + self.interval;
        let there_is = full_at - now <= self.depth;
        if there_is {
            self.full_at = full_at;
        }
        there_is
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_as_many_as_come_back() {
        let start = Instant::now();
        let mut bucket = Bucket::new(5, 10, start);
        let mut taken_at = |after| {
            let now = start + Duration::from_millis(after);
            (0..100).filter(|_| bucket.take(now)).count()
        };
        assert_eq!(taken_at(0), 5);
        assert_eq!(taken_at(200), 2);
        assert_eq!(taken_at(3_600_000), 5);
    }
}
