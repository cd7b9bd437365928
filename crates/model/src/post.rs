//! Messages of encrypted conversations.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chat::Named;
use crate::conversation::ConversationId;
use crate::message::MessageId;
use crate::time::Timestamp;

/// A message of an encrypted conversation, as it is now.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Post {
    /// The conversation that it belongs to.
    pub conversation: ConversationId,
    /// Its identifier.
    pub id: MessageId,
    /// When it was written, by the clock of its writer.
    pub at: Timestamp,
    /// When it came, if that was much later.
    pub came: Option<Timestamp>,
    /// Who wrote it.
    pub from: Named,
    /// Whether there is a text to show.
    pub state: PostState,
    /// Its text, as it was written: it may have control characters, and has to be made safe to
    /// show. Empty if there is none to show.
    pub text: String,
    /// When the text was changed last.
    pub edited: Option<Timestamp>,
    /// What it replies to.
    pub reply: Option<Quote>,
    /// How people have reacted, in the order of the emoji.
    pub reactions: Vec<Reaction>,
    /// For the user's own messages, who is to get them; null for messages of others.
    pub receipts: Option<Vec<Receipt>>,
}

/// Whether a message has a text to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PostState {
    /// It has.
    Shown,
    /// Its writer has deleted it for everyone.
    Deleted,
    /// It is no longer kept here.
    NotKept,
    /// A newer version of the program is needed to read it.
    NeedsNewer,
}

/// The message that another one replies to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Quote {
    /// Its identifier.
    pub id: MessageId,
    /// Who wrote it.
    pub from: Named,
    /// The beginning of its text; empty if there is none to show.
    pub text: String,
}

/// People who reacted with the same emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reaction {
    /// It.
    pub emoji: String,
    /// Who they are.
    pub by: Vec<Named>,
}

/// Whether a message has reached a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Receipt {
    /// The person.
    pub to: Named,
    /// Whether a device of theirs has it. If not it waits for them.
    pub delivered: bool,
}

impl Quote {
    /// The longest beginning of a text, in bytes.
    pub const MAX: usize = 200;
}

impl Post {
    /// Whether the user wrote it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.receipts.is_some()
    }

    /// The people that it waits for.
    pub fn waits_for(&self) -> impl Iterator<Item = Named> + '_ {
        let receipts = self.receipts.iter().flatten();
        let waiting = receipts.filter(|receipt| !receipt.delivered);
        waiting.map(|receipt| receipt.to)
    }

    /// Whether any person has it but the user.
    #[must_use]
    pub fn is_delivered_to_any(&self) -> bool {
        let mut receipts = self.receipts.iter().flatten();
        receipts.any(|receipt| receipt.delivered)
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        let receipts = self.receipts.as_ref().map_or(0, Vec::len);
        let reactions: usize = self.reactions.iter().map(|one| one.by.len()).sum();
        size_of::<Self>()
            + self.text.len()
            + receipts * size_of::<Receipt>()
            + reactions * size_of::<Named>()
    }
}

/// Shows only the length of the text: messages must not appear in logs.
impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post")
            .field("conversation", &self.conversation)
            .field("id", &self.id)
            .field("from", &self.from)
            .field("state", &self.state)
            .field("bytes", &self.text.len())
            .field("receipts", &self.receipts)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quote")
            .field("id", &self.id)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}
