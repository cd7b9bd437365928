//! One line of the conversation: a message or a notice.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::message::{Message, MessageId};
use crate::time::Timestamp;

/// One line of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(tag = "kind"))]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A message of a member or of the user.
    // Shared, since each front end gets a copy of the view, with thousands of them.
    Message(Arc<Message>),
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
            Self::Notice { at, .. } => *at,
        }
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Message(message) => message.size(),
                Self::Notice { text, .. } => text.len(),
            }
    }

    pub(crate) fn message_id(&self) -> Option<MessageId> {
        match self {
            Self::Message(message) => Some(message.id),
            Self::Notice { .. } => None,
        }
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
