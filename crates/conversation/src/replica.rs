//! One conversation as one device holds it: its roster, its talk logs, and what this device has
//! learned of the others.
//!
//! | module | what it has |
//! |---|---|
//! | `take` | what comes from others |
//! | `erase` | which bodies are not kept |
//! | `join` | which log this device writes to |
//! | `write` | what this device writes |
//! | `facts` | what is stored, and how it is found again |
//!
//! All that changes is a [`Fact`]. A caller that stores them in order and gives them back gets the same
//! replica.

mod erase;
mod facts;
mod join;
mod take;
mod write;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use p2pchat_protocol::v2::conversation::roster::{Act, Add as Sealed};
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use p2pchat_protocol::v2::{DeviceKey, PersonKey};

use crate::log::{Head, Named, TalkLog};
use crate::message::Place;
use crate::ranges::Ranges;
use crate::roster::{Change, Membership, Roster};
use crate::seal::Seal;

pub use facts::Fact;
pub use take::{MAX_ROSTER, Took};
pub use write::{Deed, Unable};

/// How far ahead of one's own clock an entry may be and is still shown, in milliseconds.
pub const MAX_AHEAD: u64 = 5 * 60 * 1000;

/// What kind of conversation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of any number of people.
    Group,
    /// Of these two.
    Direct([PersonKey; 2]),
}

/// What one person is to a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// In it, and sees entries with a greater clock.
    Member(Clock),
    /// Asked, by this add.
    Invited(EntryId),
    /// Neither.
    Stranger,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Replica {
    id: ConversationId,
    kind: Kind,
    device: DeviceKey,
    person: PersonKey,
    roster: Roster,
    /// The entries of the roster as they came.
    sealed: BTreeMap<EntryId, Box<[u8]>>,
    /// Of the sorted ids, once it was asked for.
    roster_hash: OnceCell<[u8; 32]>,
    membership: Membership,
    logs: BTreeMap<JoinId, TalkLog>,
    /// The erases that name an entry, and where they are.
    erases: BTreeMap<EntryId, BTreeMap<EntryId, (JoinId, u64)>>,
    /// The entries that are held without their bodies.
    bodiless: BTreeMap<EntryId, (JoinId, u64)>,
    /// The edits of each message.
    edits: BTreeMap<EntryId, Vec<(EntryId, PersonKey)>>,
    /// The removals that were counted once, by the person who was removed.
    shut: BTreeMap<PersonKey, BTreeSet<EntryId>>,
    /// Those who declined this add or know of this ending.
    answered: BTreeSet<(PersonKey, EntryId)>,
    /// What people are known to hold of one's own logs.
    got: BTreeMap<(PersonKey, JoinId), Ranges>,
    /// The logs that this data folder has begun and may go on with, and the last entry of each,
    /// whether or not it is held: its position is taken.
    begun: BTreeMap<JoinId, Option<Named>>,
    /// Own entries that nobody will be shown where they are.
    again: BTreeSet<EntryId>,
    /// What was found out of the heads, by the clock after which they are seen, until a log or who is
    /// in changes: all who are connected ask for the same, one after the other.
    summaries: RefCell<BTreeMap<Clock, Summary>>,
}

/// What is held of all logs, of the entries after a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The digest of the heads.
    pub(crate) digest: [u8; 32],
    /// Whether something is missing below a head.
    pub(crate) has_gap: bool,
}

impl Replica {
    /// One of which nothing is known but its id and kind.
    #[must_use]
    pub fn new(id: ConversationId, kind: Kind, seal: &impl Seal) -> Self {
        let own = seal.certificate();
        Self {
            id,
            kind,
            device: own.device,
            person: own.person,
            roster: Roster::default(),
            sealed: BTreeMap::new(),
            roster_hash: OnceCell::new(),
            membership: Membership::default(),
            logs: BTreeMap::new(),
            erases: BTreeMap::new(),
            bodiless: BTreeMap::new(),
            edits: BTreeMap::new(),
            shut: BTreeMap::new(),
            answered: BTreeSet::new(),
            got: BTreeMap::new(),
            begun: BTreeMap::new(),
            again: BTreeSet::new(),
            summaries: RefCell::default(),
        }
    }

