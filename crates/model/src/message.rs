//! Messages, and their delivery status.

use serde::{Deserialize, Serialize};

use crate::conversation::ConversationId;
use crate::person::Person;
use crate::time::Timestamp;

/// Identifier of a message in one user's history. Later messages have greater ones.
/// Below 2^53, so that every JSON reader can hold it.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct MessageId(pub u64);

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
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("conversation", &self.conversation)
            .field("id", &self.id.0)
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
