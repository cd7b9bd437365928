//! The entries of a roster by their kind, adds and joins by what they hang on: looked at once, since
//! there are many, and who is in is found out again after each that comes.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_protocol::v2::conversation::roster::{Act, Add as Sealed, RosterEntry};
use p2pchat_protocol::v2::conversation::{Clock, EntryId, JoinId};
use p2pchat_protocol::v2::{Certificate, DisplayName, PersonKey};

use super::Roster;

/// What an add says.
#[derive(Clone, Copy)]
pub(super) struct Add<'a> {
    pub(super) entry: &'a RosterEntry,
    pub(super) person: PersonKey,
    pub(super) from: Clock,
    pub(super) after: &'a BTreeSet<EntryId>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Index<'a> {
    pub(super) create: Option<(&'a RosterEntry, &'a Certificate, DisplayName)>,
    /// The adds by the join that they are written under, those included that only a join carries.
    pub(super) adds: BTreeMap<JoinId, BTreeMap<EntryId, Add<'a>>>,
    /// The joins by the add that they accept.
    pub(super) joins: BTreeMap<EntryId, Vec<(&'a RosterEntry, &'a Certificate)>>,
    /// All others, in the order of their ids. Mostly there are few.
    pub(super) acts: Vec<&'a RosterEntry>,
}

impl<'a> Index<'a> {
    pub(super) fn new(roster: &'a Roster) -> Self {
        let mut index = Self::default();
        for entry in roster.entries() {
            match &entry.act {
                Act::Create {
                    certificate, name, ..
                } => {
                    index.create.get_or_insert((entry, certificate, *name));
                }
                Act::Join {
                    certificate, add, ..
                } => index.join(entry, certificate, add.as_deref()),
                Act::Add { .. } => index.add(read_add(entry)),
                _ => index.acts.push(entry),
            }
        }
        index
    }

    fn join(
        &mut self,
        entry: &'a RosterEntry,
        certificate: &'a Certificate,
        accepted: Option<&'a Sealed>,
    ) {
        let add = accepted.and_then(|add| read_add(&add.entry));
        if let Some(add) = add.filter(|add| add.person == certificate.person) {
            let joins = self.joins.entry(add.entry.id).or_default();
            joins.push((entry, certificate));
            if joins.len() > 1 {
                // Another join has it already.
                return;
            }
        }
        self.add(add);
    }

    fn add(&mut self, add: Option<Add<'a>>) {
        if let Some((add, under)) = add.zip(add.and_then(|add| add.entry.under)) {
            let written = self.adds.entry(under).or_default();
            written.insert(add.entry.id, add);
        }
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
