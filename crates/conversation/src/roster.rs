//! The roster of a conversation: a set of signed entries. Who is in follows from that set and from
//! nothing else, so members who hold the same entries agree, in whatever order these came.
//!
//! | module | what it has |
//! |---|---|
//! | `index` | entries by their kind, adds and joins by what they hang on |
//! | `counting` | adds and joins that count, how many of them, and what ends them |
//! | `rules` | which entries count, and who is in by them |
//! | `history` | the history of the membership |
//! | `write` | what a new entry has to name |
//!
//! An entry whose join is not there yet is kept and counts for nothing until it comes.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_protocol::v2::conversation::roster::{Act, RosterEntry};
use p2pchat_protocol::v2::conversation::{Clock, EntryId, JoinId};
use p2pchat_protocol::v2::{Certificate, DeviceKey, DisplayName, PersonKey};

mod counting;
mod history;
mod index;
mod rules;
mod write;

pub use history::{Change, Changed};
pub(crate) use write::Carried;

/// The most people in a conversation: each is told of each message directly.
pub const MAX_PEOPLE: usize = 256;
/// The most people who are in by the adds of one person who is no owner, so that second selves of
/// one member cannot fill a group.
pub const MAX_ADDED: usize = 64;
/// The most joins of one person that count: each is a talk log that everybody keeps a head of. So
/// many by each add of an owner, so that anyone who has left or was removed very often can be brought
/// back, and as many by the adds of all others together, so that two who add each other get no more.
pub const MAX_JOINS: usize = 64;
/// The most open invitations of one person who is no owner. The newest count.
pub const MAX_INVITED: usize = 16;

/// See the module. A caller has verified that its entries are well-formed, signed by
/// [`Roster::writer`] and of this conversation, as is the add in a join.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    entries: BTreeMap<EntryId, RosterEntry>,
}

/// Who is in, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Membership {
    /// Those who are in, and what they may see: the entries with a greater clock.
    pub members: BTreeMap<PersonKey, Clock>,
    /// Those of the owners who have not resigned or left.
    pub owners: BTreeSet<PersonKey>,
    /// Those who are invited and not in, and the latest add of each.
    pub invited: BTreeMap<PersonKey, EntryId>,
    /// All who were an owner at any time.
    pub ever_owners: BTreeSet<PersonKey>,
    /// The add by which each of those who are in or invited may join once more.
    pub adds: BTreeMap<PersonKey, EntryId>,
    /// The removals that count, by who was removed.
    pub removals: BTreeMap<PersonKey, BTreeSet<EntryId>>,
    /// The talk logs that count.
    pub logs: BTreeMap<JoinId, Log>,
    /// The name of a group. May be empty.
    pub name: Option<DisplayName>,
}

/// A talk log that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// The device that writes it.
    pub device: DeviceKey,
    /// Whose device that is.
    pub person: PersonKey,
    /// After which clock its writer sees entries, as long as they are in by this join.
    pub from: Clock,
    /// How many entries count, if their writer was removed or has left. Of several the smallest.
    pub cut: Option<u64>,
}

impl Roster {
    /// Adds an entry. Tells whether it is new.
    pub fn insert(&mut self, entry: RosterEntry) -> bool {
        self.entries.insert(entry.id, entry).is_none()
    }

    /// Takes an entry away.
    pub fn remove(&mut self, id: &EntryId) {
        self.entries.remove(id);
    }

    /// The entry with an id.
    #[must_use]
    pub fn get(&self, id: &EntryId) -> Option<&RosterEntry> {
        self.entries.get(id)
    }

    /// All entries, by id.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &RosterEntry> {
        self.entries.values()
    }

    /// The certificate of the device that has to have signed an entry. `None` as long as the join
    /// that it is written under is not there.
    #[must_use]
    pub fn writer<'a>(&'a self, entry: &'a RosterEntry) -> Option<&'a Certificate> {
        match entry.under {
            Some(join) => self.entries.get(&join).and_then(own_certificate),
            None => own_certificate(entry),
        }
    }

    /// Who is in a group.
    #[must_use]
    pub fn group(&self) -> Membership {
        rules::group(self, rules::membership)
    }

    /// The history of the membership of a group, in the order of the clocks. `has_declined` tells
    /// whether a person has declined an add: then the next one makes a difference.
    #[must_use]
    pub fn history_of_group(
        &self,
        has_declined: impl Fn(&PersonKey, &EntryId) -> bool,
    ) -> Vec<Change> {
        rules::group(self, |counted| history::of_group(&counted, &has_declined))
    }

    /// Who is in the direct conversation of two people: those of them who have joined. Entries of
    /// other kinds and people count for nothing.
    #[must_use]
    pub fn direct(&self, people: [PersonKey; 2]) -> Membership {
        rules::membership_of_direct(&rules::direct(self, people))
    }

    /// The history of the membership of a direct conversation.
    #[must_use]
    pub fn history_of_direct(&self, people: [PersonKey; 2]) -> Vec<Change> {
        history::of_direct(&rules::direct(self, people))
    }

    /// The add that was accepted by the join that an entry is written under.
    fn accepted_add(&self, entry: &RosterEntry) -> Option<EntryId> {
        accepted_by(self.entries.get(&entry.under?)?).map(|add| add.id)
    }

    /// Who wrote an entry.
    pub(crate) fn person(&self, entry: &RosterEntry) -> Option<PersonKey> {
        self.writer(entry).map(|certificate| certificate.person)
    }
}

/// The certificate of an entry that is a join.
fn own_certificate(entry: &RosterEntry) -> Option<&Certificate> {
    match &entry.act {
        Act::Create { certificate, .. } | Act::Join { certificate, .. } => Some(certificate),
        _ => None,
    }
}

/// The add that a join accepts.
pub(crate) fn accepted_by(join: &RosterEntry) -> Option<&RosterEntry> {
    match &join.act {
        Act::Join { add, .. } => add.as_ref().map(|add| &add.entry),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
