//! People: an address, and what is known about the name.

use std::fmt;

use p2pchat_protocol::v2::{DisplayName, Status};
use p2pchat_protocol::{OnlineUser, PeerAddr, Username};
use serde::{Deserialize, Serialize};

use crate::identity::Trust;
use crate::target::Target;
use crate::wording::label;

/// A user at an address, by the name that is known for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Person {
    /// Their address.
    pub address: PeerAddr,
    /// Their name: the one in their packet, else the one that the registry has for the
    /// address, if it has one.
    pub name: Option<Username>,
    /// Whether the registry has the two together. A name in a packet proves nothing.
    pub check: NameCheck,
}

impl From<OnlineUser> for Person {
    fn from(user: OnlineUser) -> Self {
        Self::listed(user.address, Some(user.name))
    }
}

impl Person {
    /// A person by the name that the registry has for an address, if it has one.
    #[must_use]
    pub fn listed(address: PeerAddr, name: Option<Username>) -> Self {
        let check = match name {
            Some(_) => NameCheck::Confirmed,
            None => NameCheck::Unknown,
        };
        Self {
            address,
            name,
            check,
        }
    }

    /// The name alone, for a list that has the address beside it.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name
            .as_ref()
            .map_or(label::UNKNOWN_PERSON, Username::as_str)
    }

    /// The target that blocks them: their name where the registry confirms it, which stays
    /// when their address changes, else their address. A name that is not confirmed may be
    /// another user's, who would be blocked in their place.
    #[must_use]
    pub fn to_block(&self) -> Target {
        match (self.name, self.check) {
            (Some(name), NameCheck::Confirmed) => Target::Name(name),
            _ => Target::Address(self.address),
        }
    }
}

/// The name, with the address beside it unless the registry confirms the two;
/// `unknown person (10.0.0.9)` where there is none.
impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, address, .. } = self;
        let Some(name) = name else {
            return f.pad(&format!("unknown person ({address})"));
        };
        match (self.check, self.check.warning()) {
            (NameCheck::Differs, Some(warning)) => f.pad(&format!("{name} ({address}, {warning})")),
            (_, Some(_)) => f.pad(&format!("{name} ({address})")),
            (_, None) => f.pad(name.as_str()),
        }
    }
}

/// A user who is online, as the registry lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct User {
    /// Their account.
    pub name: Username,
    /// Their address; of several devices that of the last to log in.
    pub address: PeerAddr,
    /// The name that they have chosen to be shown beside it; empty for none.
    pub display_name: DisplayName,
    /// Whether they can be talked to.
    pub status: Status,
    /// Whether their program takes part in the open chat.
    pub open_chat: bool,
    /// Whether their program speaks version 1 of the protocol alone, which is not encrypted.
    pub legacy: bool,
    /// How well their key is known; null if it was never looked up, or they have none.
    pub trust: Option<Trust>,
}

impl User {
    /// The name of the account.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_str()
    }

    /// The user at their address.
    #[must_use]
    pub fn person(&self) -> Person {
        Person::listed(self.address, Some(self.name))
    }
}

/// A login of version 1.
impl From<OnlineUser> for User {
    fn from(user: OnlineUser) -> Self {
        Self {
            name: user.name,
            address: user.address,
            display_name: DisplayName::default(),
            status: Status::Available,
            open_chat: true,
            legacy: true,
            trust: None,
        }
    }
}

/// Whether the registry has a name at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
