//! Token buckets: a burst passes at once, and then as many as the rate allows.
//!
//! A bucket is one time, when it will be full again (the generic cell rate algorithm), so
//! buckets that are full need no memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// How long a full table is left alone after it was searched for buckets that can go.
const PURGE_INTERVAL: Duration = Duration::from_secs(1);

/// How many tokens a bucket holds, and how fast they come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Tokens in a full bucket. At least 1; 0 counts as 1.
    pub burst: u32,
    /// The time until one more token is there.
    pub interval: Duration,
}

impl Rate {
    /// How far the time when a bucket is full again may be away while a token is left.
    fn tolerance(self) -> Duration {
        self.interval.saturating_mul(self.burst.saturating_sub(1))
    }
}

/// One token bucket. Times are those of a clock that never goes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    full_at: Duration,
}

impl Bucket {
    /// The time until a token is there to take; zero if there is one.
    #[must_use]
    pub fn wait(&self, rate: Rate, now: Duration) -> Duration {
        self.full_at
            .saturating_sub(now)
            .saturating_sub(rate.tolerance())
    }

    /// Takes a token. One that is not there yet is owed, so the rate over a longer time
    /// holds: after `n` of them too many, the wait is `n` intervals.
    pub fn take(&mut self, rate: Rate, now: Duration) {
        self.full_at = self.full_at.max(now) + rate.interval;
    }

    /// Takes a token if there is one, and says whether there was.
    pub fn try_take(&mut self, rate: Rate, now: Duration) -> bool {
        let has_token = self.wait(rate, now).is_zero();
        if has_token {
            self.take(rate, now);
        }
        has_token
    }
}

/// What happens to a new key while the table is full of buckets that are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It has its tokens, uncounted: for limits where so many keys cost the attacker more
    /// than passing is worth.
    Admit,
    /// It has none.
    Reject,
    /// It takes the place of the bucket that is nearest to full. Costs a look at each.
    Evict,
}

/// A token bucket for each key, in bounded memory.
#[derive(Debug)]
pub struct RateLimiter<K> {
    rate: Rate,
    capacity: usize,
    when_full: WhenFull,
    buckets: HashMap<K, Bucket>,
    next_purge: Duration,
}

impl<K: Eq + Hash + Copy> RateLimiter<K> {
    /// All buckets full. At most `capacity` of those that are not are kept.
    #[must_use]
    pub fn new(rate: Rate, capacity: usize, when_full: WhenFull) -> Self {
        Self {
            rate,
            capacity,
            when_full,
            buckets: HashMap::new(),
            next_purge: Duration::ZERO,
        }
    }

    /// Whether a key has a token to take.
    #[must_use]
    pub fn has_token(&self, key: K, now: Duration) -> bool {
        let bucket = self.buckets.get(&key).copied().unwrap_or_default();
        bucket.wait(self.rate, now).is_zero()
    }

    /// Takes a token of a key, if need be one that is not there yet, and returns how long
    /// its turn is away. Turns of one key come in order.
    pub fn take(&mut self, key: K, now: Duration) -> Duration {
        let rate = self.rate;
        if self.buckets.len() >= self.capacity && !self.buckets.contains_key(&key) {
            self.make_room(now);
            if self.buckets.len() >= self.capacity {
                return match self.when_full {
                    WhenFull::Reject => Duration::MAX,
                    WhenFull::Admit | WhenFull::Evict => Duration::ZERO,
                };
            }
        }
        let bucket = self.buckets.entry(key).or_default();
        let wait = bucket.wait(rate, now);
        bucket.take(rate, now);
        wait
    }

    /// Takes a token of a key if there is one, and says whether there was.
    pub fn try_take(&mut self, key: K, now: Duration) -> bool {
        self.has_token(key, now) && self.take(key, now).is_zero()
    }

    /// Fills the bucket of a key again.
    pub fn forget(&mut self, key: K) {
        self.buckets.remove(&key);
    }

    /// How many buckets are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    fn make_room(&mut self, now: Duration) {
        if now >= self.next_purge {
            self.buckets.retain(|_, bucket| bucket.full_at > now);
            self.next_purge = now + PURGE_INTERVAL;
        }
        if self.when_full == WhenFull::Evict && self.buckets.len() >= self.capacity {
            let fullest = self.buckets.iter().min_by_key(|(_, bucket)| bucket.full_at);
            if let Some((&fullest, _)) = fullest {
                self.buckets.remove(&fullest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        interval: Duration::from_secs(2),
    };
    const CAPACITY: usize = 100;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn limiter(when_full: WhenFull) -> RateLimiter<usize> {
        RateLimiter::new(RATE, CAPACITY, when_full)
    }

    #[test]
    fn a_burst_passes_and_then_one_each_interval() {
        let mut limiter = limiter(WhenFull::Admit);
        for _ in 0..3 {
            assert!(limiter.try_take(1, seconds(100)));
        }
        assert!(!limiter.try_take(1, seconds(100)));
        assert!(!limiter.try_take(1, seconds(101)));
        assert!(limiter.try_take(1, seconds(102)));
        assert!(!limiter.has_token(1, seconds(103)));
        assert!(limiter.has_token(1, seconds(1000)));
    }

    #[test]
    fn what_is_taken_beyond_the_last_token_is_owed_and_turns_come_in_order() {
        let mut limiter = limiter(WhenFull::Admit);
        let waits: Vec<_> = (0..5).map(|_| limiter.take(1, seconds(0))).collect();
        assert_eq!(waits, [0, 0, 0, 2, 4].map(seconds));
        assert!(!limiter.has_token(1, seconds(5)));
        assert!(limiter.has_token(1, seconds(6)));
    }

    #[test]
    fn a_bucket_alone_says_when_the_next_token_is_there() {
        let mut bucket = Bucket::default();
        assert_eq!(
            (0..9).filter(|_| bucket.try_take(RATE, seconds(7))).count(),
            3
        );
        assert_eq!(bucket.wait(RATE, seconds(8)), seconds(1));
        assert!(bucket.try_take(RATE, seconds(9)));
    }

    #[test]
    fn one_key_does_not_use_up_the_tokens_of_another() {
        let mut limiter = limiter(WhenFull::Admit);
        for _ in 0..50 {
            limiter.take(1, seconds(1));
        }
        assert!(!limiter.has_token(1, seconds(1)));
        assert!(limiter.has_token(2, seconds(1)));
    }

    #[test]
    fn memory_is_bounded_and_a_new_key_is_admitted_rejected_or_takes_a_place() {
        for (when_full, passes) in [
            (WhenFull::Admit, true),
            (WhenFull::Reject, false),
            (WhenFull::Evict, true),
        ] {
            let mut limiter = limiter(when_full);
            for _ in 0..3 {
                limiter.take(0, seconds(1));
            }
            for key in 1..CAPACITY {
                limiter.take(key, seconds(1));
            }
            assert_eq!(
                limiter.try_take(CAPACITY, seconds(1)),
                passes,
                "{when_full:?}"
            );
            assert_eq!(limiter.len(), CAPACITY);
            assert!(!limiter.has_token(0, seconds(1)), "who took most is kept");
            assert!(limiter.try_take(CAPACITY + 1, seconds(10)));
            assert_eq!(limiter.len(), 1, "full buckets are forgotten");
        }
    }
}
