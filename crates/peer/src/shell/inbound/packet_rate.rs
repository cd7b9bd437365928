//! The rate limit on the packets of one address: beyond it, each packet waits for its turn.

use std::net::Ipv4Addr;
use std::time::Duration;

use p2pchat_common::rate_limit::{Rate, RateLimiter, WhenFull};
use tokio::time::Instant;

/// The time until an address may send one more packet: 20 a second.
///
/// No one reads twenty texts a second, and the history of a member who writes that fast all
/// day grows by less than half a gigabyte. A packet waits for those before it from its
/// address, of which there are no more than open connections
/// ([`MAX_OPEN_PER_SOURCE`](super::MAX_OPEN_PER_SOURCE)): at most 16 × 50 ms = 0.8 s, while a
/// sender of ours waits 5 s for a text to be taken, and 1 s for a notify.
pub(super) const INTERVAL: Duration = Duration::from_millis(50);
/// How many packets an address may send at once before [`INTERVAL`] applies: the longest
/// text that a user can send is 166 packets.
pub(super) const BURST: u32 = 200;
/// How many addresses are tracked. One that has not sent for the time of a burst (10 s) costs
/// nothing; there are more only if an attacker has as many addresses. Then the one that has
/// used up the least is forgotten, which gains next to nothing by that: no one is locked out
/// because others have many addresses.
const MAX_TRACKED: usize = 1024;

/// The rate limiter of a listener: a token bucket for each address.
#[derive(Debug)]
pub(super) struct PacketRate {
    began: Instant,
    limiter: RateLimiter<Ipv4Addr>,
}

impl PacketRate {
    pub(super) fn new(now: Instant) -> Self {
        let (burst, interval) = (BURST, INTERVAL);
        Self {
            began: now,
            limiter: RateLimiter::new(Rate { burst, interval }, MAX_TRACKED, WhenFull::Evict),
        }
    }

    /// How long a packet that arrived now has to wait. Packets of one address get their turns
    /// in order.
    pub(super) fn wait(&mut self, source: Ipv4Addr, now: Instant) -> Duration {
        self.limiter.take(source, now - self.began)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(last: u32) -> Ipv4Addr {
        Ipv4Addr::from(0x0a00_0000 + last)
    }

    #[test]
    fn the_longest_text_waits_for_nothing_and_a_flood_for_its_turns() {
        let now = Instant::now();
        let mut rate = PacketRate::new(now);
        for _ in 0..BURST {
            assert_eq!(rate.wait(source(1), now), Duration::ZERO);
        }
        for turn in 1..=16 {
            assert_eq!(rate.wait(source(1), now), INTERVAL * turn);
        }
        assert_eq!(rate.wait(source(2), now), Duration::ZERO);
    }

    #[test]
    fn an_address_within_the_rate_never_waits_and_a_burst_comes_back_with_time() {
        let start = Instant::now();
        let mut rate = PacketRate::new(start);
        for turn in 0..10 * BURST {
            assert_eq!(
                rate.wait(source(1), start + INTERVAL * turn),
                Duration::ZERO
            );
        }
        let later = start + INTERVAL * BURST * 11;
        for _ in 0..BURST {
            assert_eq!(rate.wait(source(1), later), Duration::ZERO);
        }
        assert_ne!(rate.wait(source(1), later), Duration::ZERO);
    }

    #[test]
    fn any_number_of_addresses_locks_out_none_and_frees_none_of_its_turns() {
        let now = Instant::now();
        let mut rate = PacketRate::new(now);
        let flood = source(0);
        for _ in 0..2 * BURST {
            rate.wait(flood, now);
        }
        let strangers = 2 * u32::try_from(MAX_TRACKED).unwrap();
        for last in 1..=strangers {
            assert_eq!(rate.wait(source(last), now), Duration::ZERO);
        }
        assert_eq!(rate.limiter.len(), MAX_TRACKED);
        assert!(rate.wait(flood, now) > INTERVAL * BURST);
    }
}
