//! The frames between two peers, over one TLS connection (ALPN [`ALPN`]).
//!
//! Both sides send [`ToPeer::Hello`] first. Then there is no order: each side tells what it holds
//! of the conversations that both are in, and asks for what it lacks.

use std::ops::Range;
use std::time::Duration;

use super::conversation::roster::{Add as Sealed, RosterEntry};
use super::conversation::talk::{Header, TalkEntry};
use super::conversation::{Clock, ConversationId, EntryId, JoinId, Place};
use super::key::{Certificate, PersonKey, Signature};

mod codec;

/// The name of this protocol in TLS.
pub const ALPN: &[u8] = b"p2pchat-peer/2";
/// The longest message before the other side's hello was read, in bytes: a hello has some 140.
pub const MAX_FIRST: usize = 1024;
/// The most bytes of entries that answer one want or stand in one frame.
pub const MAX_PIECE: usize = 64 * 1024;
/// The most items of one [`Have`].
pub const MAX_ITEMS: usize = 512;
/// The most bytes of roster entries that are kept of a conversation. 256 people who join on four
/// devices each need half a megabyte; the rest is room for a history of comings and goings.
pub const MAX_ROSTER: usize = 4 * 1024 * 1024;
/// The most ids of one [`Want::Roster`]: those of the largest roster of the smallest entries.
pub const MAX_IDS: usize = MAX_ROSTER / RosterEntry::MIN;
/// The most entries of one frame: a piece of the smallest entries, and one more.
pub const MAX_ENTRIES: usize = MAX_PIECE / RosterEntry::MIN + 1;
/// The longest message after the hello, in bytes: a [`Want::Roster`] with all its ids.
pub const MAX_TO_PEER: usize = 512 * 1024;
/// The longest message but for that, in bytes: a piece and one more entry.
pub const MAX_OTHER: usize = 128 * 1024;
/// After how much time without a frame of its own a peer sends a ping.
pub const PING_INTERVAL: Duration = Duration::from_secs(15);
/// After how much time without a frame the other side counts as gone: three pings.
pub const SILENCE: Duration = Duration::from_secs(45);

/// What stands around a list, and around each entry of one, is shorter.
const AROUND: usize = 64;
const _: () = {
    assert!(MAX_IDS * size_of::<Short>() + AROUND <= MAX_TO_PEER);
    let around = AROUND + MAX_ENTRIES * 16;
    assert!(MAX_PIECE + TalkEntry::MAX + around <= MAX_OTHER);
    assert!(MAX_ITEMS * 128 + AROUND <= MAX_OTHER);
    assert!(RosterEntry::MIN < Header::LEN + Signature::LEN);
};

/// What a peer sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToPeer {
    /// The first frame of both sides: the key of the other one is accepted.
    Hello(Hello),
    /// A sign of life: `Pong`.
    Ping,
    /// The answer to a ping.
    Pong,
    /// The last frame: why the sender closes the connection.
    Bye(Bye),
    /// What is said of a conversation.
    About(Frame),
    /// What is in no log.
    Ephemeral {
        /// Of which conversation.
        conversation: ConversationId,
        /// What it is.
        what: Ephemeral,
    },
}

/// Who a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// The device that TLS has authenticated, certified by its person.
    pub certificate: Certificate,
    /// The wall clock of the sender, in milliseconds since 1970.
    pub time: u64,
}

/// Why a peer closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Bye {
    /// There is a newer session of the same two devices.
    Replaced = 1,
    /// It has as many sessions as it can have.
    TooMany = 2,
    /// What the other side sent is malformed, or cannot have been checked.
    Malformed = 3,
    /// It stops.
    Leaving = 4,
}

impl Bye {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Replaced,
        Self::TooMany,
        Self::Malformed,
        Self::Leaving,
    ];
}

/// What is of use only now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ephemeral {
    /// The user is writing.
    Typing,
    /// The user has read up to here.
    Read(Place),
}

/// The first half of a hash: enough to compare two sets or entries, of which neither side chose
/// both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Short(pub [u8; 16]);

impl From<[u8; 32]> for Short {
    fn from(hash: [u8; 32]) -> Self {
        let (first, _) = hash.split_first_chunk().expect("a hash is longer");
        Self(*first)
    }
}

impl From<EntryId> for Short {
    fn from(id: EntryId) -> Self {
        Self::from(id.0)
    }
}

/// A frame of a peer session that is about one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Which one.
    pub conversation: ConversationId,
    /// What is said.
    pub what: What,
}

/// See [`Frame`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// What the sender holds. It is also the receipt.
    Have(Have),
    /// What the sender asks for.
    Want(Want),
    /// Roster entries.
    Roster(Vec<Sealed>),
    /// Talk entries of one log, which follow each other.
    Talk {
        /// The log.
        join: JoinId,
        /// At least one.
        stretch: Vec<TalkEntry>,
    },
    /// What shows that a log ends: entries without their bodies.
    Proof {
        /// The log.
        join: JoinId,
        /// One or two.
        entries: Vec<TalkEntry>,
    },
    /// A want is answered, with all that can be given now.
    Done,
    /// The sender has declined this add, or knows of this removal or leaving.
    Answer(EntryId),
}

/// What one holds of a conversation and counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Have {
    /// Of a direct conversation its two people, whose keys its id is the hash of.
    pub people: Option<[PersonKey; 2]>,
    /// Of the sorted ids of the roster.
    pub roster: Short,
    /// Of the talk logs that the receiver may see.
    pub heads: Heads,
    /// Whether the sender wants to be told the same, item by item.
    pub asks: bool,
}

/// See [`Have`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heads {
    /// A hash of all heads.
    Digest(Short),
    /// Some or all logs, at most [`MAX_ITEMS`].
    Items(Vec<Item>),
}

/// What one holds of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// The log.
    pub join: JoinId,
    /// The lowest position of the newest unbroken stretch.
    pub lowest: u64,
    /// Whether older stretches are held, which may be asked for.
    pub has_older: bool,
    /// The position behind it. The same as the lowest if nothing is held.
    pub next: u64,
    /// The newest entry. Zero if nothing is held.
    pub newest: Short,
    /// When it was written. At most [`Clock::MAX`].
    pub clock: Clock,
    /// Where the log ends, if that is known.
    pub end: Option<Ending>,
}

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// How many entries count.
    pub position: u64,
    /// Whether the proof shows that no earlier end follows.
    pub is_lowest: bool,
}

/// What is asked for. Each is answered by entries and then [`What::Done`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// The roster entries other than these, at most [`MAX_IDS`].
    Roster(Vec<Short>),
    /// The newest entries of all logs, as many as fit in a piece.
    Newest,
    /// Entries of a log, of these the newest that fit in a piece.
    Log {
        /// The log.
        join: JoinId,
        /// Their positions, at least one.
        range: Range<u64>,
    },
    /// What shows that a log ends.
    Proof(JoinId),
}
