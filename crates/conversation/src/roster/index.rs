//! The adds and joins of a roster, by what they hang on.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_protocol::v2::conversation::roster::{Act, RosterEntry};
use p2pchat_protocol::v2::conversation::{Clock, EntryId, JoinId};
use p2pchat_protocol::v2::{Certificate, PersonKey};

use super::Roster;

/// What an add says.
#[derive(Clone, Copy)]
pub(super) struct Add<'a> {
    pub(super) entry: &'a RosterEntry,
    pub(super) person: PersonKey,
    pub(super) from: Clock,
    pub(super) after: &'a BTreeSet<EntryId>,
}

/// Entries by what they hang on.
#[derive(Default)]
pub(super) struct Index<'a> {
    /// The adds by the join that they are written under, those included that only a join carries.
    pub(super) adds: BTreeMap<JoinId, BTreeMap<EntryId, Add<'a>>>,
    /// The joins by the add that they accept.
    pub(super) joins: BTreeMap<EntryId, Vec<(&'a RosterEntry, &'a Certificate)>>,
}

impl<'a> Index<'a> {
    pub(super) fn new(roster: &'a Roster) -> Self {
        let mut index = Self::default();
        for entry in roster.entries() {
            let add = match &entry.act {
                Act::Join {
                    certificate,
                    add: Some(add),
                    ..
                } => {
                    let read = read_add(&add.entry);
                    if read.is_some_and(|read| read.person == certificate.person) {
                        let accepted = index.joins.entry(add.entry.id).or_default();
                        accepted.push((entry, certificate));
                    }
                    read
                }
                _ => read_add(entry),
            };
            if let Some((add, under)) = add.zip(add.and_then(|add| add.entry.under)) {
                let written = index.adds.entry(under).or_default();
                written.insert(add.entry.id, add);
            }
        }
        index
    }
}

fn read_add(entry: &RosterEntry) -> Option<Add<'_>> {
    match &entry.act {
        Act::Add {
            person,
            from,
            after,
        } => Some(Add {
            entry,
            person: *person,
            from: *from,
            after,
        }),
        _ => None,
    }
}
