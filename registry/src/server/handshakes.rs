//! Rate limits of TLS handshakes, which are asked before the first signature is made.
//!
//! Each source has a bucket of its own. All sources where nobody was signed in before share a
//! second one, so that many addresses together get no more than a small part of a core. A source
//! where a user was signed in does not depend on it: strangers keep nobody out who was there
//! before.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use p2pchat_common::rate_limit::{Bucket, Rate, RateLimiter, WhenFull};

use crate::metrics::DropReason;
use crate::options::Handshakes;
use crate::throttle::Source;

/// How many sources are counted at a time: 3 MB. Those that nobody knows have a bucket in common
/// anyway.
const SOURCES: usize = 65_536;
/// How many sources are remembered at least where a user was signed in, those of the latest
/// sessions; up to twice as many are: 4 MB.
const KNOWN: usize = 65_536;

/// The handshakes that have begun recently, in bounded memory.
#[derive(Debug)]
pub(super) struct HandshakeLimits {
    unknown_rate: Rate,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    sources: RateLimiter<Source>,
    unknown: Bucket,
    known: Known,
}

impl HandshakeLimits {
    /// None has begun yet, and no source is known.
    pub(super) fn new(limits: &Handshakes) -> Self {
        let rate = rate(limits.handshakes, limits.handshake_rate);
        Self {
            unknown_rate: rate_of_unknown(limits),
            state: Mutex::new(State {
                sources: RateLimiter::new(rate, SOURCES, WhenFull::Admit),
                unknown: Bucket::default(),
                known: Known::with_room_for(KNOWN),
            }),
        }
    }

    /// Takes the tokens of a handshake.
    ///
    /// # Errors
    /// The reason why it may not begin.
    pub(super) fn begin(&self, source: Source, now: Duration) -> Result<(), DropReason> {
        let mut state = self.state();
        if !state.sources.has_token(source, now) {
            return Err(DropReason::HandshakeSlowed);
        }
        let is_known = state.known.contains(source);
        if !is_known && !state.unknown.try_take(self.unknown_rate, now) {
            return Err(DropReason::HandshakeStrangers);
        }
        state.sources.take(source, now);
        Ok(())
    }

    /// Remembers that a user was signed in from there.
    pub(super) fn signed_in(&self, source: Source) {
        self.state().known.insert(source);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rate(burst: NonZeroU32, per_second: NonZeroU32) -> Rate {
    Rate {
        burst: burst.get(),
        interval: Duration::from_secs(1) / per_second.get(),
    }
}

fn rate_of_unknown(limits: &Handshakes) -> Rate {
    rate(limits.unknown_handshakes, limits.unknown_handshake_rate)
}

/// Sources in two generations, so that the oldest are dropped without a search for them.
#[derive(Debug)]
struct Known {
    young: HashSet<Source>,
    old: HashSet<Source>,
    room: usize,
}

impl Known {
    fn with_room_for(room: usize) -> Self {
        Self {
            young: HashSet::new(),
            old: HashSet::new(),
            room,
        }
    }

    fn contains(&self, source: Source) -> bool {
        self.young.contains(&source) || self.old.contains(&source)
    }

    fn insert(&mut self, source: Source) {
        if self.young.len() >= self.room && !self.young.contains(&source) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&source);
        self.young.insert(source);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn source(n: u8) -> Source {
        SocketAddr::from(([10, 0, 0, n], 1)).into()
    }

    fn number(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).unwrap()
    }

    fn limits() -> HandshakeLimits {
        HandshakeLimits::new(&Handshakes {
            handshakes: number(3),
            handshake_rate: number(2),
            unknown_handshakes: number(5),
            unknown_handshake_rate: number(10),
        })
    }

    fn millis(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// How many of ten handshakes may begin.
    fn begun(limits: &HandshakeLimits, n: u8, now: Duration) -> usize {
        let begin = |_: &i32| limits.begin(source(n), now).is_ok();
        (0..10).filter(begin).count()
    }

    #[test]
    fn each_source_has_its_own_and_strangers_have_so_many_together() {
        let limits = limits();
        assert_eq!(begun(&limits, 1, millis(0)), 3);
        let refused = limits.begin(source(1), millis(0));
        assert_eq!(refused, Err(DropReason::HandshakeSlowed));
        assert_eq!(begun(&limits, 2, millis(0)), 2, "five in all");
        let refused = limits.begin(source(3), millis(0));
        assert_eq!(refused, Err(DropReason::HandshakeStrangers));
        assert_eq!(begun(&limits, 3, millis(100)), 1, "one more each 100 ms");
        assert_eq!(begun(&limits, 1, millis(400)), 0, "one more each 500 ms");
        assert_eq!(begun(&limits, 1, millis(500)), 1);
    }

    #[test]
    fn a_flood_of_strangers_keeps_nobody_out_who_was_signed_in_before() {
        let limits = limits();
        limits.signed_in(source(9));
        for n in 1..5 {
            begun(&limits, n, millis(0));
        }
        assert_eq!(begun(&limits, 9, millis(0)), 3);
        assert_eq!(begun(&limits, 5, millis(0)), 0);
    }

    #[test]
    fn the_sources_of_the_latest_sessions_are_remembered_in_bounded_memory() {
        let mut known = Known::with_room_for(10);
        for n in 0..100 {
            known.insert(source(n));
            if n % 8 == 0 {
                known.insert(source(0));
            }
            assert!(known.young.len() + known.old.len() <= 20);
        }
        assert!(known.contains(source(0)) && known.contains(source(99)));
        assert!(!known.contains(source(1)));
    }
}
