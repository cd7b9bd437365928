//! Token buckets, as many as there are keys and no more than fit.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

/// How long a full table is left alone after it was looked through for what can go.
const PURGE_INTERVAL: Duration = Duration::from_secs(1);

/// A token bucket a key, kept as one time: when the bucket will be full again. Full ones
/// take no memory.
#[derive(Debug)]
pub struct Buckets<K> {
    burst: u32,
    interval: Duration,
    capacity: usize,
    full_again: HashMap<K, Duration>,
    next_purge: Duration,
}

impl<K: Eq + Hash> Buckets<K> {
    /// `burst` tokens in each, and one more each `interval`. When `capacity` buckets are
    /// not full, further keys are let through uncounted; the caller makes sure that so
    /// many cost more than it is worth.
    #[must_use]
    pub fn new(burst: NonZeroU32, interval: Duration, capacity: usize) -> Self {
        Self {
            burst: burst.get(),
            interval,
            capacity,
            full_again: HashMap::new(),
            next_purge: Duration::ZERO,
        }
    }

    /// Whether there is a token to take.
    #[must_use]
    pub fn has_one(&self, key: &K, now: Duration) -> bool {
        let missing = self
            .full_again
            .get(key)
            .map_or(Duration::ZERO, |time| time.saturating_sub(now));
        // Full but for less than one token: there is one left to take.
        missing <= self.interval.saturating_mul(self.burst - 1)
    }

    /// Takes a token. If there is none, it is owed: the rate over a longer time stays
    /// what was promised.
    pub fn take(&mut self, key: K, now: Duration) {
        if self.full_again.len() >= self.capacity && !self.full_again.contains_key(&key) {
            if now >= self.next_purge {
                self.full_again.retain(|_, time| *time > now);
                self.next_purge = now + PURGE_INTERVAL;
            }
            if self.full_again.len() >= self.capacity {
                return;
            }
        }
        let time = self.full_again.entry(key).or_insert(now);
        *time = (*time).max(now) + self.interval;
    }

    /// How many keys take memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.full_again.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.full_again.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPACITY: usize = 100;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn buckets() -> Buckets<usize> {
        Buckets::new(NonZeroU32::new(3).unwrap(), seconds(2), CAPACITY)
    }

    #[test]
    fn a_burst_passes_and_then_one_each_interval() {
        let mut buckets = buckets();
        for _ in 0..3 {
            assert!(buckets.has_one(&1, seconds(100)));
            buckets.take(1, seconds(100));
        }
        assert!(!buckets.has_one(&1, seconds(100)));
        assert!(!buckets.has_one(&1, seconds(101)));
        assert!(buckets.has_one(&1, seconds(102)));
        buckets.take(1, seconds(102));
        assert!(!buckets.has_one(&1, seconds(103)));
        assert!(buckets.has_one(&1, seconds(1000)));
    }

    #[test]
    fn what_is_taken_beyond_the_last_token_is_owed() {
        let mut buckets = buckets();
        (0..5).for_each(|_| buckets.take(1, seconds(0)));
        assert!(!buckets.has_one(&1, seconds(5)));
        assert!(buckets.has_one(&1, seconds(6)));
    }

    #[test]
    fn one_key_does_not_use_up_what_another_has() {
        let mut buckets = buckets();
        (0..50).for_each(|_| buckets.take(1, seconds(1)));
        assert!(!buckets.has_one(&1, seconds(1)));
        assert!(buckets.has_one(&2, seconds(1)));
    }

    #[test]
    fn the_memory_it_takes_has_a_bound() {
        let mut buckets = buckets();
        (0..CAPACITY + 10).for_each(|key| buckets.take(key, seconds(1)));
        assert_eq!(buckets.len(), CAPACITY);
        buckets.take(CAPACITY + 1, seconds(10));
        assert_eq!(buckets.len(), 1, "the full ones were forgotten");
    }
}
