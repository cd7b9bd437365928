//! Refused connections, requests and datagrams, counted by reason: [`Drops`].

use std::fmt;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Declares [`DropReason`] with the label that each reason has in the metrics and in the log.
macro_rules! drop_reasons {
    ($($(#[$doc:meta])* $reason:ident = $label:literal,)*) => {
        /// Why a connection, a request or a datagram was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum DropReason {
            $($(#[$doc])* $reason,)*
        }

        impl DropReason {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$reason,)*];

            /// The value of the label `reason`, and the name in the log.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$reason => $label,)*
                }
            }
        }
    };
}

drop_reasons! {
    /// A connection, closed at once: its address has as many as it may.
    AddressFull = "address_full",
    /// A connection, closed at once: all slots are taken by users who are logged in.
    RegistryFull = "registry_full",
    /// A connection with no user logged in, evicted for a new one.
    MadeRoom = "made_room",
    /// A connection that the system could not hand over (file descriptors, memory).
    NotAccepted = "not_accepted",
    /// A connection without a request in time.
    NoRequest = "no_request",
    /// A connection with a request that did not end in time.
    PartialRequest = "partial_request",
    /// A connection whose client did not read a response in time.
    UnreadResponse = "unread_response",
    /// A connection with a request of an unknown type.
    BadRequest = "bad_request",
    /// A login, answered 49: too many have failed.
    LoginSlowed = "login_slowed",
    /// A login, answered 49: too many passwords wait to be hashed.
    LoginQueue = "login_queue",
    /// A login, answered 41: it does not come from an address that can be chatted with.
    LoginAddress = "login_address",
    /// A registration, answered 50: too many accounts were created from its address.
    RegisterSlowed = "register_slowed",
    /// A registration, answered 50: too many passwords wait to be hashed.
    RegisterQueue = "register_queue",
    /// A login or registration, answered 50: the store or the hash function failed.
    StoreFailed = "store_failed",
    /// A registration by version 1, answered 50: the registry requires encryption.
    RegisterPlaintext = "register_plaintext",
    /// A login by version 1, answered 41: the registry requires encryption.
    LoginPlaintext = "login_plaintext",
    /// A login by version 1, answered 41: its name is bound to a person, who has not allowed it.
    LoginBound = "login_bound",
    /// A connection, reset before its handshake: its address has begun too many.
    HandshakeSlowed = "handshake_slowed",
    /// A connection, reset before its handshake: unknown addresses have begun too many.
    HandshakeStrangers = "handshake_strangers",
    /// A connection whose handshake did not end in time.
    HandshakePartial = "handshake_partial",
    /// A connection whose handshake failed: no TLS, another protocol, or no key.
    HandshakeFailed = "handshake_failed",
    /// A session whose client sent what is not a frame, or one that is not allowed.
    BadFrame = "bad_frame",
    /// A session whose client was silent for too long.
    Silent = "silent",
    /// A datagram that is not a valid Hello.
    NoHello = "no_hello",
    /// A Hello of a user who is not logged in at the address it comes from.
    ForeignHello = "foreign_hello",
}

/// Counters by [`DropReason`]. Shown as `reason=number`, those that are not 0.
#[derive(Debug, Clone)]
pub struct Drops(Family<Labels, Counter>);

type Labels = [(&'static str, &'static str); 1];

impl Default for Drops {
    fn default() -> Self {
        let drops = Self(Family::default());
        for &reason in DropReason::ALL {
            // Exposed from the start, at 0.
            drop(drops.0.get_or_create(&labels(reason)));
        }
        drops
    }
}

impl Drops {
    /// Counts one more.
    pub fn count(&self, reason: DropReason) {
        self.0.get_or_create(&labels(reason)).inc();
    }

    /// How many there were for one reason.
    #[must_use]
    pub fn get(&self, reason: DropReason) -> u64 {
        self.0.get_or_create(&labels(reason)).get()
    }

    /// Exposes the counters.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Refused connections, requests and datagrams, by reason";
        registry.register("drops", help, self.0.clone());
    }
}

impl fmt::Display for Drops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = DropReason::ALL
            .iter()
            .map(|&reason| (reason, self.get(reason)));
        for (n, (reason, count)) in counts.filter(|(_, count)| *count > 0).enumerate() {
            let space = if n > 0 { " " } else { "" };
            write!(f, "{space}{}={count}", reason.label())?;
        }
        Ok(())
    }
}

fn labels(reason: DropReason) -> Labels {
    [("reason", reason.label())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_counter_and_a_name_of_its_own() {
        let drops = Drops::default();
        for (n, &reason) in DropReason::ALL.iter().enumerate() {
            (0..=n).for_each(|_| drops.count(reason));
        }
        for (n, &reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(drops.get(reason), n as u64 + 1, "{reason:?}");
        }
        let shown = drops.to_string();
        assert!(
            shown.starts_with("address_full=1 registry_full=2 "),
            "{shown}"
        );
        assert!(shown.ends_with(" foreign_hello=25"), "{shown}");
    }

    #[test]
    fn a_reason_that_did_not_occur_is_not_shown() {
        let drops = Drops::default();
        assert_eq!(drops.to_string(), "");
        drops.count(DropReason::NoHello);
        assert_eq!(drops.to_string(), "no_hello=1");
    }
}
