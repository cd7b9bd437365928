//! Target of a chat request or a block.

use std::fmt;
use std::net::Ipv4Addr;

use p2pchat_protocol::{AddressError, PeerAddr, Username, UsernameError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// Target of a chat request or a block: a user's name, or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A user that the registry knows.
    Name(Username),
    /// The machine at this address.
    Address(PeerAddr),
}

/// Why a text is not a [`Target`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(transparent)]
pub enum TargetError {
    /// It is not a user's name.
    Name(#[from] UsernameError),
    /// It is an IPv4 address that no single machine has.
    Address(#[from] AddressError),
}

impl Target {
    /// Reads four numbers with dots as an address, all else as a name.
    ///
    /// # Errors
    /// If it is neither.
    pub fn new(text: &str) -> Result<Self, TargetError> {
        match text.parse::<Ipv4Addr>() {
            Ok(ip) => Ok(Self::Address(PeerAddr::new(ip)?)),
            Err(_) => Ok(Self::Name(Username::new(text)?)),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
