//! What a user can ask the program to do.

use p2pchat_protocol::{Password, PeerAddr, Username};
use serde::{Deserialize, Serialize};

use crate::conversation::ConversationId;
use crate::message::MessageId;
use crate::target::Target;

/// What a user can ask the program to do, in any front end.
///
/// A command is answered by events, of which `done` or `failed` is the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
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
        /// The conversation.
        conversation: ConversationId,
        /// The user or address.
        to: Target,
    },
    /// Withdraw a chat request that waits for another user's answer.
    Cancel {
        /// The conversation.
        conversation: ConversationId,
        /// The address that it was sent to.
        to: PeerAddr,
    },
    /// Accept the pending chat request.
    Accept {
        /// The conversation.
        conversation: ConversationId,
        /// The address that it came from.
        from: PeerAddr,
    },
    /// Reject the pending chat request.
    Reject {
        /// The conversation.
        conversation: ConversationId,
        /// The address that it came from.
        from: PeerAddr,
    },
    /// Send a message to all members of the chat.
    Say {
        /// The conversation.
        conversation: ConversationId,
        /// Its text. One too long for a packet is sent as several.
        text: String,
    },
    /// Leave a conversation.
    Leave {
        /// The conversation.
        conversation: ConversationId,
    },
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
    /// Take back the last `leave` or `block`, as long as `undo` of the view offers it.
    Undo,
    /// Note that the user has read a conversation, for all front ends.
    Read {
        /// The conversation.
        conversation: ConversationId,
        /// The newest message that they have read.
        message: MessageId,
    },
    /// Keep a text that the user has typed and not sent, for all front ends.
    Draft {
        /// The conversation.
        conversation: ConversationId,
        /// The text; empty for none.
        text: String,
    },
    /// Read a page of earlier messages.
    History {
        /// The conversation.
        conversation: ConversationId,
        /// Those before this message; the newest if absent.
        #[serde(default)]
        before: Option<MessageId>,
    },
    /// Search messages for words.
    Find {
        /// The conversation; all of them if absent.
        #[serde(default)]
        conversation: Option<ConversationId>,
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
            Self::Leave { .. } => "leave",
            Self::Busy { .. } => "busy",
            Self::Block { .. } => "block",
            Self::Unblock { .. } => "unblock",
            Self::Undo => "undo",
            Self::Read { .. } => "read",
            Self::Draft { .. } => "draft",
            Self::History { .. } => "history",
            Self::Find { .. } => "find",
        }
    }

    /// The conversation that it concerns.
    #[must_use]
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Self::Request { conversation, .. }
            | Self::Cancel { conversation, .. }
            | Self::Accept { conversation, .. }
            | Self::Reject { conversation, .. }
            | Self::Say { conversation, .. }
            | Self::Leave { conversation }
            | Self::Read { conversation, .. }
            | Self::Draft { conversation, .. }
            | Self::History { conversation, .. } => Some(*conversation),
            Self::Find { conversation, .. } => *conversation,
            Self::Register { .. }
            | Self::Login { .. }
            | Self::Logout
            | Self::Refresh
            | Self::Search { .. }
            | Self::Busy { .. }
            | Self::Block { .. }
            | Self::Unblock { .. }
            | Self::Undo => None,
        }
    }

    /// Whether it does no more if it is carried out twice: it asks, or sets something to a
    /// value.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        matches!(
            self,
            Self::Refresh
                | Self::Search { .. }
                | Self::Busy { .. }
                | Self::Read { .. }
                | Self::Draft { .. }
                | Self::History { .. }
                | Self::Find { .. }
        )
    }

    /// Whether its JSON has its name alone.
    pub(crate) fn has_no_fields(&self) -> bool {
        matches!(self, Self::Logout | Self::Refresh | Self::Undo)
    }
}
