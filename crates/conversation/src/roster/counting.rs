//! What counts of a roster: adds and joins, how many of them, and what ends them.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_protocol::v2::conversation::{Clock, EntryId, JoinId};
use p2pchat_protocol::v2::{Certificate, PersonKey};

use super::index::Add;
use super::{Log, MAX_JOINS};

/// What ends the membership of a person.
pub(super) struct Ending<'a> {
    pub(super) id: EntryId,
    pub(super) clock: Clock,
    /// The adds by that person that stay. `None` if they all do, as after leaving.
    pub(super) keeps: Option<&'a BTreeSet<EntryId>>,
    pub(super) cut: &'a BTreeMap<JoinId, u64>,
}

impl Ending<'_> {
    pub(super) fn at(&self) -> (Clock, EntryId) {
        (self.clock, self.id)
    }
}

/// An add that counts.
#[derive(Clone, Copy)]
pub(super) struct Invitation<'a> {
    pub(super) add: Add<'a>,
    /// Who wrote it.
    pub(super) by: PersonKey,
    pub(super) is_by_owner: bool,
    /// The greatest `from` of all adds up to the create.
    pub(super) from: Clock,
}

impl Invitation<'_> {
    /// Where it stands where there is room for some only: those by owners come first.
    pub(super) fn rank(&self) -> (bool, Clock, EntryId) {
        (!self.is_by_owner, self.add.entry.clock, self.add.entry.id)
    }
}

/// A join that counts.
pub(super) struct Join<'a> {
    pub(super) id: JoinId,
    pub(super) clock: Clock,
    pub(super) certificate: &'a Certificate,
    /// What it accepts. `None` of the create.
    pub(super) invitation: Option<Invitation<'a>>,
}

impl Join<'_> {
    /// Whether its add names an ending, which does not end it then.
    pub(super) fn overrules(&self, ending: &Ending<'_>) -> bool {
        self.invitation
            .is_some_and(|invitation| invitation.add.after.contains(&ending.id))
    }

    /// After which clock its person sees entries.
    pub(super) fn from(&self) -> Clock {
        self.invitation.map_or(Clock::ZERO, |add| add.from)
    }

    pub(super) fn log(&self, cut: Option<u64>) -> Log {
        Log {
            device: self.certificate.device,
            person: self.certificate.person,
            from: self.from(),
            cut,
        }
    }
}

/// Leaves each person the earliest [`MAX_JOINS`] by each add of an owner, and as many by all other
/// adds together.
pub(super) fn limit(joins: &mut Vec<Join<'_>>) {
    joins.sort_by_key(|join| (join.clock, join.id));
    let mut counts: BTreeMap<(PersonKey, Option<EntryId>), usize> = BTreeMap::new();
    joins.retain(|join| {
        let by_owner = join.invitation.filter(|invitation| invitation.is_by_owner);
        let by_owner = by_owner.map(|invitation| invitation.add.entry.id);
        let person = join.certificate.person;
        let count = counts.entry((person, by_owner)).or_default();
        *count += 1;
        *count <= MAX_JOINS
    });
}
