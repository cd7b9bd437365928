//! What a writer has to name, and what is sent along with an entry.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::roster::{Act, Add, RosterEntry};
use p2pchat_protocol::v2::conversation::{EntryId, JoinId};

use super::{MAX_INVITED, Membership, Roster};

impl Roster {
    /// The removals and leavings of a person, which an add of them names.
    #[must_use]
    pub fn endings_of(&self, person: &PersonKey) -> BTreeSet<EntryId> {
        let is_ending = |entry: &&RosterEntry| match &entry.act {
            Act::Remove {
                person: removed, ..
            } => removed == person,
            Act::Leave { .. } => self.person(entry) == Some(*person),
            _ => false,
        };
        let endings = self.entries().filter(is_ending);
        endings.map(|entry| entry.id).collect()
    }

    /// The adds by a person, which a removal of them keeps if those who were added shall stay.
    #[must_use]
    pub fn adds_by(&self, person: &PersonKey) -> BTreeSet<EntryId> {
        let adds = self.all_adds();
        let by_person = adds.filter(|entry| self.person(entry) == Some(*person));
        by_person.map(|entry| entry.id).collect()
    }

    /// What a person wrote as an owner, which their resigning or leaving keeps.
    #[must_use]
    pub fn acts_as_owner_of(&self, person: &PersonKey) -> BTreeSet<EntryId> {
        let is_act = |entry: &&RosterEntry| {
            let is_kind = matches!(
                entry.act,
                Act::Add { .. } | Act::Owner { .. } | Act::Remove { .. } | Act::Rename { .. }
            );
            is_kind && self.person(entry) == Some(*person)
        };
        let acts = self.entries().chain(self.carried()).filter(is_act);
        acts.map(|entry| entry.id).collect()
    }

    /// An entry and all that it takes to verify it and to see by what right it was written, what
    /// others hang on first. Of nobody's membership but the writers' and of those it is about.
    #[must_use]
    pub fn grounds(&self, entry: &RosterEntry) -> Vec<EntryId> {
        let mut found = BTreeSet::new();
        let mut open = vec![entry];
        while let Some(entry) = open.pop() {
            if !found.insert(entry.id) {
                continue;
            }
            open.extend(entry.under.and_then(|join| self.get(&join)));
            if let Act::Join { add: Some(add), .. } = &entry.act {
                open.extend(add.entry.under.and_then(|join| self.get(&join)));
            }
            let writer = self.person(entry);
            open.extend(self.entries().filter(
                |made| matches!(made.act, Act::Owner { person } if Some(person) == writer),
            ));
            let creates = |entry: &&RosterEntry| matches!(entry.act, Act::Create { .. });
            open.extend(self.entries().filter(creates));
        }
        self.in_order(found.iter().filter_map(|id| self.get(id)))
    }

