//! Target of a chat request or a block.

use std::fmt;
use std::net::Ipv4Addr;

use p2pchat_protocol::{AddressError, PeerAddr, Username, UsernameError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Target of a chat request or a block: a user's name, or an address. Its JSON says which of
/// the two it is, because a user may be called `10.0.0.42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
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
    /// Reads what a user typed: four numbers with dots are an address, all else is a name.
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
