//! Failed logins by address: who guesses passwords is slowed down, and nobody else.
//!
//! What counts is where the guesses come from and not whom they are about, so a stranger
//! cannot lock a user out of his account from elsewhere.
//!
//! **Invariant:** no clock in here; `now` is passed in.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many addresses are remembered: 1.5 MB. Beyond it, those who have been slowed down
/// stay so and new ones are let through: each costs its owner a full TCP connection.
const MAX_ADDRESSES: usize = 65_536;

/// A token bucket an address, kept as one time: when the bucket will be full again.
#[derive(Debug)]
pub struct Throttle {
    burst: u32,
    interval: Duration,
    full_again: Mutex<HashMap<Ipv4Addr, Duration>>,
}

impl Throttle {
    /// Lets `burst` failures in a row pass, then one each `interval`.
    #[must_use]
    pub fn new(burst: NonZeroU32, interval: Duration) -> Self {
        Self {
            burst: burst.get(),
            interval,
            full_again: Mutex::default(),
        }
    }

    /// Whether an address has used up its failures.
    pub fn is_limited(&self, address: Ipv4Addr, now: Duration) -> bool {
        let full_again = self
            .full_again
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let missing = full_again
            .get(&address)
            .map_or(Duration::ZERO, |&t| t.saturating_sub(now));
        // Full but for less than one token: there is one left to take.
        missing > self.interval.saturating_mul(self.burst - 1)
    }

    /// Counts a failure. Those that were under way when the limit was reached count too,
    /// so the rate over a longer time is what was promised.
    pub fn failed(&self, address: Ipv4Addr, now: Duration) {
        let mut full_again = self
            .full_again
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if full_again.len() >= MAX_ADDRESSES && !full_again.contains_key(&address) {
            full_again.retain(|_, time| *time > now);
            if full_again.len() >= MAX_ADDRESSES {
                return;
            }
        }
        let time = full_again.entry(address).or_insert(now);
        *time = (*time).max(now) + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn throttle() -> Throttle {
        Throttle::new(NonZeroU32::new(3).unwrap(), seconds(2))
    }

    #[test]
    fn a_burst_passes_and_then_one_each_interval() {
        let throttle = throttle();
        for _ in 0..3 {
            assert!(!throttle.is_limited(A, seconds(100)));
            throttle.failed(A, seconds(100));
        }
        assert!(throttle.is_limited(A, seconds(100)));
        assert!(throttle.is_limited(A, seconds(101)));
        assert!(!throttle.is_limited(A, seconds(102)));
        throttle.failed(A, seconds(102));
        assert!(throttle.is_limited(A, seconds(103)));
        assert!(!throttle.is_limited(A, seconds(1000)));
    }

    #[test]
    fn one_address_does_not_slow_another() {
        let throttle = throttle();
        (0..50).for_each(|_| throttle.failed(A, seconds(1)));
        assert!(throttle.is_limited(A, seconds(1)));
        assert!(!throttle.is_limited(B, seconds(1)));
    }

    #[test]
    fn the_memory_it_takes_has_a_bound() {
        let throttle = throttle();
        for n in 0..MAX_ADDRESSES as u32 + 10 {
            throttle.failed(Ipv4Addr::from(0x0a00_0000 + n), seconds(1));
        }
        assert_eq!(throttle.full_again.lock().unwrap().len(), MAX_ADDRESSES);
        throttle.failed(Ipv4Addr::new(192, 168, 0, 1), seconds(10));
        assert_eq!(
            throttle.full_again.lock().unwrap().len(),
            1,
            "the old ones were forgotten"
        );
    }
}