    /// Entries as they are sent: from the oldest, but each behind the join that it hangs on, by
    /// which it is verified. That may have the later time, if its writer's clock was ahead.
    #[must_use]
    pub fn in_order<'a>(&'a self, entries: impl Iterator<Item = &'a RosterEntry>) -> Vec<EntryId> {
        let key = |entry: &RosterEntry| (entry.clock, entry.id);
        let mut left: BTreeMap<_, _> = entries.map(|entry| (key(entry), entry)).collect();
        let mut ordered = Vec::new();
        while let Some((_, oldest)) = left.pop_first() {
            let mut chain = vec![oldest];
            let mut join = hangs_on(oldest);
            while let Some(below) =
                (join.and_then(|join| self.get(&join))).and_then(|below| left.remove(&key(below)))
            {
                chain.push(below);
                join = hangs_on(below);
            }
            ordered.extend(chain.into_iter().rev().map(|entry| entry.id));
        }
        ordered
    }

    /// The entries that are not kept, as they have no effect whatever else may come: acts of
    /// owners of people that no one made an owner, and of those who never were one all but the newest
    /// [`MAX_INVITED`] adds that no one accepted.
    ///
    /// They count again if they come again after what gives them an effect.
    #[must_use]
    pub fn without_effect(&self, membership: &Membership) -> Vec<EntryId> {
        let answered: BTreeSet<_> = self.carried().map(|entry| entry.id).collect();
        let mut unanswered: BTreeMap<PersonKey, Vec<&RosterEntry>> = BTreeMap::new();
        let mut idle = Vec::new();
        for entry in self.entries() {
            let Some(writer) = self.person(entry) else {
                idle.push(entry.id);
                continue;
            };
            if membership.ever_owners.contains(&writer) {
                continue;
            }
            match entry.act {
                Act::Owner { .. }
                | Act::Remove { .. }
                | Act::Rename { .. }
                | Act::Resign { .. } => idle.push(entry.id),
                Act::Add { .. } if !answered.contains(&entry.id) => {
                    unanswered.entry(writer).or_default().push(entry);
                }
                _ => {}
            }
        }
        for mut adds in unanswered.into_values() {
            adds.sort_by_key(|add| (add.clock, add.id));
            let surplus = adds.len().saturating_sub(MAX_INVITED);
            idle.extend(adds.iter().take(surplus).map(|add| add.id));
        }
        idle
    }

    /// Whether an owner has asked a person back after a removal, which the add names.
    #[must_use]
    pub fn is_asked_back(
        &self,
        person: &PersonKey,
        removal: &EntryId,
        owners: &BTreeSet<PersonKey>,
    ) -> bool {
        let asks = |entry: &RosterEntry| match &entry.act {
            Act::Add {
                person: asked,
                after,
                ..
            } => asked == person && after.contains(removal),
            _ => false,
        };
        self.all_adds().any(|entry| {
            asks(entry)
                && self
                    .person(entry)
                    .is_some_and(|writer| owners.contains(&writer))
        })
    }

    /// Whether a person has ever left or resigned: nothing makes them an owner again.
    pub(crate) fn has_quit(&self, person: &PersonKey) -> bool {
        self.entries().any(|entry| {
            matches!(entry.act, Act::Leave { .. } | Act::Resign { .. })
                && self.person(entry) == Some(*person)
        })
    }

    /// The add with an id, whether it is an entry of its own or only carried by a join.
    pub(crate) fn find_add(&self, id: &EntryId) -> Option<Carried<'_>> {
        let is_add = |entry: &&RosterEntry| matches!(entry.act, Act::Add { .. });
        if let Some(entry) = self.get(id).filter(is_add) {
            return Some(Carried::Own(entry));
        }
        let mut joins = self.entries().filter_map(|entry| match &entry.act {
            Act::Join { add, .. } => add.as_deref(),
            _ => None,
        });
        joins.find(|add| add.entry.id == *id).map(Carried::ByJoin)
    }

    /// The joins of a person, from the first.
    pub(crate) fn joins_of(&self, person: &PersonKey) -> Vec<(JoinId, &RosterEntry)> {
        let is_join = |entry: &&RosterEntry| {
            super::own_certificate(entry).is_some_and(|own| own.person == *person)
        };
        let mut joins: Vec<_> = self.entries().filter(is_join).collect();
        joins.sort_by_key(|join| (join.clock, join.id));
        joins.into_iter().map(|join| (join.id, join)).collect()
    }

    fn all_adds(&self) -> impl Iterator<Item = &RosterEntry> {
        let is_add = |entry: &&RosterEntry| matches!(entry.act, Act::Add { .. });
        self.entries().filter(is_add).chain(self.carried())
    }

    /// The adds that joins carry.
    fn carried(&self) -> impl Iterator<Item = &RosterEntry> {
        self.entries().filter_map(|entry| match &entry.act {
            Act::Join { add: Some(add), .. } => Some(&add.entry),
            _ => None,
        })
    }
}

/// The join that is needed to verify an entry.
fn hangs_on(entry: &RosterEntry) -> Option<JoinId> {
    match &entry.act {
        Act::Join { add, .. } => add.as_ref().and_then(|add| add.entry.under),
        _ => entry.under,
    }
}

/// Where an add is.
pub(crate) enum Carried<'a> {
    /// It is an entry of the roster.
    Own(&'a RosterEntry),
    /// A join has it.
    ByJoin(&'a Add),
}
