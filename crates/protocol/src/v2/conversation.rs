//! Conversations: what is signed, stored and relayed, and how it is named.
//!
//! | module | what it has |
//! |---|---|
//! | [`roster`] | the signed entries from which membership follows |
//! | [`talk`] | the signed entries of a talk log, and their bodies |
//!
//! Signed bytes have a fixed layout: integers are big endian, lists have a count before them and
//! are in ascending order without repetition, text is UTF-8, and nothing is left over. So there is
//! one way to write a value and one way to read it.

mod codec;
pub mod roster;
pub mod talk;

use std::fmt;
use std::time::Duration;

pub use codec::EntryError;

use super::key::{DeviceKey, PersonKey};

macro_rules! hash_names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        /// The first bytes, in hexadecimal.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [a, b, c, d, ..] = self.0;
                write!(f, concat!(stringify!($name), "({:02x}{:02x}{:02x}{:02x}…)"), a, b, c, d)
            }
        }
    )*};
}

hash_names! {
    /// A conversation: of a group, the id of its `create`; of a direct one, the SHA-256 of a domain
    /// string and the two person keys, the smaller first.
    ConversationId;
    /// An entry: SHA-256 of a domain string and its signed bytes.
    EntryId;
}

impl ConversationId {
    /// What the keys of a direct conversation are hashed under.
    const DIRECT: &[u8] = b"p2pchat direct conversation";

    /// Of the direct conversation of two people, in either order. `hash` is SHA-256.
    #[must_use]
    pub fn direct(mut people: [PersonKey; 2], hash: impl Fn(&[u8]) -> [u8; 32]) -> Self {
        people.sort_unstable();
        let [smaller, greater] = people;
        Self(hash(&[Self::DIRECT, &smaller.0.0, &greater.0.0].concat()))
    }
}

/// A join, which is also the name of the talk log that it begins: the id of a `join`, or of the
/// `create` that is its writer's join.
pub type JoinId = EntryId;

/// A hybrid clock: 48 bits of milliseconds since 1970, then 16 bits of a counter, which overflows
/// into the milliseconds. Those of entries that count are at most [`Self::MAX`]; a talk entry whose
/// header has a greater one ends its log, and is kept as the proof of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Clock(u64);

impl Clock {
    /// Before every entry.
    pub const ZERO: Self = Self(0);
    /// The greatest that an entry may have.
    pub const MAX: Self = Self((1 << 63) - 1);

    /// `None` if the number is 2^63 or more.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        (number <= Self::MAX.0).then_some(Self(number))
    }

    /// The one that a header has, whatever it is: compare it with [`Self::MAX`].
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The first of a millisecond, at most [`Self::MAX`].
    #[must_use]
    pub fn from_millis(since_1970: u64) -> Self {
        let number = since_1970.saturating_mul(1 << 16);
        Self::new(number).unwrap_or(Self::MAX)
    }

    /// The number that is sent.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    /// The time since 1970, in whole milliseconds.
    #[must_use]
    pub fn since_1970(self) -> Duration {
        Duration::from_millis(self.0 >> 16)
    }

    /// The next one, for an entry written at `now` by a device that has seen `self`. `None` if
    /// there is none: nothing can be later than [`Self::MAX`].
    #[must_use]
    pub fn next(self, now: Self) -> Option<Self> {
        let after = self.0.checked_add(1).and_then(Self::new);
        after.map(|after| after.max(now))
    }
}

/// The place of an entry in its conversation: one order for all members. The clock carries that
/// an answer is later than what it answers; the rest only decides between the same clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// When it was written.
    pub clock: Clock,
    /// The device that wrote it.
    pub device: DeviceKey,
    /// Its place in its talk log.
    pub position: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_later_than_all_that_was_seen() {
        let seen = Clock::new((7 << 16) + 65_535).unwrap();
        assert_eq!(seen.next(Clock::ZERO), Some(Clock::from_millis(8)));
        assert_eq!(
            seen.next(Clock::from_millis(9)),
            Some(Clock::from_millis(9))
        );
        assert_eq!(Clock::MAX.next(Clock::ZERO), None);
        assert_eq!(Clock::new(1 << 63), None);
        assert_eq!(Clock::from_number(u64::MAX).next(Clock::ZERO), None);
    }
}
