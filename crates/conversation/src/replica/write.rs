//! What this device writes.

use std::collections::BTreeSet;

use p2pchat_protocol::v2::conversation::roster::{Act, Add as Sealed};
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::conversation::{Clock, EntryId, JoinId};
use p2pchat_protocol::v2::{DisplayName, PersonKey};
use thiserror::Error;

use super::{Fact, Kind, Replica, ahead_of};
use crate::roster::Membership;
use crate::seal::{Next, Seal};

/// The most ids that an entry lists: it has room for them and a cut of all logs of a person.
const MAX_LISTED: usize = 900;

/// What someone who is in does to a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Invites a person.
    Add {
        /// Who is invited.
        person: PersonKey,
        /// Whether they see everything, or what is written from now on.
        sees_all: bool,
    },
    /// Makes a person an owner.
    Owner(PersonKey),
    /// Ends being an owner.
    Resign,
    /// Ends the membership of a person.
    Remove(PersonKey),
    /// Ends one's own.
    Leave,
    /// Gives a name.
    Rename(DisplayName),
}

/// It cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unable {
    /// This person is not in the conversation.
    #[error("you are not in this conversation")]
    NotIn,
    /// This person is no owner.
    #[error("only an owner can do that")]
    NotOwner,
    /// Who has left or resigned once is no owner again.
    #[error("they have left or resigned once, and cannot be an owner again")]
    HasQuit,
    /// A direct conversation has no roster acts but its joins.
    #[error("a direct conversation is of its two people")]
    Direct,
    /// An owner cannot be removed.
    #[error("an owner cannot be removed, only leave")]
    IsOwner,
    /// This person has begun as many logs as count.
    #[error(
        "you have joined this conversation too often; leave it, and have an owner add you again"
    )]
    TooOften,
    /// The same in a direct conversation, which nobody is added to.
    #[error("you have joined this conversation too often; go on in a group with them")]
    TooOftenDirect,
    /// The person who is asked has begun as many logs as count by the adds of those who are no owners.
    #[error("they have joined this conversation too often; only an owner can add them again")]
    TheyTooOften,
    /// Nothing that this person may see can be written at this time.
    #[error("this computer's clock is behind the time at which you were asked; set it right")]
    Behind,
    /// The message is erased already.
    #[error("this message was deleted")]
    Erased,
    /// Its clock has reached the end.
    #[error("no later time can be written")]
    NoLaterTime,
}

impl Replica {
    /// The entry that begins a group, and an invitation of oneself, by which this person's further
    /// devices and logs join.
    ///
    /// # Errors
    /// [`Unable::NoLaterTime`]
    pub fn create(&mut self, create: Sealed, seal: &impl Seal) -> Result<Vec<Fact>, Unable> {
        let now = create.entry.clock;
        let under = create.entry.id;
        let mut facts = vec![Fact::Roster(create), Fact::Began(under)];
        self.restore(facts.clone());
        let add = Act::Add {
            person: self.person,
            from: Clock::ZERO,
            after: BTreeSet::new(),
        };
        facts.extend(self.enter(Some(under), now, add, seal)?);
        Ok(facts)
    }

    /// Writes a roster entry.
    ///
    /// # Errors
    /// If this person may not.
    pub fn act(&mut self, deed: &Deed, now: Clock, seal: &impl Seal) -> Result<Vec<Fact>, Unable> {
        if self.kind != Kind::Group {
            return Err(Unable::Direct);
        }
        let act = self.act_of(deed, now)?;
        let (under, mut facts) = match self.own_join(now, seal) {
            // Where nothing can be said any more, one can still leave.
            Err(Unable::TooOften) => (self.counting_join().ok_or(Unable::TooOften)?, Vec::new()),
            begun => begun?,
        };
        facts.extend(self.enter(Some(under), now, act, seal)?);
        Ok(facts)
    }

    fn act_of(&self, deed: &Deed, now: Clock) -> Result<Act, Unable> {
        let is_owner = self.membership.owners.contains(&self.person);
        let owner = || is_owner.then_some(()).ok_or(Unable::NotOwner);
        Ok(match *deed {
            Deed::Add { person, sees_all } => {
                let was_removed = self.membership.removals.contains_key(&person);
                if was_removed && !self.membership.members.contains_key(&person) {
                    owner()?;
                }
                if !is_owner && self.has_joined_too_often(&person, None) {
                    return Err(Unable::TheyTooOften);
                }
                let from = if sees_all {
                    Clock::ZERO
                } else {
                    self.seen(now).next(now).ok_or(Unable::NoLaterTime)?
                };
                let counting = self.membership.removals.get(&person);
                let after = most(self.roster.endings_of(&person), |ending| {
                    counting.is_some_and(|counting| counting.contains(ending))
                });
                Act::Add {
                    person,
                    from,
                    after,
                }
            }
            Deed::Owner(person) => {
                owner()?;
                if self.roster.has_quit(&person) {
                    return Err(Unable::HasQuit);
                }
                Act::Owner { person }
            }
            Deed::Resign => {
                owner()?;
                let keeps = self.kept_as_owner();
                Act::Resign { keeps }
            }
            Deed::Remove(person) => {
                owner()?;
                if self.membership.owners.contains(&person) {
                    return Err(Unable::IsOwner);
                }
                let needed = self.needed_adds();
                let keeps = most(self.roster.adds_by(&person), |add| needed.contains(add));
                let cut = self.cut_of(&person);
                Act::Remove { person, keeps, cut }
            }
            Deed::Leave => {
                let keeps = self.kept_as_owner();
                let cut = self.cut_of(&self.person);
                Act::Leave { keeps, cut }
            }
            Deed::Rename(name) => {
                owner()?;
                Act::Rename { name }
            }
        })
    }

