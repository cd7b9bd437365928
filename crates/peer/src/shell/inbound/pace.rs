//! How fast one address may send: beyond that its packets wait, each for its turn.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::time::Instant;

/// The time that a packet takes of what its address may send: 20 a second.
///
/// Nobody reads twenty texts a second, and the history of a member who writes that fast all
/// day grows by less than half a gigabyte. A packet waits for those before it from its
/// address, of which there are no more than open connections
/// ([`MAX_OPEN_PER_SOURCE`](super::MAX_OPEN_PER_SOURCE)): 16 × 50 ms = 0.8 s at the most,
/// while a sender of ours waits 5 s for his text to be taken, and a notify's 1 s.
pub(super) const INTERVAL: Duration = Duration::from_millis(50);
/// How many packets an address may send at once before it has to keep to [`INTERVAL`]: the
/// longest text that can be said is 166 packets.
pub(super) const BURST: u32 = 200;
/// How many addresses are kept track of. One that has not sent for the time of a burst
/// (10 s) costs nothing; there are more only where somebody has as many addresses. Then the
/// one that has used up the least goes, which gains next to nothing by that: nobody is
/// locked out because others have many addresses.
const MAX_TRACKED: usize = 1024;

/// What the addresses have used up of late.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When an address's packets so far would have ended, had each taken its interval.
    ends: HashMap<Ipv4Addr, Instant>,
}

impl Pace {
    /// How long a packet that came now has to wait. Packets of one address get their turns
    /// in order.
    pub(super) fn wait(&mut self, source: Ipv4Addr, now: Instant) -> Duration {
        if !self.ends.contains_key(&source) && self.ends.len() >= MAX_TRACKED {
            self.make_room(now);
        }
        let end = self.ends.entry(source).or_insert(now);
        *end = (*end).max(now) + INTERVAL;
        (*end - now).saturating_sub(INTERVAL * BURST)
    }

    fn make_room(&mut self, now: Instant) {
        self.ends.retain(|_, end| *end > now);
        if self.ends.len() >= MAX_TRACKED
            && let Some((&least, _)) = self.ends.iter().min_by_key(|(_, end)| **end)
        {
            self.ends.remove(&least);
        }
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
        let (mut pace, now) = (Pace::default(), Instant::now());
        for _ in 0..BURST {
            assert_eq!(pace.wait(source(1), now), Duration::ZERO);
        }
        for turn in 1..=16 {
            assert_eq!(pace.wait(source(1), now), INTERVAL * turn);
        }
        assert_eq!(pace.wait(source(2), now), Duration::ZERO);
    }

    #[test]
    fn who_keeps_the_pace_never_waits_and_a_burst_comes_back_with_time() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for turn in 0..10 * BURST {
            assert_eq!(
                pace.wait(source(1), start + INTERVAL * turn),
                Duration::ZERO
            );
        }
        let later = start + INTERVAL * BURST * 11;
        for _ in 0..BURST {
            assert_eq!(pace.wait(source(1), later), Duration::ZERO);
        }
        assert_ne!(pace.wait(source(1), later), Duration::ZERO);
    }

    #[test]
    fn addresses_without_number_lock_out_nobody_and_free_nobody_of_his_turns() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let flood = source(0);
        for _ in 0..2 * BURST {
            pace.wait(flood, now);
        }
        let strangers = 2 * u32::try_from(MAX_TRACKED).unwrap();
        for last in 1..=strangers {
            assert_eq!(pace.wait(source(last), now), Duration::ZERO);
        }
        assert_eq!(pace.ends.len(), MAX_TRACKED);
        assert!(pace.wait(flood, now) > INTERVAL * BURST);
    }
}
