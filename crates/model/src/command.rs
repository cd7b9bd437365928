//! What a user can ask.

use std::fmt;

use p2pchat_protocol::{Password, PeerAddr, Username};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::message::MessageId;

/// What a user can ask, whichever front end he uses.
///
/// A command is answered by events. One that fails is answered by
/// [`Event::Failed`](crate::Event::Failed).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Make an account, and log in with it.
    Register {
        /// Its name.
        name: Username,
        /// Its password.
        password: Password,
    },
    /// Log in.
    Login {
        /// The account.
        name: Username,
        /// Its password.
        password: Password,
    },
    /// Leave the chat and the registry.
    Logout,
    /// Ask the registry who is online now.
    Refresh,
    /// Ask the registry where somebody is.
    Search {
        /// Who.
        name: Username,
    },
    /// Ask somebody for a chat, or into the chat that there is.
    Request {
        /// Whom.
        to: Target,
    },
    /// Accept the chat request that waits.
    Accept {
        /// Where it came from.
        from: PeerAddr,
    },
    /// Reject the chat request that waits.
    Reject {
        /// Where it came from.
        from: PeerAddr,
    },
    /// Say something to all members of the chat.
    Say {
        /// What. A text too long for one packet goes as several.
        text: String,
    },
    /// Leave the chat.
    Leave,
    /// Answer chat requests with BUSY from now on, or no longer.
    Busy {
        /// Which.
        on: bool,
    },
    /// Take nothing from somebody any more, and keep that for later sessions.
    Block {
        /// Whom: by the name that he says or the registry gives him, or by his address.
        who: Target,
    },
    /// Take from somebody again what was blocked.
    Unblock {
        /// Whom, as he was blocked.
        who: Target,
    },
    /// Show what was said earlier.
    History {
        /// Older than this message; the newest if absent.
        #[serde(default)]
        before: Option<MessageId>,
    },
    /// Look for words in everything that was said.
    Find {
        /// The words, all of which must be there.
        text: String,
    },
}

impl Command {
    /// The name that the JSON has for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Register { .. } => "register",
            Self::Login { .. } => "login",
            Self::Logout => "logout",
            Self::Refresh => "refresh",
            Self::Search { .. } => "search",
            Self::Request { .. } => "request",
            Self::Accept { .. } => "accept",
            Self::Reject { .. } => "reject",
            Self::Say { .. } => "say",
            Self::Leave => "leave",
            Self::Busy { .. } => "busy",
            Self::Block { .. } => "block",
            Self::Unblock { .. } => "unblock",
            Self::History { .. } => "history",
            Self::Find { .. } => "find",
        }
    }
}

/// Whom to ask for a chat, or to block: a user's name, or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A user whom the registry knows.
    Name(Username),
    /// Whoever is at this address.
    Address(PeerAddr),
}

impl Target {
    /// Reads four numbers with dots as an address, all else as a name.
    ///
    /// # Errors
    /// In words, if it is neither.
    pub fn new(text: &str) -> Result<Self, String> {
        match text.parse::<std::net::Ipv4Addr>() {
            Ok(ip) => PeerAddr::new(ip)
                .map(Self::Address)
                .map_err(|error| error.to_string()),
            Err(_) => Username::new(text)
                .map(Self::Name)
                .map_err(|error| error.to_string()),
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
