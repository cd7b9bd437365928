//! What was turned away and why: [`Counters`], in one place for whoever wants to know.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why something was turned away. The name of each is what it is called in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Reason {
    /// A connection, closed at once: its address has as many as it may.
    AddressFull,
    /// A connection, closed at once: all places are taken by users who are logged in.
    RegistryFull,
    /// A connection that had nobody logged in, closed to make room.
    MadeRoom,
    /// A connection that the system could not hand over (file descriptors, memory).
    NotAccepted,
    /// A connection without a request in time.
    NoRequest,
    /// A connection with a request that did not end in time.
    PartialRequest,
    /// A connection whose client did not read a response in time.
    UnreadResponse,
    /// A connection with a request of a type that there is not.
    BadRequest,
    /// A login, answered 49: too many have failed.
    LoginSlowed,
    /// A login, answered 49: too many passwords wait to be hashed.
    LoginQueue,
    /// A login, answered 41: it does not come from an address that can be chatted with.
    LoginAddress,
    /// A registration, answered 50: too many accounts were made from its address.
    RegisterSlowed,
    /// A registration, answered 50: too many passwords wait to be hashed.
    RegisterQueue,
    /// A login or registration, answered 50: the store or the hash function failed.
    StoreFailed,
    /// A datagram that is no Hello.
    NoHello,
    /// A Hello of somebody who is not logged in at the address it comes from.
    ForeignHello,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::AddressFull,
        Self::RegistryFull,
        Self::MadeRoom,
        Self::NotAccepted,
        Self::NoRequest,
        Self::PartialRequest,
        Self::UnreadResponse,
        Self::BadRequest,
        Self::LoginSlowed,
        Self::LoginQueue,
        Self::LoginAddress,
        Self::RegisterSlowed,
        Self::RegisterQueue,
        Self::StoreFailed,
        Self::NoHello,
        Self::ForeignHello,
    ];

    /// What it is called in the log and, later, by metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AddressFull => "address_full",
            Self::RegistryFull => "registry_full",
            Self::MadeRoom => "made_room",
            Self::NotAccepted => "not_accepted",
            Self::NoRequest => "no_request",
            Self::PartialRequest => "partial_request",
            Self::UnreadResponse => "unread_response",
            Self::BadRequest => "bad_request",
            Self::LoginSlowed => "login_slowed",
            Self::LoginQueue => "login_queue",
            Self::LoginAddress => "login_address",
            Self::RegisterSlowed => "register_slowed",
            Self::RegisterQueue => "register_queue",
            Self::StoreFailed => "store_failed",
            Self::NoHello => "no_hello",
            Self::ForeignHello => "foreign_hello",
        }
    }
}

/// How much was turned away since the start, by reason.
#[derive(Debug, Default)]
pub struct Counters([AtomicU64; Reason::ALL.len()]);

impl Counters {
    /// One more.
    pub fn count(&self, reason: Reason) {
        self.0[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many of one reason.
    #[must_use]
    pub fn get(&self, reason: Reason) -> u64 {
        self.0[reason as usize].load(Ordering::Relaxed)
    }

    /// How many of each, as they are now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(Reason::ALL.map(|reason| self.get(reason)))
    }
}

/// The counters of one moment. Shown as `reason=number`, those that are not 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot([u64; Reason::ALL.len()]);

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = Reason::ALL
            .iter()
            .zip(self.0)
            .filter(|(_, count)| *count > 0);
        for (n, (reason, count)) in counted.enumerate() {
            let space = if n > 0 { " " } else { "" };
            write!(f, "{space}{}={count}", reason.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_counter_and_a_name_of_its_own() {
        let counters = Counters::default();
        for (n, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, n);
            (0..=n).for_each(|_| counters.count(reason));
        }
        let shown = counters.snapshot().to_string();
        assert!(
            shown.starts_with("address_full=1 registry_full=2 "),
            "{shown}"
        );
        assert!(shown.ends_with(" foreign_hello=16"), "{shown}");
        let mut names: Vec<_> = Reason::ALL.map(Reason::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::ALL.len());
    }

    #[test]
    fn what_did_not_happen_is_not_shown() {
        let counters = Counters::default();
        assert_eq!(counters.snapshot().to_string(), "");
        counters.count(Reason::NoHello);
        assert_eq!(counters.snapshot().to_string(), "no_hello=1");
    }
}
