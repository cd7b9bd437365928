//! Rate limits by source: failed logins ([`Throttle`]) slow down password guessing, and
//! nothing else.
//!
//! Two goals pull in opposite directions: an attacker who guesses a user's password, from
//! however many addresses, gets few guesses; and an attacker who fails on purpose does not
//! lock the user out. So a login may be tried
//!
//! - where that name was logged in before: as long as the bucket of this name at this
//!   address has a token. Nothing that is done elsewhere, or with other names, takes one;
//! - anywhere else: as long as the bucket of the address has a token, and that of the
//!   name; while the name's is empty, a small one of this name at this address stands in
//!   for it. An attacker empties the former two, but never the latter of another address.
//!
//! A failure takes the tokens that let it be tried. What is left to an attacker is an
//! address that they share with the user, where the two cannot be told apart.
//!
//! Names without an account are counted like others, or the difference would tell.
//!
//! **Invariant:** no clock in here; `now` is passed in.

use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use p2pchat_common::rate_limit::{Rate, RateLimiter, WhenFull};
use p2pchat_protocol::Username;

use crate::options::Guessing;

mod known;

use known::Known;

/// The bits of an IPv6 address that name a network: one customer has at least as many
/// addresses as the others can tell apart.
const IPV6_NETWORK: u128 = !(u64::MAX as u128);
/// How many addresses are counted at a time: 3 MB. A failed login costs a hash, of which
/// two threads do 75 a second, and each is forgotten after 2 s: that makes 150.
const ADDRESSES: usize = 65_536;
/// How many names are, and names at an address where they were logged in before: 3 MB
/// each. Likewise, after 30 s: 2,250.
const NAMES: usize = 65_536;
/// How many names at other addresses are: 13 MB. Likewise, after 20 minutes: 90,000.
const SPARE_PAIRS: usize = 262_144;

/// The source that limits by address count: an IPv4 address, or the /64 network of an IPv6
/// address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(IpAddr);

impl From<SocketAddr> for Source {
    fn from(address: SocketAddr) -> Self {
        Self(match address.ip().to_canonical() {
            IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & IPV6_NETWORK).into(),
            ip @ IpAddr::V4(_) => ip,
        })
    }
}

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
pub(crate) struct Throttle {
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
    /// No login has failed yet.
    #[must_use]
    pub(crate) fn new(limits: &Guessing) -> Self {
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

    /// Whether the user was logged in from there before, as far as is remembered.
    pub(crate) fn knows(&self, name: Username, from: Ipv4Addr) -> bool {
        self.state().known.contains(name, from)
    }

    /// Whether a login may be tried.
    pub(crate) fn allows(&self, name: Username, from: Ipv4Addr, now: Duration) -> bool {
        let state = self.state();
        let pair = (name, from);
        if state.known.contains(name, from) {
            state.known_pairs.has_token(pair, now)
        } else {
            state.addresses.has_token(from, now)
                && (state.names.has_token(name, now) || state.spare_pairs.has_token(pair, now))
        }
    }

    /// Counts a login that failed.
    pub(crate) fn failed(&self, name: Username, from: Ipv4Addr, now: Duration) {
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

    /// Remembers where a user logged in.
    pub(crate) fn succeeded(&self, name: Username, from: Ipv4Addr) {
        self.state().known.insert(name, from);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