    /// What goes on counting of what this person wrote as an owner.
    fn kept_as_owner(&self) -> BTreeSet<EntryId> {
        let needed = self.needed_adds();
        most(self.roster.acts_as_owner_of(&self.person), |id| {
            let act = self.roster.get(id).map(|entry| &entry.act);
            needed.contains(id) || matches!(act, Some(Act::Remove { .. } | Act::Owner { .. }))
        })
    }

    /// The adds of those who are in or asked.
    fn needed_adds(&self) -> BTreeSet<EntryId> {
        let Membership {
            members,
            invited,
            adds,
            ..
        } = &self.membership;
        let people = members.keys().chain(invited.keys());
        people
            .filter_map(|person| adds.get(person))
            .copied()
            .collect()
    }

    /// What is held of a person's logs.
    fn cut_of(&self, person: &PersonKey) -> std::collections::BTreeMap<JoinId, u64> {
        let logs = self.membership.logs.iter();
        let theirs = logs.filter(|(_, log)| log.person == *person);
        let held = theirs.filter_map(|(join, _)| Some((*join, self.head(join, Clock::ZERO)?.next)));
        held.collect()
    }

    /// Signs a roster entry and takes it. Its clock is later than all that was seen.
    pub(super) fn enter(
        &mut self,
        under: Option<JoinId>,
        now: Clock,
        act: Act,
        seal: &impl Seal,
    ) -> Result<Vec<Fact>, Unable> {
        let clock = self.seen(now).next(now).ok_or(Unable::NoLaterTime)?;
        let sealed = seal.seal(Some(self.id), under, clock, act);
        Ok(self.take_roster(vec![sealed], seal).facts)
    }

    /// Writes a talk entry, in a new log where the last one cannot be gone on with. `instead_of`
    /// names an own entry that nobody will be shown and that this one says once more.
    ///
    /// # Errors
    /// If this person is not in.
    pub fn say(
        &mut self,
        talk: &Talk,
        instead_of: Option<EntryId>,
        now: Clock,
        seal: &impl Seal,
    ) -> Result<(EntryId, Vec<Fact>), Unable> {
        if let Talk::Edit { of, .. } = talk
            && self.has_erased(&self.person, of)
        {
            return Err(Unable::Erased);
        }
        let (join, mut facts) = self.own_join(now, seal)?;
        let last = self.begun.get(&join).and_then(Option::as_ref);
        let last = last.map(|last| (last.id, last.header.position, last.header.clock));
        let seen = self.seen(now).max(last.map_or(Clock::ZERO, |last| last.2));
        let entry = seal.speak(
            Next {
                conversation: self.id,
                join,
                position: last.map_or(0, |last| last.1 + 1),
                previous: last.map_or(EntryId([0; 32]), |last| last.0),
                clock: seen.next(now).ok_or(Unable::NoLaterTime)?,
            },
            talk,
        );
        let id = entry.id;
        let fact = Fact::Talk { entry, instead_of };
        self.apply(&fact);
        facts.push(fact);
        if let Talk::Erase { of } = talk {
            let erased = self.erase(of, &self.person);
            erased.iter().for_each(|fact| self.apply(fact));
            facts.extend(erased);
        }
        Ok((id, facts))
    }

    /// The latest clock of what is held and shown.
    #[must_use]
    pub fn seen(&self, now: Clock) -> Clock {
        let latest = ahead_of(now);
        let talk = self.logs.values().filter_map(|log| log.latest(latest));
        let roster = self.roster.entries().map(|entry| entry.clock);
        let roster = roster.filter(|clock| *clock <= latest);
        let from = self.membership.members.get(&self.person).copied();
        talk.chain(roster).chain(from).max().unwrap_or_default()
    }
}

/// As many ids as an entry has room for, those that matter most before others.
fn most(ids: BTreeSet<EntryId>, matters: impl Fn(&EntryId) -> bool) -> BTreeSet<EntryId> {
    let (first, others): (Vec<_>, Vec<_>) = ids.into_iter().partition(matters);
    first.into_iter().chain(others).take(MAX_LISTED).collect()
}
