//! A conversation: who is in it and what was said.

use std::fmt;
use std::str::FromStr;

use p2pchat_protocol::v2::PersonKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::chat::Chat;
use crate::line::Line;
use crate::message::MessageId;
use crate::person::Person;
use crate::time::Timestamp;

/// The id of a conversation: 1 to 64 of `a-z`, `0-9` and `-`. That of an encrypted one is 64
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId([u8; Self::MAX]);

/// A text is not a [`ConversationId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "the id of a conversation is 1 to {} of the characters a-z, 0-9 and -",
    ConversationId::MAX
)]
pub struct BadConversationId;

impl ConversationId {
    /// The longest id, in bytes.
    pub const MAX: usize = 64;
    /// The open chat: the one conversation that version 1 of the protocol has.
    pub const OPEN: Self = Self::padded(b"open");

    /// The id, with zeros up to its full length.
    const fn padded(id: &[u8]) -> Self {
        let mut bytes = [0; Self::MAX];
        let mut at = 0;
        while at < id.len() {
            bytes[at] = id[at];
            at += 1;
        }
        Self(bytes)
    }

    /// That of an encrypted conversation.
    #[must_use]
    pub fn encrypted(id: &[u8; 32]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; Self::MAX];
        for (digits, byte) in text.chunks_exact_mut(2).zip(id) {
            digits[0] = DIGITS[usize::from(byte >> 4)];
            digits[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(text)
    }

    /// What [`ConversationId::encrypted`] was given; `None` for the open chat.
    #[must_use]
    pub fn to_encrypted(&self) -> Option<[u8; 32]> {
        let key: PersonKey = self.as_str().parse().ok()?;
        Some(key.0.0)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0);
        let id = &self.0[..end.unwrap_or(Self::MAX)];
        std::str::from_utf8(id).expect("only ASCII is let in")
    }
}

impl FromStr for ConversationId {
    type Err = BadConversationId;

    fn from_str(id: &str) -> Result<Self, BadConversationId> {
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=Self::MAX).contains(&id.len()) && id.bytes().all(is_allowed) {
            Ok(Self::padded(id.as_bytes()))
        } else {
            Err(BadConversationId)
        }
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConversationId({self})")
    }
}

impl Serialize for ConversationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ConversationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = <Box<str>>::deserialize(deserializer)?;
        id.parse().map_err(de::Error::custom)
    }
}

/// A conversation, as front ends draw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Its members, without the user.
    pub members: Vec<Person>,
    /// Members who are unreachable. Each message of the user tries them again, and one that
    /// arrives brings them back.
    pub out_of_reach: Vec<Person>,
    /// Messages and notices, oldest first.
    pub lines: Vec<Line>,
    /// Whether the history has older messages than `lines`.
    pub more_history: bool,
    /// The newest message that the user has read, in any front end.
    pub read: Option<MessageId>,
    /// What the user has typed and not sent, in any front end.
    pub draft: String,
    /// What an encrypted conversation has; null for the open chat.
    #[serde(default)]
    pub chat: Option<Chat>,
}

impl Conversation {
    /// A conversation without members and lines.
    #[must_use]
    pub const fn new(id: ConversationId) -> Self {
        Self {
            id,
            members: Vec::new(),
            out_of_reach: Vec::new(),
            lines: Vec::new(),
            more_history: false,
            read: None,
            draft: String::new(),
            chat: None,
        }
    }

    /// Whether no one would get a message: it has no members, not even unreachable ones.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.members.is_empty() && self.out_of_reach.is_empty()
    }

    /// The oldest message in [`Conversation::lines`]: the next page of history ends before it.
    #[must_use]
    pub fn oldest_message(&self) -> Option<MessageId> {
        self.lines.iter().find_map(Line::message_id)
    }

    /// The newest message in [`Conversation::lines`].
    #[must_use]
    pub fn newest_message(&self) -> Option<MessageId> {
        self.lines.iter().rev().find_map(Line::message_id)
    }

    /// The line that stands for it in a list: its newest message, or its last line if it has none.
    #[must_use]
    pub fn last_line(&self) -> Option<&Line> {
        let mut lines = self.lines.iter().rev();
        let message = lines.find(|line| line.message_id().is_some());
        message.or(self.lines.last())
    }

    /// Where it stands in a list, the greatest first: those that are pinned, then the one with the
    /// newest line that stands for it. One without lines stands where the user joined it.
    #[must_use]
    pub fn rank(&self) -> (bool, Timestamp) {
        let line = self.last_line().map(Line::at);
        let since = || self.chat.as_ref().and_then(|chat| chat.since);
        let is_pinned = self.chat.as_ref().is_some_and(|chat| chat.pinned);
        (is_pinned, line.or_else(since).unwrap_or(Timestamp(0)))
    }

    /// How many messages of others came after the last that was read.
    #[must_use]
    pub fn unread(&self) -> usize {
        if let Some(chat) = &self.chat {
            return usize::try_from(chat.unread).unwrap_or(usize::MAX);
        }
        let messages = self.lines.iter().filter_map(|line| match line {
            Line::Message(message) => Some(message),
            Line::Post(_) | Line::Notice { .. } => None,
        });
        let unread = messages.filter(|message| !message.is_own() && Some(message.id) > self.read);
        unread.count()
    }
}
