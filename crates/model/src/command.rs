//! What a user can ask.

use p2pchat_protocol::{Password, PeerAddr, Username};
use serde::{Deserialize, Serialize};

use crate::message::MessageId;
use crate::target::Target;

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
