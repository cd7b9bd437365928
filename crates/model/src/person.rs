//! People: an address, and what is known about the name.

use std::fmt;

use p2pchat_protocol::{PeerAddr, Username};
use serde::{Deserialize, Serialize};

use crate::target::Target;
use crate::wording::label;

/// A user at an address, with the name that the registry has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Person {
    /// Their address.
    pub address: PeerAddr,
    /// Their name, if the registry has one.
    pub name: Option<Username>,
}

/// The name, or `unknown person (10.0.0.9)`.
impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => f.pad(name.as_str()),
            None => f.pad(&format!("unknown person ({})", self.address)),
        }
    }
}

impl Person {
    /// The name alone, for a list that has the address beside it.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name
            .as_ref()
            .map_or(label::UNKNOWN_PERSON, Username::as_str)
    }

    /// The target that blocks them: their name, which stays when their address changes, or
    /// their address where no name is known.
    #[must_use]
    pub fn to_block(&self) -> Target {
        match self.name {
            Some(name) => Target::Name(name),
            None => Target::Address(self.address),
        }
    }
}

/// The sender of a packet: the name in it, which proves nothing, and the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Speaker {
    /// The name in the packet.
    pub name: Username,
    /// Where the packet came from.
    pub address: PeerAddr,
    /// Whether the registry has the two together.
    pub check: NameCheck,
}

impl Speaker {
    /// The target that blocks them: their name where the registry confirms it, else their
    /// address. A name that is not confirmed may be another user's, who would be blocked in
    /// their place.
    #[must_use]
    pub fn to_block(&self) -> Target {
        match self.check {
            NameCheck::Confirmed => Target::Name(self.name),
            NameCheck::Unknown | NameCheck::Differs => Target::Address(self.address),
        }
    }
}

/// Whether the registry has a name at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameCheck {
    /// It has this name at this address.
    Confirmed,
    /// It has no name at this address, or has not answered yet.
    Unknown,
    /// It has another name at this address, or the name at another address.
    Differs,
}

impl NameCheck {
    /// Checks a name that came from `address`: `listed` is the address at which the registry
    /// has that name, `is_taken` whether it has any name at `address`.
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
        let Self { name, address, .. } = self;
        match (self.check, self.check.warning()) {
            (NameCheck::Differs, Some(warning)) => f.pad(&format!("{name} ({address}, {warning})")),
            (_, Some(_)) => f.pad(&format!("{name} ({address})")),
            (_, None) => f.pad(name.as_str()),
        }
    }
}
