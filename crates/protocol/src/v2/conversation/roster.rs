//! Roster entries. Who is in follows from a set of them and from nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::{Clock, ConversationId, EntryId, JoinId};
use crate::v2::{Certificate, DisplayName, PersonKey};

mod codec;

pub use codec::signed_part;

/// What a roster entry says. Its writer is the device of the join that it is written under, or of
/// its own certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Makes a group. It is also its writer's join.
    Create {
        /// The device that writes, and its person: the first owner.
        certificate: Certificate,
        /// Random, so that two groups of one writer differ.
        salt: [u8; 16],
        /// The group's name. May be empty.
        name: DisplayName,
    },
    /// Invites a person.
    Add {
        /// Who is invited.
        person: PersonKey,
        /// They see the entries with a greater clock.
        from: Clock,
        /// The removals and leavings of this person that the add overrules.
        after: BTreeSet<EntryId>,
    },
    /// Accepts an add, and begins a talk log.
    Join {
        /// The device that writes, and its person.
        certificate: Certificate,
        /// Random, so that two joins of one device differ: those of a data folder that was put
        /// back to an older copy, under a clock that stands still.
        salt: [u8; 16],
        /// The add that is accepted, whole. `None` in a direct conversation.
        add: Option<Box<Add>>,
    },
    /// Makes a person an owner.
    Owner {
        /// The person.
        person: PersonKey,
    },
    /// Ends being an owner.
    Resign {
        /// The acts as owner that go on counting.
        keeps: BTreeSet<EntryId>,
    },
    /// Ends the membership of a person.
    Remove {
        /// The person.
        person: PersonKey,
        /// The adds by this person that stay.
        keeps: BTreeSet<EntryId>,
        /// How many entries of each talk log of this person count. Of one not listed, none.
        cut: BTreeMap<JoinId, u64>,
    },
    /// Ends one's own membership.
    Leave {
        /// The acts as owner that go on counting.
        keeps: BTreeSet<EntryId>,
        /// How many entries of each talk log of the writer count. Of one not listed, none.
        cut: BTreeMap<JoinId, u64>,
    },
    /// Names the group.
    Rename {
        /// The name. May be empty.
        name: DisplayName,
    },
}

/// A roster entry. It is valid in form, and its signature is still to be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterEntry {
    /// Its name.
    pub id: EntryId,
    /// Where it belongs. Of a `Create`, its own id.
    pub conversation: ConversationId,
    /// The join that it is written under. `None` of a `Create` and of a `Join`, which are joins.
    pub under: Option<JoinId>,
    /// When it was written.
    pub clock: Clock,
    /// What it says.
    pub act: Act,
}

/// A roster entry as it came. The one that a `Join` carries is an [`Act::Add`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    /// The entry.
    pub entry: RosterEntry,
    /// The bytes that came: signed bytes and signature.
    pub bytes: Box<[u8]>,
}
