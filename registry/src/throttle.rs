//! Failed logins: who guesses passwords is slowed down, and nobody else.
//!
//! Two things are wanted that pull in opposite directions: whoever guesses a user's
//! password, from however many addresses, gets few guesses; and whoever fails on purpose
//! keeps the user from nothing. So a login may be tried
//!
//! - where that name was logged in before: as long as the bucket of this name at this
//!   address has a token. Nothing that is done elsewhere, or about other names, takes one;
//! - anywhere else: as long as the bucket of the address has a token, and that of the
//!   name; while the name's is empty, a small one of this name at this address stands in
//!   for it. A stranger empties the former two, never the latter of somebody else.
//!
//! A failure takes the tokens that let it be tried. What is left to a stranger is an
//! address that he shares with the user, where nobody could tell the two apart.
//!
//! Names without an account are counted like others, or the difference would tell.
//!
//! **Invariant:** no clock in here; `now` is passed in.

use std::hash::Hash;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use p2pchat_common::rate_limit::{Rate, RateLimiter, WhenFull};
use p2pchat_protocol::Username;

use crate::options::Guessing;

mod known;

use known::Known;

/// How many addresses are counted at a time: 3 MB. A failed login costs a hash, of which
/// two threads do 75 a second, and each is forgotten after 2 s: that makes 150.
const ADDRESSES: usize = 65_536;
/// How many names are, and names at an address where they were logged in before: 3 MB
/// each. Likewise, after 30 s: 2,250.
const NAMES: usize = 65_536;
/// How many names at other addresses are: 13 MB. Likewise, after 20 minutes: 90,000.
const SPARE_PAIRS: usize = 262_144;

type Pair = (Username, Ipv4Addr);

/// A limiter for as many keys as `capacity`, which is more than can fail in the time that
/// each is kept; further ones are let through uncounted.
pub(crate) fn limiter<K: Copy + Eq + Hash>(
    burst: NonZeroU32,
    interval: Duration,
    capacity: usize,
) -> RateLimiter<K> {
    let burst = burst.get();
    RateLimiter::new(Rate { burst, interval }, capacity, WhenFull::Admit)
}

/// Recent failures per source, in bounded memory.
#[derive(Debug)]
pub struct Throttle {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    known: Known,
    known_pairs: RateLimiter<Pair>,
    addresses: RateLimiter<Ipv4Addr>,
    names: RateLimiter<Username>,
    spare_pairs: RateLimiter<Pair>,
}

impl Throttle {
    /// Nobody has failed yet.
    #[must_use]
    pub fn new(limits: &Guessing) -> Self {
        let Guessing {
            failed_logins,
            failed_login_interval: interval,
            failed_logins_by_name,
            failed_login_by_name_interval: name_interval,
            failed_logins_spare,
            failed_login_spare_interval: spare_interval,
        } = *limits;
        Self {
            state: Mutex::new(State {
                known: Known::default(),
                known_pairs: limiter(failed_logins, name_interval, NAMES),
                addresses: limiter(failed_logins, interval, ADDRESSES),
                names: limiter(failed_logins_by_name, name_interval, NAMES),
                spare_pairs: limiter(failed_logins_spare, spare_interval, SPARE_PAIRS),
            }),
        }
    }

    /// Whether a user was logged in from there before, as far as is remembered.
    pub fn knows(&self, name: Username, from: Ipv4Addr) -> bool {
        self.state().known.contains(name, from)
    }

    /// Whether a login may be tried.
    pub fn allows(&self, name: Username, from: Ipv4Addr, now: Duration) -> bool {
        let state = self.state();
        let pair = (name, from);
        match state.known.contains(name, from) {
            true => state.known_pairs.has_token(pair, now),
            false => {
                state.addresses.has_token(from, now)
                    && (state.names.has_token(name, now) || state.spare_pairs.has_token(pair, now))
            }
        }
    }

    /// Counts a login that failed.
    pub fn failed(&self, name: Username, from: Ipv4Addr, now: Duration) {
        let mut state = self.state();
        if state.known.contains(name, from) {
            state.known_pairs.take((name, from), now);
            return;
        }
        state.addresses.take(from, now);
        if state.names.has_token(name, now) {
            state.names.take(name, now);
        } else {
            state.spare_pairs.take((name, from), now);
        }
    }

    /// Remembers where a user is at home.
    pub fn succeeded(&self, name: Username, from: Ipv4Addr) {
        self.state().known.insert(name, from);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
