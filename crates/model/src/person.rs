//! People: an address, and what is known of the name.

use std::fmt;

use p2pchat_protocol::{PeerAddr, Username};
use serde::{Deserialize, Serialize};

use crate::target::Target;

/// Somebody at an address, by the name that the registry gives for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Person {
    /// Where.
    pub address: PeerAddr,
    /// Who, if the registry has told.
    pub name: Option<Username>,
}

/// The name, or the address where no name is known.
impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => f.pad(name.as_str()),
            None => f.pad(&self.address.to_string()),
        }
    }
}

impl Person {
    /// What to block so that nothing more comes from him: his name, which he keeps when his
    /// address changes, or his address where no name is known.
    #[must_use]
    pub fn to_block(&self) -> Target {
        match self.name {
            Some(name) => Target::Name(name),
            None => Target::Address(self.address),
        }
    }
}

/// Somebody who said a name in a packet, where names prove nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Speaker {
    /// The name in the packet.
    pub name: Username,
    /// Where the packet came from.
    pub address: PeerAddr,
    /// What the registry says of the two.
    pub check: NameCheck,
}

impl Speaker {
    /// What to block so that nothing more comes from him: his name where the registry
    /// confirms it, else his address. A name that he only says may be somebody else's, who
    /// would be blocked in his place.
    #[must_use]
    pub fn to_block(&self) -> Target {
        match self.check {
            NameCheck::Confirmed => Target::Name(self.name),
            NameCheck::Unknown | NameCheck::Differs => Target::Address(self.address),
        }
    }
}

/// Whether the registry's list has a name at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameCheck {
    /// It has this name at this address.
    Confirmed,
    /// It has nobody at this address, or has not been heard.
    Unknown,
    /// It has another name at this address, or the name at another address.
    Differs,
}

impl NameCheck {
    /// What the registry's list says of a name that came from `address`: `listed` is where
    /// it has that name, `is_taken` whether it has any name at that address.
    #[must_use]
    pub fn new(address: PeerAddr, listed: Option<PeerAddr>, is_taken: bool) -> Self {
        match listed {
            Some(listed) if listed == address => Self::Confirmed,
            Some(_) => Self::Differs,
            None if is_taken => Self::Differs,
            None => Self::Unknown,
        }
    }
}

/// The name, with the address beside it unless the registry confirms the two.
impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.check {
            NameCheck::Confirmed => f.pad(self.name.as_str()),
            NameCheck::Unknown => f.pad(&format!("{} ({})", self.name, self.address)),
            NameCheck::Differs => f.pad(&format!(
                "{} ({}, not the name the registry knows)",
                self.name, self.address
            )),
        }
    }
}
