//! Which entries of a roster count, and who is in by them.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_protocol::v2::conversation::roster::{Act, RosterEntry};
use p2pchat_protocol::v2::conversation::{Clock, EntryId, JoinId};
use p2pchat_protocol::v2::{Certificate, DisplayName, PersonKey};

use super::counting::{Ending, Invitation, Join, limit};
use super::index::{Add, Index};
use super::{Log, MAX_ADDED, MAX_INVITED, MAX_PEOPLE, Membership, Roster};

/// The parts of a group's roster that the rules ask for.
pub(super) struct Rules<'a> {
    pub(super) roster: &'a Roster,
    /// All entries but adds and joins.
    pub(super) acts: &'a [&'a RosterEntry],
    /// Everybody who was an owner at any time.
    owners: BTreeSet<PersonKey>,
    /// The resignings and leavings of former owners, and what these keep of their acts.
    quits: BTreeMap<PersonKey, Vec<(&'a RosterEntry, &'a BTreeSet<EntryId>)>>,
    /// Of each person, in the order of their clocks.
    endings: BTreeMap<PersonKey, Vec<Ending<'a>>>,
}

/// What counts of a group's roster.
pub(super) struct Counted<'a> {
    pub(super) rules: Rules<'a>,
    pub(super) creator: PersonKey,
    /// The name that it began with.
    pub(super) name: Option<DisplayName>,
    pub(super) joins: Vec<Join<'a>>,
    pub(super) adds: Vec<Invitation<'a>>,
}

/// What follows from the entries of a group that count. Nothing without its `create`.
pub(super) fn group<T: Default>(roster: &Roster, read: impl FnOnce(Counted<'_>) -> T) -> T {
    let index = Index::new(roster);
    let Some((create, certificate, name)) = index.create else {
        return T::default();
    };
    let creator = certificate.person;
    let rules = Rules::new(roster, &index.acts, creator);
    let (mut joins, adds) = rules.counting(&index, create, certificate);
    limit(&mut joins);
    read(Counted {
        rules,
        creator,
        name: Some(name),
        joins,
        adds,
    })
}

/// Who is in a group.
pub(super) fn membership(counted: Counted<'_>) -> Membership {
    let Counted {
        rules, joins, adds, ..
    } = counted;
    let members = rules.members(&joins);
    Membership {
        owners: rules.in_force(),
        adds: rules.usable(&adds),
        removals: rules.removals(),
        invited: rules.invited(&adds, &joins, &members),
        logs: rules.logs(&joins, &members),
        name: rules.name().or(counted.name),
        members,
        ever_owners: rules.owners,
    }
}

/// The joins of a direct conversation that count, in the order of their clocks.
pub(super) fn direct(roster: &Roster, people: [PersonKey; 2]) -> Vec<Join<'_>> {
    let joins = roster.entries().filter_map(|entry| match &entry.act {
        Act::Join {
            certificate,
            add: None,
            ..
        } if people.contains(&certificate.person) => Some(Join {
            id: entry.id,
            clock: entry.clock,
            certificate,
            invitation: None,
        }),
        _ => None,
    });
    let mut joins: Vec<_> = joins.collect();
    limit(&mut joins);
    joins
}

