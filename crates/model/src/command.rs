//! What a user can ask the program to do.

use p2pchat_protocol::{Password, PeerAddr, Username};
use serde::{Deserialize, Serialize};

use crate::message::MessageId;
use crate::target::Target;

/// What a user can ask the program to do, in any front end.
///
/// A command is answered by events. One that fails is answered by
/// [`Event::Failed`](crate::Event::Failed).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Create an account, and log in to it.
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
    /// Leave the chat and log out of the registry.
    Logout,
    /// Ask the registry who is online now.
    Refresh,
    /// Ask the registry for the address of a user.
    Search {
        /// The user.
        name: Username,
    },
    /// Send a chat request: to begin a chat, or to add a user to the current one.
    Request {
        /// The user or address.
        to: Target,
    },
    /// Withdraw a chat request that waits for another user's answer.
    Cancel {
        /// The address that it was sent to.
        to: PeerAddr,
    },
    /// Accept the pending chat request.
    Accept {
        /// The address that it came from.
        from: PeerAddr,
    },
    /// Reject the pending chat request.
    Reject {
        /// The address that it came from.
        from: PeerAddr,
    },
    /// Send a message to all members of the chat.
    Say {
        /// Its text. One too long for a packet is sent as several.
        text: String,
    },
    /// Leave the chat.
    Leave,
    /// Set whether chat requests are answered with BUSY.
    Busy {
        /// Whether they are.
        on: bool,
    },
    /// Ignore all that comes from a user, in this session and later ones.
    Block {
        /// The name, as packets or the registry have it, or the address.
        who: Target,
    },
    /// No longer ignore a user.
    Unblock {
        /// The name or address, as it was blocked.
        who: Target,
    },
    /// Take back the last [`Command::Leave`] or [`Command::Block`], as long as
    /// [`View::undo`](crate::View::undo) offers it.
    Undo,
    /// Read a page of earlier messages.
    History {
        /// Those before this message; the newest if absent.
        #[serde(default)]
        before: Option<MessageId>,
    },
    /// Search all messages for words.
    Find {
        /// The words. A message must have all of them.
        text: String,
    },
}

impl Command {
    /// Its name in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Register { .. } => "register",
            Self::Login { .. } => "login",
            Self::Logout => "logout",
            Self::Refresh => "refresh",
            Self::Search { .. } => "search",
            Self::Request { .. } => "request",
            Self::Cancel { .. } => "cancel",
            Self::Accept { .. } => "accept",
            Self::Reject { .. } => "reject",
            Self::Say { .. } => "say",
            Self::Leave => "leave",
            Self::Busy { .. } => "busy",
            Self::Block { .. } => "block",
            Self::Unblock { .. } => "unblock",
            Self::Undo => "undo",
            Self::History { .. } => "history",
            Self::Find { .. } => "find",
        }
    }
}
