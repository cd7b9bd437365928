//! What others sent or tried and was dropped: counted, so that an attack can be seen.

use p2pchat_protocol::{PeerAddr, Username};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What was dropped of one kind from one address, since the peer started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// When the last of it was.
    pub at: Timestamp,
    /// Who he said he is with the last, if the packet has a name.
    pub name: Option<Username>,
    /// Where it came from; `None` for all those addresses together that came when too many
    /// others were already counted one by one.
    pub address: Option<PeerAddr>,
    /// What he tried.
    pub tried: DropKind,
    /// Why nothing came of it.
    pub why: DropReason,
    /// How often so far.
    pub count: u64,
}

impl Dropped {
    /// Whether both count the same, at different moments.
    #[must_use]
    pub fn counts_as(&self, other: &Self) -> bool {
        let key = |of: &Self| (of.address, of.tried, of.why);
        key(self) == key(other)
    }

    /// Whether the count is 1, 10, 100 …: those are told at once.
    #[must_use]
    pub fn is_milestone(&self) -> bool {
        self.count
            .checked_ilog10()
            .and_then(|power| 10_u64.checked_pow(power))
            == Some(self.count)
    }
}

/// What somebody tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropKind {
    /// To say something.
    Text,
    /// To tell of somebody new in the chat.
    Notify,
    /// To ask for a chat.
    Request,
    /// To bring somebody into the chat, together with others.
    Newcomer,
    /// To connect: it did not come to a packet.
    Connection,
}

/// Why nothing came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// He is not in the chat.
    Stranger,
    /// The user blocked him, or the one whom he brings.
    Blocked,
    /// It is more than is taken.
    TooMuch,
    /// It is nothing that the protocol knows, or an address that nobody can have.
    Malformed,
    /// Nothing came, or only a part, in time.
    Silent,
}
