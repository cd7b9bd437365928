//! What is said, and how it fares on its way.

use serde::{Deserialize, Serialize};

use crate::person::{Person, Speaker};
use crate::time::Timestamp;

/// Identifies a message in one user's history, and orders it: later ones are greater.
/// Below 2^53, so that every JSON reader can hold it.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MessageId(pub u64);

/// Something that was said.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Which.
    pub id: MessageId,
    /// When it was said or received.
    pub at: Timestamp,
    /// By whom.
    pub from: Speaker,
    /// What, as it came: [`printable`](crate::printable) makes it fit to show.
    pub text: String,
    /// `None` for what others said; for the user's own words, who is to get them.
    pub deliveries: Option<Vec<Delivery>>,
}

impl Message {
    /// Whether the user himself said it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.deliveries.is_some()
    }
}

/// Shows the length only: what people say does not belong into logs.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id.0)
            .field("from", &self.from)
            .field("bytes", &self.text.len())
            .field("deliveries", &self.deliveries)
            .finish_non_exhaustive()
    }
}

/// How a text fared on its way to one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The member.
    pub to: Person,
    /// How it fared.
    pub state: DeliveryState,
}

/// How a text fared on its way to one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is on its way.
    Sending,
    /// His program took all of it.
    Sent,
    /// It was handed over, and his program did not say whether it took it: those of 2017
    /// do not.
    Unconfirmed,
    /// He did not get it, or not all of it.
    Failed(LeaveReason),
}

/// How it was found that somebody is no longer a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// There was no getting through to his address. He is tried again with what is said.
    Unreachable,
    /// His program does not take our messages: he left, or started anew.
    Refused,
    /// He was out of reach for so long that he is not tried any more.
    GivenUp,
    /// The user himself left the chat before it was through.
    WeLeft,
    /// The user blocked him.
    Blocked,
}
