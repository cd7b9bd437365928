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

pub mod roster;
pub mod talk;

use std::fmt;
use std::time::Duration;

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

/// A join, which is also the name of the talk log that it begins: the id of a `join`, or of the
/// `create` that is its writer's join.
pub type JoinId = EntryId;

/// A hybrid clock: 48 bits of milliseconds since 1970, then 16 bits of a counter, which overflows
/// into the milliseconds. Below 2^63.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Clock(u64);

impl Clock {
    /// Before every entry.
    pub const ZERO: Self = Self(0);
    /// The greatest.
    pub const MAX: Self = Self((1 << 63) - 1);

    /// `None` if the number is 2^63 or more.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        (number <= Self::MAX.0).then_some(Self(number))
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
        Self::new(self.0 + 1).map(|after| after.max(now))
    }
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
    }
}
