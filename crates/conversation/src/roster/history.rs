//! The history of the membership: the entries that changed something, in the order of their clocks.
//! It follows from the set of entries, as who is in does, so members who hold the same entries tell
//! the same.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_protocol::v2::conversation::roster::Act;
use p2pchat_protocol::v2::conversation::{Clock, EntryId};
use p2pchat_protocol::v2::{DisplayName, PersonKey};

use super::accepted_by;
use super::counting::{Invitation, Join};
use super::rules::{Counted, Rules};

/// What an entry has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The entry.
    pub entry: EntryId,
    /// When it was written; of an add or a join, behind what it builds on.
    pub clock: Clock,
    /// Who wrote it.
    pub by: PersonKey,
    /// What is different since.
    pub what: Changed,
}

impl Change {
    fn at(&self) -> (Clock, EntryId) {
        (self.clock, self.entry)
    }
}

/// See [`Change::what`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// This person is invited.
    Invited(PersonKey),
    /// Its writer is in.
    Joined,
    /// Its writer is not in any more.
    Left,
    /// This person is not in or invited any more.
    Removed(PersonKey),
    /// This person is an owner.
    Owner(PersonKey),
    /// Its writer is no owner any more.
    Resigned,
    /// The group has this name.
    Renamed(DisplayName),
}

/// The history of a group.
pub(super) fn of_group(
    counted: &Counted<'_>,
    has_declined: &impl Fn(&PersonKey, &EntryId) -> bool,
) -> Vec<Change> {
    let rules = &counted.rules;
    let members = rules.members(&counted.joins);
    let logs = rules.logs(&counted.joins, &members);
    let open = rules.invited(&counted.adds, &counted.joins, &members);
    let has_log = |join: &&Join<'_>| logs.contains_key(&join.id);
    let joins = || counted.joins.iter().filter(has_log);
    let accepted = joins().filter_map(|join| join.invitation);
    let accepted: BTreeSet<EntryId> = accepted.map(|it| it.add.entry.id).collect();
    let times = times(counted);
    let mut candidates: Vec<Change> = acts(rules).collect();
    for Invitation {
        add,
        by,
        is_by_owner,
        ..
    } in &counted.adds
    {
        let entry = add.entry.id;
        let invited = Change {
            entry,
            clock: times[&entry],
            by: *by,
            what: Changed::Invited(add.person),
        };
        let last = rules.endings(&add.person).last();
        let is_ended_later = || last.is_some_and(|last| last.at() > invited.at());
        // A member may write any number of them.
        let counts = *is_by_owner
            || accepted.contains(&entry)
            || open.get(&add.person) == Some(&entry)
            || is_ended_later();
        if counts && is_in_force(rules, &add.person, &invited, add.after) {
            candidates.push(invited);
        }
    }
    for (join, invitation) in joins().filter_map(|join| Some((join, join.invitation?))) {
        let joined = Change {
            clock: behind(join.clock, times.get(&invitation.add.entry.id).copied()),
            ..joined(join)
        };
        if is_in_force(rules, &joined.by, &joined, invitation.add.after) {
            candidates.push(joined);
        }
    }
    State::begun_by(counted.creator, counted.name).changes(candidates, has_declined)
}