    /// The summary for a clock, which is computed once.
    pub(crate) fn summary(&self, from: Clock, compute: impl FnOnce() -> Summary) -> Summary {
        if let Some(known) = self.summaries.borrow().get(&from) {
            return *known;
        }
        let summary = compute();
        self.summaries.borrow_mut().insert(from, summary);
        summary
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ConversationId {
        self.id
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Who is in.
    #[must_use]
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The history of the membership, in the order of the clocks.
    #[must_use]
    pub fn history(&self) -> Vec<Change> {
        match self.kind {
            Kind::Group => {
                let has_declined = |person: &_, add: &_| self.has_answered(person, add);
                self.roster.history_of_group(has_declined)
            }
            Kind::Direct(people) => self.roster.history_of_direct(people),
        }
    }

    /// Whose device this is.
    #[must_use]
    pub fn person(&self) -> PersonKey {
        self.person
    }

    /// Its roster as facts.
    #[must_use]
    pub fn roster_facts(&self) -> Vec<Fact> {
        let shut = self.shut.iter().flat_map(|(person, removals)| {
            let of = |removal: &EntryId| Fact::Shut(*person, *removal);
            removals.iter().map(of)
        });
        let mut entries: Vec<_> = self.roster.entries().collect();
        entries.sort_by_key(|entry| (entry.clock, entry.id));
        let entries = entries
            .into_iter()
            .filter_map(|entry| self.seal_of(&entry.id));
        let entries = entries.map(Fact::Roster);
        entries.chain(shut).collect()
    }

    /// Who has asked this person, of a group: the writer of the add.
    #[must_use]
    pub fn inviter(&self) -> Option<PersonKey> {
        match (self.kind, self.role_by_roster()) {
            (Kind::Group, Role::Invited(add)) => {
                let add = self.roster.get(&add)?;
                self.roster.person(add)
            }
            (Kind::Direct(people), _) => people.into_iter().find(|person| *person != self.person),
            _ => None,
        }
    }

    /// Whether this is a direct conversation and a person is none of its two. Anybody can compute
    /// its id, so naming it shows nothing, and an answer would tell that it is held.
    #[must_use]
    pub fn is_of_others(&self, person: &PersonKey) -> bool {
        matches!(self.kind, Kind::Direct(people) if !people.contains(person))
    }

    /// Whether a person has declined this add, or knows of this ending.
    #[must_use]
    pub fn has_answered(&self, person: &PersonKey, id: &EntryId) -> bool {
        self.answered.contains(&(*person, *id))
    }

    /// Whether a person was asked and does not want to be in it.
    #[must_use]
    pub fn has_declined(&self, person: &PersonKey) -> bool {
        let add = match self.kind {
            Kind::Direct(_) => Some(self.id_of_direct()),
            Kind::Group => self.membership.invited.get(person).copied(),
        };
        let is_in = self.membership.members.contains_key(person);
        !is_in && add.is_some_and(|add| self.has_answered(person, &add))
    }

    /// The leavings of a person.
    #[must_use]
    pub fn leavings_of(&self, person: &PersonKey) -> BTreeSet<EntryId> {
        let leavings = self.roster.entries().filter(|entry| {
            matches!(entry.act, Act::Leave { .. }) && self.roster.person(entry) == Some(*person)
        });
        leavings.map(|entry| entry.id).collect()
    }

    /// The leavings of this device's person.
    #[must_use]
    pub fn own_leavings(&self) -> BTreeSet<EntryId> {
        self.leavings_of(&self.person)
    }

    /// What someone who names this conversation is answered: the adds that this person has
    /// declined, and the removals and leavings of this person.
    #[must_use]
    pub fn answers(&self, to: &PersonKey) -> Vec<EntryId> {
        let me = &self.person;
        if me == to || self.own_role() != Role::Stranger {
            return Vec::new();
        }
        let declined = self.answered.iter().filter(|(person, _)| person == me);
        let declined = declined.map(|(_, id)| *id);
        let removals = self.membership.removals.get(me).into_iter().flatten();
        let endings = removals.copied().chain(self.own_leavings());
        declined.chain(endings).collect()
    }

    /// The own entry that a person must hold, as this entry of theirs names it.
    #[must_use]
    pub fn got_by_answer(&self, entry: &TalkEntry) -> Option<(PersonKey, JoinId, u64)> {
        let author = self.author(&entry.header.join)?;
        let names = match talk_of(entry)? {
            Talk::Reply { to, .. } | Talk::Reaction { to, .. } => to,
            _ => return None,
        };
        if author == self.person {
            return None;
        }
        let own = self
            .membership
            .logs
            .iter()
            .filter(|(_, of)| of.person == self.person);
        own.map(|(join, _)| join).find_map(|join| {
            let position = self.logs.get(join)?.find(&names)?;
            Some((author, *join, position))
        })
    }

    /// Its roster.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The roster entries with these ids, as they are sent.
    pub fn sealed(&self, ids: &[EntryId]) -> impl Iterator<Item = Sealed> {
        ids.iter().filter_map(|id| self.seal_of(id))
    }

    fn seal_of(&self, id: &EntryId) -> Option<Sealed> {
        let entry = self.roster.get(id)?.clone();
        let bytes = self.sealed.get(id)?.clone();
        Some(Sealed { entry, bytes })
    }

    /// The ids of the roster, sorted.
    pub fn roster_ids(&self) -> impl ExactSizeIterator<Item = &EntryId> {
        self.sealed.keys()
    }

    /// A hash of the sorted ids of the roster, by which two are compared.
    pub fn roster_hash(&self, seal: &impl Seal) -> [u8; 32] {
        let hash = || {
            let ids: Vec<_> = self.roster_ids().map(|id| id.0).collect();
            seal.digest(ids.as_flattened())
        };
        *self.roster_hash.get_or_init(hash)
    }

    /// A talk log.
    #[must_use]
    pub fn log(&self, join: &JoinId) -> Option<&TalkLog> {
        self.logs.get(join)
    }

    /// Own entries to write once more, as nobody will be shown them where they are.
    #[must_use]
    pub fn again(&self) -> &BTreeSet<EntryId> {
        &self.again
    }

    /// What a person is here, as far as this device will act on it: who was removed once is a
    /// stranger until an owner has asked them back, who declined was not asked.
    #[must_use]
    pub fn role(&self, person: &PersonKey) -> Role {
        if self.is_shut_out(person) {
            return Role::Stranger;
        }
        if let Some(from) = self.membership.members.get(person) {
            return Role::Member(*from);
        }
        if let Kind::Direct(people) = self.kind
            && people.contains(person)
            && self.membership.members.contains_key(&self.person)
            && !self.answered.contains(&(*person, self.id_of_direct()))
        {
            return Role::Invited(self.id_of_direct());
        }
        match self.membership.invited.get(person) {
            Some(add) if !self.answered.contains(&(*person, *add)) => Role::Invited(*add),
            _ => Role::Stranger,
        }
    }

    /// What this device's person is.
    #[must_use]
    pub fn own_role(&self) -> Role {
        let role = self.role_by_roster();
        match role {
            Role::Invited(add) if self.has_answered(&self.person, &add) => Role::Stranger,
            role => role,
        }
    }

    /// Whether this person is asked, and has not answered or declined.
    pub(crate) fn is_only_asked(&self) -> bool {
        matches!(self.role_by_roster(), Role::Invited(_))
    }

    fn role_by_roster(&self) -> Role {
        match self.kind {
            Kind::Direct(_) if !self.membership.members.contains_key(&self.person) => {
                if self.membership.members.is_empty() {
                    Role::Stranger
                } else {
                    Role::Invited(self.id_of_direct())
                }
            }
            _ => match self.membership.members.get(&self.person) {
                Some(from) => Role::Member(*from),
                None => (self.membership.invited.get(&self.person))
                    .map_or(Role::Stranger, |add| Role::Invited(*add)),
            },
        }
    }

    /// In place of an add, which a direct conversation has none of.
    fn id_of_direct(&self) -> EntryId {
        EntryId(self.id.0)
    }

    fn is_shut_out(&self, person: &PersonKey) -> bool {
        let Some(removals) = self.shut.get(person) else {
            return false;
        };
        let owners = &self.membership.ever_owners;
        let names = |removal: &EntryId| self.roster.is_asked_back(person, removal, owners);
        !removals.iter().all(names)
    }

    /// How many entries of a log count.
    #[must_use]
    pub fn limit(&self, join: &JoinId) -> u64 {
        let Some(log) = self.membership.logs.get(join) else {
            return 0;
        };
        let by_roster = log.cut.unwrap_or(u64::MAX);
        let by_log = self.logs.get(join).map_or(u64::MAX, TalkLog::limit);
        by_roster.min(by_log)
    }

    /// What is held of a log and counts, of the entries after a clock: its newest stretch.
    #[must_use]
    pub fn head(&self, join: &JoinId, from: Clock) -> Option<Head> {
        self.head_below(join, self.limit(join), from)
    }

    /// The same of what is below a position.
    pub(crate) fn head_below(&self, join: &JoinId, position: u64, from: Clock) -> Option<Head> {
        let log = self.logs.get(join)?;
        let mut head = log.head(position)?;
        // Above a gap may stand an entry with a lower clock, by which the log ends once the gap is
        // closed.
        while head.clock <= from {
            head = log.head(head.lowest)?;
        }
        let is_seen = |position| {
            let entry = log.get(position);
            entry.is_some_and(|entry| entry.header.clock > from)
        };
        let (mut below, mut above) = (head.lowest, head.next - 1);
        while below < above {
            let middle = below + (above - below) / 2;
            if is_seen(middle) {
                above = middle;
            } else {
                below = middle + 1;
            }
        }
        head.lowest = above;
        Some(head)
    }

    /// All entries that are shown at a time, in their order.
    #[must_use]
    pub fn shown(&self, now: Clock) -> Vec<(Place, Named)> {
        let from = self.membership.members.get(&self.person);
        let from = from.copied().unwrap_or_default();
        let latest = ahead_of(now);
        let mut shown = Vec::new();
        for (join, log) in &self.logs {
            let Some(of) = self.membership.logs.get(join) else {
                continue;
            };
            let limit = self.limit(join);
            let counting = log.iter().filter(|entry| {
                let header = &entry.header;
                header.position < limit && header.clock > from && header.clock <= latest
            });
            shown.extend(counting.map(|entry| {
                let place = Place {
                    clock: entry.header.clock,
                    device: of.device,
                    position: entry.header.position,
                };
                (place, *entry)
            }));
        }
        shown.sort_by_key(|(place, entry)| (*place, entry.id));
        shown
    }

    /// Whether a person is known to hold an own entry.
    #[must_use]
    pub fn has_got(&self, person: &PersonKey, join: &JoinId, position: u64) -> bool {
        let got = self.got.get(&(*person, *join));
        got.is_some_and(|got| got.contains(position))
    }

    /// Those who are in, are sent to, and are not known to hold an own entry, which they may see.
    #[must_use]
    pub fn waiting_for(&self, join: &JoinId, position: u64) -> Vec<PersonKey> {
        let Some(entry) = self.logs.get(join).and_then(|log| log.get(position)) else {
            return Vec::new();
        };
        let awaited = self.membership.members.iter().filter(|(person, from)| {
            **person != self.person
                && entry.header.clock > **from
                && !self.is_shut_out(person)
                && !self.has_got(person, join, position)
        });
        awaited.map(|(person, _)| *person).collect()
    }
}

/// What an entry says. `None` if its body is not there or needs a newer program.
pub(crate) fn talk_of(entry: &TalkEntry) -> Option<Talk> {
    let body = entry.body.as_ref()?;
    Talk::decode(entry.header.kind, body).ok()
}

/// The latest clock that is shown at a time.
pub(crate) fn ahead_of(now: Clock) -> Clock {
    let millis = u64::try_from(now.since_1970().as_millis()).unwrap_or(u64::MAX);
    Clock::from_millis(millis.saturating_add(MAX_AHEAD + 1))
}