/// Who is in a direct conversation.
pub(super) fn membership_of_direct(joins: &[Join<'_>]) -> Membership {
    let people = joins.iter().map(|join| join.certificate.person);
    Membership {
        members: people.map(|person| (person, Clock::ZERO)).collect(),
        logs: joins.iter().map(|join| (join.id, join.log(None))).collect(),
        ..Membership::default()
    }
}

impl<'a> Rules<'a> {
    fn new(roster: &'a Roster, acts: &'a [&'a RosterEntry], creator: PersonKey) -> Self {
        let mut rules = Self {
            roster,
            acts,
            owners: BTreeSet::from([creator]),
            quits: BTreeMap::new(),
            endings: BTreeMap::new(),
        };
        for entry in acts {
            if let Act::Resign { keeps } | Act::Leave { keeps, .. } = &entry.act
                && let Some(person) = roster.person(entry)
            {
                let quits = rules.quits.entry(person).or_default();
                quits.push((entry, keeps));
            }
        }
        rules.find_owners();
        rules.find_endings();
        rules
    }

    /// Owners are who an owner made one.
    fn find_owners(&mut self) {
        loop {
            let made = self.acts.iter().filter_map(|entry| match entry.act {
                Act::Owner { person } if self.is_by_owner(entry) => Some(person),
                _ => None,
            });
            let made: Vec<_> = made.collect();
            let before = self.owners.len();
            self.owners.extend(made);
            if self.owners.len() == before {
                return;
            }
        }
    }

    /// Of one who is no owner, the leaving with the smallest id counts for an add.
    fn find_endings(&mut self) {
        let in_force = self.in_force();
        let mut left = BTreeSet::new();
        for entry in self.acts {
            let (id, clock) = (entry.id, entry.clock);
            match &entry.act {
                Act::Remove { person, keeps, cut }
                    if !in_force.contains(person) && self.is_by_owner(entry) =>
                {
                    let keeps = Some(keeps);
                    let ending = Ending {
                        id,
                        clock,
                        keeps,
                        cut,
                    };
                    self.endings.entry(*person).or_default().push(ending);
                }
                Act::Leave { cut, .. } => {
                    if let Some(person) = self.roster.person(entry)
                        && (self.owners.contains(&person)
                            || left.insert(self.roster.accepted_add(entry)))
                    {
                        let keeps = None;
                        let ending = Ending {
                            id,
                            clock,
                            keeps,
                            cut,
                        };
                        self.endings.entry(person).or_default().push(ending);
                    }
                }
                _ => {}
            }
        }
        for endings in self.endings.values_mut() {
            endings.sort_by_key(Ending::at);
        }
    }

    /// Whether an entry counts as the act of an owner: of one who has resigned or left, only what
    /// they kept.
    pub(super) fn is_by_owner(&self, entry: &RosterEntry) -> bool {
        let writer = self.roster.person(entry);
        writer.is_some_and(|writer| self.is_act_of_owner(&writer, entry))
    }

    fn is_act_of_owner(&self, writer: &PersonKey, entry: &RosterEntry) -> bool {
        let quits = self.quits.get(writer);
        self.owners.contains(writer)
            && quits.is_none_or(|quits| quits.iter().all(|(_, keeps)| keeps.contains(&entry.id)))
    }

    /// Whether a person had resigned or left before this entry: then nothing makes them an owner.
    pub(super) fn has_quit_before(&self, person: &PersonKey, entry: &RosterEntry) -> bool {
        let mut quits = self.quits.get(person).into_iter().flatten();
        quits.any(|(quit, _)| (quit.clock, quit.id) < (entry.clock, entry.id))
    }

    /// The owners who have neither resigned nor left.
    fn in_force(&self) -> BTreeSet<PersonKey> {
        let owners = self.owners.iter().copied();
        owners
            .filter(|owner| !self.quits.contains_key(owner))
            .collect()
    }

    pub(super) fn endings(&self, person: &PersonKey) -> &[Ending<'a>] {
        self.endings.get(person).map_or(&[], Vec::as_slice)
    }

    pub(super) fn all_endings(&self) -> BTreeSet<EntryId> {
        let endings = self.endings.values().flatten();
        endings.map(|ending| ending.id).collect()
    }

    /// The joins and adds that count, with the `from` that counts, found from the create on: an add
    /// hangs on its writer's join, a join on its add. A queue, since members can make chains of any length.
    fn counting(
        &self,
        index: &Index<'a>,
        create: &'a RosterEntry,
        certificate: &'a Certificate,
    ) -> (Vec<Join<'a>>, Vec<Invitation<'a>>) {
        let mut joins = vec![Join {
            id: create.id,
            clock: create.clock,
            certificate,
            invitation: None,
        }];
        let mut adds = Vec::new();
        let mut at = 0;
        while let Some(join) = joins.get(at) {
            let mut more = Vec::new();
            let written = index.adds.get(&join.id).into_iter();
            for add in written.flat_map(BTreeMap::values) {
                if !self.add_counts(add, join) {
                    continue;
                }
                let by = join.certificate.person;
                let invitation = Invitation {
                    add: *add,
                    by,
                    is_by_owner: self.is_act_of_owner(&by, add.entry),
                    from: join.from().max(add.from),
                };
                adds.push(invitation);
                let accepted = index.joins.get(&add.entry.id).into_iter().flatten();
                more.extend(accepted.map(|(entry, certificate)| Join {
                    id: entry.id,
                    clock: entry.clock,
                    certificate,
                    invitation: Some(invitation),
                }));
            }
            joins.append(&mut more);
            at += 1;
        }
        (joins, adds)
    }

    /// Whether an add counts, given that its writer's join does.
    fn add_counts(&self, add: &Add<'a>, writer: &Join<'a>) -> bool {
        let is_kept = |ending: &Ending<'_>| {
            let is_named = |keeps: &BTreeSet<EntryId>| keeps.contains(&add.entry.id);
            ending.keeps.is_none_or(is_named) || writer.overrules(ending)
        };
        let is_removal = |ending: &&Ending<'_>| ending.keeps.is_some();
        let brings_back = (self.endings(&add.person).iter().filter(is_removal))
            .any(|removal| add.after.contains(&removal.id));
        let person = writer.certificate.person;
        self.endings(&person).iter().all(is_kept) && (!brings_back || self.is_by_owner(add.entry))
    }

    /// Those who have a join that nothing ends, as far as there is room.
    pub(super) fn members(&self, joins: &[Join<'a>]) -> BTreeMap<PersonKey, Clock> {
        let is_in = |join: &&Join<'a>| {
            let mut endings = self.endings(&join.certificate.person).iter();
            endings.all(|ending| join.overrules(ending))
        };
        let mut joins: Vec<_> = joins.iter().filter(is_in).collect();
        joins.sort_by_key(|join| join.invitation.map(|invitation| invitation.rank()));
        let mut members = BTreeMap::new();
        let mut added: BTreeMap<PersonKey, usize> = BTreeMap::new();
        for join in joins {
            let person = join.certificate.person;
            if let Some(from) = members.get_mut(&person) {
                *from = join.from().min(*from);
                continue;
            }
            let by_member = join.invitation.filter(|invitation| !invitation.is_by_owner);
            let count = by_member.map(|invitation| added.entry(invitation.by).or_default());
            let has_room = count.as_ref().is_none_or(|count| **count < MAX_ADDED);
            if has_room && members.len() < MAX_PEOPLE {
                members.insert(person, join.from());
                count.into_iter().for_each(|count| *count += 1);
            }
        }
        members
    }

    fn removals(&self) -> BTreeMap<PersonKey, BTreeSet<EntryId>> {
        let by_person = self.endings.iter().map(|(person, endings)| {
            let removals = endings.iter().filter(|ending| ending.keeps.is_some());
            (*person, removals.map(|removal| removal.id).collect())
        });
        by_person
            .filter(|(_, removals): &(_, BTreeSet<_>)| !removals.is_empty())
            .collect()
    }

    /// Of each person the add by which they see most of those that nothing ends, an owner's if there
    /// is one. One that lets them see nothing yet would keep them from joining.
    fn usable(&self, adds: &[Invitation<'a>]) -> BTreeMap<PersonKey, EntryId> {
        let mut adds: Vec<_> = adds.iter().filter(|it| !self.is_ended(&it.add)).collect();
        adds.sort_by_key(|invitation| {
            let (is_by_member, clock, id) = invitation.rank();
            (is_by_member, invitation.from, clock, id)
        });
        let best_last = adds.into_iter().rev();
        best_last
            .map(|it| (it.add.person, it.add.entry.id))
            .collect()
    }

    /// Whether something ends the membership by an add.
    fn is_ended(&self, add: &Add<'a>) -> bool {
        let mut endings = self.endings(&add.person).iter();
        endings.any(|ending| !add.after.contains(&ending.id))
    }

    /// The people whose add was not accepted, and is not ended.
    pub(super) fn invited(
        &self,
        adds: &[Invitation<'a>],
        joins: &[Join<'a>],
        members: &BTreeMap<PersonKey, Clock>,
    ) -> BTreeMap<PersonKey, EntryId> {
        let accepted: BTreeSet<_> = joins
            .iter()
            .filter_map(|join| join.invitation)
            .map(|invitation| invitation.add.entry.id)
            .collect();
        let is_open = |Invitation { add, .. }: &&Invitation<'a>| {
            !members.contains_key(&add.person)
                && !accepted.contains(&add.entry.id)
                && !self.is_ended(add)
        };
        let mut open: Vec<_> = adds.iter().filter(is_open).collect();
        open.sort_by_key(|invitation| (invitation.add.entry.clock, invitation.add.entry.id));
        let mut by_writer: BTreeMap<_, usize> = BTreeMap::new();
        let mut invited = BTreeMap::new();
        for invitation in open.into_iter().rev() {
            let count = by_writer.entry(invitation.by).or_default();
            if *count < MAX_INVITED || invitation.is_by_owner {
                *count += 1;
                let add = invitation.add;
                invited.entry(add.person).or_insert(add.entry.id);
            }
        }
        invited
    }

    /// The logs of those who are in, and of those who were up to where they were. Who is out only
    /// because there is no room has none.
    pub(super) fn logs(
        &self,
        joins: &[Join<'a>],
        members: &BTreeMap<PersonKey, Clock>,
    ) -> BTreeMap<JoinId, Log> {
        let logs = joins.iter().filter_map(|join| {
            let person = join.certificate.person;
            let endings = self.endings(&person).iter();
            let cut = endings
                .filter(|ending| !join.overrules(ending))
                .map(|ending| ending.cut.get(&join.id).copied().unwrap_or(0))
                .min();
            (cut.is_some() || members.contains_key(&person)).then(|| (join.id, join.log(cut)))
        });
        logs.collect()
    }

    /// The latest name that an owner gave.
    fn name(&self) -> Option<DisplayName> {
        let names = self.acts.iter().filter_map(|entry| match entry.act {
            Act::Rename { name } if self.is_by_owner(entry) => Some((entry.clock, entry.id, name)),
            _ => None,
        });
        names
            .max_by_key(|(clock, id, _)| (*clock, *id))
            .map(|(_, _, name)| name)
    }
}