/// The history of a direct conversation: that the other one has joined.
pub(super) fn of_direct(joins: &[Join<'_>]) -> Vec<Change> {
    let Some(first) = joins.first() else {
        return Vec::new();
    };
    let state = State::begun_by(first.certificate.person, None);
    state.changes(joins.iter().map(joined).collect(), |_, _| false)
}

/// When the adds that count were written: by their clocks, but behind the join of their writer and
/// what they overrule. No one gets before what they build on by dating an entry back.
fn times(counted: &Counted<'_>) -> BTreeMap<EntryId, Clock> {
    let roster = counted.rules.roster;
    let mut times: BTreeMap<EntryId, Clock> = BTreeMap::new();
    // Each comes after the add that its writer has joined by.
    for Invitation { add, .. } in &counted.adds {
        let join = add.entry.under.and_then(|join| roster.get(&join));
        let joined = join.map(|join| {
            let accepted = accepted_by(join).and_then(|add| times.get(&add.id));
            behind(join.clock, accepted.copied())
        });
        let overruled = add.after.iter().filter_map(|ending| roster.get(ending));
        let overruled = overruled.map(|ending| ending.clock);
        let earlier = joined.into_iter().chain(overruled).max();
        times.insert(add.entry.id, behind(add.entry.clock, earlier));
    }
    times
}

fn behind(clock: Clock, earlier: Option<Clock>) -> Clock {
    match earlier {
        Some(earlier) => earlier.next(clock).unwrap_or(Clock::MAX),
        None => clock,
    }
}

fn joined(join: &Join<'_>) -> Change {
    Change {
        entry: join.id,
        clock: join.clock,
        by: join.certificate.person,
        what: Changed::Joined,
    }
}

/// Whether no earlier ending ends this add or join, whose writer may not have known that ending.
fn is_in_force(
    rules: &Rules<'_>,
    person: &PersonKey,
    change: &Change,
    after: &BTreeSet<EntryId>,
) -> bool {
    let endings = rules.endings(person).iter();
    let mut earlier = endings.take_while(|ending| ending.at() < change.at());
    earlier.all(|ending| after.contains(&ending.id))
}

/// All that counts but adds and joins.
fn acts<'a>(rules: &'a Rules<'_>) -> impl Iterator<Item = Change> + 'a {
    let endings = rules.all_endings();
    rules.acts.iter().filter_map(move |entry| {
        let by = rules.roster.person(entry)?;
        let ends = || endings.contains(&entry.id);
        let (counts, what) = match &entry.act {
            Act::Owner { person } => (
                rules.is_by_owner(entry) && !rules.has_quit_before(person, entry),
                Changed::Owner(*person),
            ),
            Act::Rename { name } => (rules.is_by_owner(entry), Changed::Renamed(*name)),
            Act::Resign { .. } => (true, Changed::Resigned),
            Act::Remove { person, .. } => (ends(), Changed::Removed(*person)),
            Act::Leave { .. } => (ends(), Changed::Left),
            Act::Create { .. } | Act::Add { .. } | Act::Join { .. } => return None,
        };
        let (entry, clock) = (entry.id, entry.clock);
        let change = Change {
            entry,
            clock,
            by,
            what,
        };
        counts.then_some(change)
    })
}

/// How it stood at a moment.
struct State {
    /// Those who are in, and those who are invited.
    people: BTreeMap<PersonKey, Standing>,
    owners: BTreeSet<PersonKey>,
    name: Option<DisplayName>,
}

#[derive(PartialEq, Eq)]
enum Standing {
    In,
    /// By this add.
    Invited(EntryId),
}

impl State {
    fn begun_by(creator: PersonKey, name: Option<DisplayName>) -> Self {
        Self {
            people: BTreeMap::from([(creator, Standing::In)]),
            owners: BTreeSet::from([creator]),
            name,
        }
    }

    /// Those that make a difference.
    fn changes(
        mut self,
        mut candidates: Vec<Change>,
        has_declined: impl Fn(&PersonKey, &EntryId) -> bool,
    ) -> Vec<Change> {
        candidates.sort_by_key(Change::at);
        candidates.retain(|change| self.take(change, &has_declined));
        candidates
    }

    /// Whether it is different then.
    fn take(
        &mut self,
        change: &Change,
        has_declined: impl Fn(&PersonKey, &EntryId) -> bool,
    ) -> bool {
        let by = change.by;
        match change.what {
            Changed::Invited(person) => {
                let is_new = match self.people.get(&person) {
                    None => true,
                    Some(Standing::In) => false,
                    Some(Standing::Invited(add)) => has_declined(&person, add),
                };
                if is_new {
                    let invited = Standing::Invited(change.entry);
                    self.people.insert(person, invited);
                }
                is_new
            }
            Changed::Joined => self.people.insert(by, Standing::In) != Some(Standing::In),
            Changed::Left => {
                self.owners.remove(&by);
                self.people.remove(&by) == Some(Standing::In)
            }
            Changed::Removed(person) => {
                self.owners.remove(&person);
                self.people.remove(&person).is_some()
            }
            Changed::Owner(person) => self.owners.insert(person),
            Changed::Resigned => self.owners.remove(&by),
            Changed::Renamed(name) => self.name.replace(name) != Some(name),
        }
    }
}
