//! Counts of what was dropped of what others sent, so that an attack can be seen.

use p2pchat_protocol::{PeerAddr, Username};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How much of one kind was dropped from one address, since the peer started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Dropped {
    /// When the latest came.
    pub at: Timestamp,
    /// The name in the latest packet, or the one that the registry has for the address if
    /// packets of this kind have none. Names in packets prove nothing.
    pub name: Option<Username>,
    /// The address that it came from; null for all further addresses together, once too many
    /// are counted one by one.
    pub address: Option<PeerAddr>,
    /// What was tried.
    pub tried: DropKind,
    /// Why it was dropped.
    pub why: DropReason,
    /// How often, so far.
    pub count: u64,
}

impl Dropped {
    /// Whether both are counts of the same, at different times.
    #[must_use]
    pub fn counts_as(&self, other: &Self) -> bool {
        let key = |of: &Self| (of.address, of.tried, of.why);
        key(self) == key(other)
    }

    /// Whether the count is 1, 10, 100 …: those are reported at once.
    #[must_use]
    pub fn is_milestone(&self) -> bool {
        self.count
            .checked_ilog10()
            .and_then(|power| 10_u64.checked_pow(power))
            == Some(self.count)
    }
}

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DropKind {
    /// To send a message.
    Text,
    /// To announce a new member of the chat.
    Notify,
    /// To send a chat request.
    Request,
    /// To bring others into the chat, by a list of members.
    Newcomer,
    /// To connect, without a complete packet.
    Connection,
}

/// Why it was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// The sender is not in the chat.
    Stranger,
    /// The user has blocked the sender, or the new member.
    Blocked,
    /// It exceeds a limit.
    TooMuch,
    /// It is not a packet of the protocol, or has an address that no machine can have.
    Malformed,
    /// No complete packet came in time.
    Silent,
}
