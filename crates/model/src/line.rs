//! One line of a conversation: a message or a notice.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::chat::DatedChange;
use crate::message::{Message, MessageId};
use crate::post::Post;
use crate::time::Timestamp;
use crate::wording;

/// One line of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(tag = "kind"))]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A message of a member or of the user.
    // Shared, since each front end gets a copy of the view, with thousands of them.
    Message(Arc<Message>),
    /// A message of an encrypted conversation.
    Post(Arc<Post>),
    /// An event, in words.
    Notice {
        /// When it happened.
        at: Timestamp,
        /// Its severity.
        level: Level,
        /// The words.
        text: String,
    },
}

impl Line {
    /// When it was sent, received or happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Message(message) => message.at,
            Self::Post(post) => post.at,
            Self::Notice { at, .. } => *at,
        }
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Message(message) => message.size(),
                Self::Post(post) => post.size(),
                Self::Notice { text, .. } => text.len(),
            }
    }

    /// The message that it is, if it is one.
    #[must_use]
    pub fn message_id(&self) -> Option<MessageId> {
        match self {
            Self::Message(message) => Some(message.id),
            Self::Post(post) => Some(post.id),
            Self::Notice { .. } => None,
        }
    }
}

impl From<&DatedChange> for Line {
    fn from(changed: &DatedChange) -> Self {
        Self::Notice {
            at: changed.at,
            level: Level::Info,
            text: wording::chat::change(changed.change),
        }
    }
}

impl From<Post> for Line {
    fn from(post: Post) -> Self {
        Self::Post(Arc::new(post))
    }
}

impl From<Message> for Line {
    fn from(message: Message) -> Self {
        Self::Message(Arc::new(message))
    }
}

/// Severity of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Something went wrong.
    Warning,
}
