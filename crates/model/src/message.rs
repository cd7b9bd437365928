//! Messages, and their delivery status.

use std::fmt;
use std::str::FromStr;

use p2pchat_protocol::v2::conversation::Clock;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::conversation::ConversationId;
use crate::person::Person;
use crate::time::Timestamp;

/// Identifier of a message in one user's history. Of two messages of a conversation the one that
/// stands later has the greater one.
///
/// In JSON that of the open chat is a number below 2^53, which every JSON reader can hold; that of
/// another conversation is a string of 48 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    number: u64,
    /// The first bytes of the key of the device that wrote it.
    writer: u64,
    position: u64,
}

/// A text is not a [`MessageId`] of an encrypted conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the id of a message is a number, or a string of 48 hexadecimal digits")]
pub struct BadMessageId;

impl MessageId {
    /// The first of all.
    pub const FIRST: Self = Self::new(0);
    /// The last of all.
    pub const LAST: Self = Self::of_entry(u64::MAX, u64::MAX, u64::MAX);
    /// How many digits each of its parts has.
    const DIGITS: usize = 16;

    /// That of a message of the open chat.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self::of_entry(number, 0, 0)
    }

    /// That of a message of an encrypted conversation: the clock of its entry, the first bytes of
    /// the key of the device that wrote it, and the position in its log.
    #[must_use]
    pub const fn of_entry(clock: u64, writer: u64, position: u64) -> Self {
        Self {
            number: clock,
            writer,
            position,
        }
    }

    /// Before all messages of an encrypted conversation that were written at this moment or later.
    #[must_use]
    pub fn since(at: Timestamp) -> Self {
        Self::of_entry(Clock::from_millis(at.0).number(), 0, 0)
    }

    /// The number of a message of the open chat.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.number
    }

    /// What [`MessageId::of_entry`] was given.
    #[must_use]
    pub const fn parts(self) -> (u64, u64, u64) {
        (self.number, self.writer, self.position)
    }

    /// That of an encrypted conversation as it is in JSON.
    fn of_digits(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 3 * Self::DIGITS || !text.bytes().all(is_digit) {
            return None;
        }
        let (clock, rest) = text.split_at(Self::DIGITS);
        let (writer, position) = rest.split_at(Self::DIGITS);
        let part = |digits| u64::from_str_radix(digits, 16).ok();
        Some(Self::of_entry(part(clock)?, part(writer)?, part(position)?))
    }

    const fn is_of_open_chat(self) -> bool {
        self.writer == 0 && self.position == 0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_of_open_chat() {
            return write!(f, "{}", self.number);
        }
        let (clock, writer, position) = self.parts();
        write!(f, "{clock:016x}{writer:016x}{position:016x}")
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

impl FromStr for MessageId {
    type Err = BadMessageId;

    fn from_str(text: &str) -> Result<Self, BadMessageId> {
        let number = || text.parse().map(Self::new).map_err(|_| BadMessageId);
        Self::of_digits(text).map_or_else(number, Ok)
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_of_open_chat() {
            serializer.serialize_u64(self.number)
        } else {
            serializer.collect_str(self)
        }
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl de::Visitor<'_> for Either {
            type Value = MessageId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id of a message")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<MessageId, E> {
                Ok(MessageId::new(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<MessageId, E> {
                MessageId::of_digits(text).ok_or_else(|| E::custom(BadMessageId))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A message of the user or of a member.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Message {
    /// The conversation that it belongs to.
    pub conversation: ConversationId,
    /// Its identifier.
    pub id: MessageId,
    /// When it was sent or received.
    pub at: Timestamp,
    /// Who sent it.
    pub from: Person,
    /// Its text, as it came: it may have control characters, and has to be made safe to show.
    pub text: String,
    /// For the user's own messages, who is to get them; null for messages of others.
    pub deliveries: Option<Vec<Delivery>>,
}

impl Message {
    /// Whether the user sent it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.deliveries.is_some()
    }

    /// Whether it is on its way to any member.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        let mut deliveries = self.deliveries.iter().flatten();
        deliveries.any(|delivery| delivery.state == DeliveryState::Sending)
    }

    /// Changes the statuses that are [`DeliveryState::Sending`] to
    /// [`DeliveryState::Unconfirmed`]: the program that sent it has ended.
    pub fn end_sending(&mut self) {
        for delivery in self.deliveries.iter_mut().flatten() {
            if delivery.state == DeliveryState::Sending {
                delivery.state = DeliveryState::Unconfirmed;
            }
        }
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        let deliveries = self.deliveries.as_ref().map_or(0, Vec::len);
        size_of::<Self>() + self.text.len() + deliveries * size_of::<Delivery>()
    }

    /// Delivery status of the whole message: the worst that any member has, where "sending"
    /// is worse than "not confirmed". `None` for messages of others, and for those that no
    /// one is to get.
    #[must_use]
    pub fn delivery(&self) -> Option<DeliveryState> {
        let states = self.deliveries.iter().flatten().map(|to| to.state);
        states.max_by_key(|state| match state {
            DeliveryState::Sent => 0,
            DeliveryState::Unconfirmed => 1,
            DeliveryState::Sending => 2,
            DeliveryState::Failed(_) => 3,
        })
    }
}

/// Shows only the length of the text: messages must not appear in logs.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("conversation", &self.conversation)
            .field("id", &self.id)
            .field("from", &self.from)
            .field("bytes", &self.text.len())
            .field("deliveries", &self.deliveries)
            .finish_non_exhaustive()
    }
}

/// Delivery status of a message for one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Delivery {
    /// The member.
    pub to: Person,
    /// The status.
    #[cfg_attr(not(target_arch = "wasm32"), serde(flatten))]
    #[cfg_attr(target_arch = "wasm32", serde(rename = "$"))]
    pub state: DeliveryState,
}

/// Delivery status of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(tag = "state", content = "reason"))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is on its way.
    Sending,
    /// The member's program confirmed all of it.
    Sent,
    /// It was sent, and the member's program did not confirm it: legacy clients never do.
    Unconfirmed,
    /// The member did not get it, or not all of it.
    Failed(LeaveReason),
}

/// Why a user is no longer a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// Their address is unreachable. The next message tries again.
    Unreachable,
    /// Their program refuses our messages: they left, or restarted it.
    Refused,
    /// They were unreachable for too long, and are not tried any more.
    GivenUp,
    /// The user left the chat before the message was delivered.
    WeLeft,
    /// The user blocked them.
    Blocked,
}
