//! Talk entries: a header of fixed layout that is signed, and a body that can be erased.

use super::{Clock, ConversationId, EntryId, JoinId};
use crate::v2::Signature;

mod codec;

pub use codec::signed_part;

/// The signed header of a talk entry. Its name is the [`EntryId`] over its bytes.
///
/// A rule of these fields that is broken ends the log ([`Clock::MAX`], [`MAX_BODY`], …), which the
/// entry itself proves. So there is a value for every such entry, also for those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Where it belongs.
    pub conversation: ConversationId,
    /// The join that it is written under, and whose log it is in.
    pub join: JoinId,
    /// Its place in the log, from 0.
    pub position: u64,
    /// The entry before it. All zero at position 0.
    pub previous: EntryId,
    /// When it was written. Greater than that of the entry before it.
    pub clock: Clock,
    /// What its body is: see [`Talk`]. Unknown ones are stored and relayed.
    pub kind: u8,
    /// The length of its body in bytes, at most [`MAX_BODY`].
    pub body_len: u32,
    /// The SHA-256 of its body.
    pub body_hash: [u8; 32],
}

/// A talk entry. Its signature is still to be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TalkEntry {
    /// Its name.
    pub id: EntryId,
    /// What is signed.
    pub header: Header,
    /// By the device of the join, over [`signed_part`].
    pub signature: Signature,
    /// The bytes that [`Header::body_hash`] names. `None` if they were erased, are beyond what is
    /// kept, or have a length that ends the log.
    pub body: Option<Box<[u8]>>,
}

/// The longest text of a message, in bytes.
pub const MAX_TEXT: usize = 32 * 1024;
/// The random bytes that a body begins with, so that an erased body cannot be found by trying.
pub const SALT: usize = 16;
/// The longest body in bytes: salt, target and text.
pub const MAX_BODY: usize = SALT + 32 + MAX_TEXT;
/// The longest reaction in bytes: one emoji of several code points.
pub const MAX_REACTION: usize = 64;

/// What a body says, behind its salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Talk {
    /// A message.
    Message {
        /// 1 to [`MAX_TEXT`] bytes.
        text: String,
    },
    /// A message that answers another.
    Reply {
        /// The message that is answered.
        to: EntryId,
        /// 1 to [`MAX_TEXT`] bytes.
        text: String,
    },
    /// A new text of a message or reply of the same person.
    Edit {
        /// The message.
        of: EntryId,
        /// 1 to [`MAX_TEXT`] bytes.
        text: String,
    },
    /// Takes a message of the same person back for everyone.
    Erase {
        /// The message.
        of: EntryId,
    },
    /// What a person feels about a message. The last one of a person counts.
    Reaction {
        /// The message.
        to: EntryId,
        /// At most [`MAX_REACTION`] bytes. Empty takes an earlier one back.
        emoji: String,
    },
}
