//! What needs a key, a hash or chance: given by the caller, so that nothing here depends on them.

use p2pchat_protocol::v2::conversation::roster::{Act, Add as Sealed};
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use p2pchat_protocol::v2::{Certificate, DeviceKey};

use crate::log::Named;

/// Signs, verifies and hashes for one device.
pub trait Seal {
    /// The certificate of the device.
    fn certificate(&self) -> Certificate;

    /// A hash of some bytes, SHA-256.
    fn digest(&self, bytes: &[u8]) -> [u8; 32];

    /// Random bytes.
    fn salt(&self) -> [u8; 16];

    /// Whether a certificate is signed by its person.
    fn is_certified(&self, certificate: &Certificate) -> bool;

    /// Whether a roster entry is signed by a device.
    fn is_signed(&self, entry: &Sealed, device: &DeviceKey) -> bool;

    /// Whether a talk entry is signed by a device.
    fn is_spoken(&self, entry: &Named, device: &DeviceKey) -> bool;

    /// Signs a roster entry. `None` of `conversation` is for a `Create`, which names it.
    fn seal(
        &self,
        conversation: Option<ConversationId>,
        under: Option<JoinId>,
        clock: Clock,
        act: Act,
    ) -> Sealed;

    /// Signs a talk entry whose body begins with new random bytes.
    fn speak(&self, place: Next, talk: &Talk) -> TalkEntry;
}

/// The place of the next entry of a talk log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// Where it belongs.
    pub conversation: ConversationId,
    /// Its log.
    pub join: JoinId,
    /// Its position.
    pub position: u64,
    /// The entry before it.
    pub previous: EntryId,
    /// When it is written.
    pub clock: Clock,
}
