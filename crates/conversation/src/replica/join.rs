//! Which log this device writes to: its joins.

use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::roster::{Act, Add as Sealed};
use p2pchat_protocol::v2::conversation::{Clock, EntryId, JoinId};

use super::{Fact, Kind, Replica, Role, Unable, ahead_of};
use crate::log::Named;
use crate::roster::{Carried, MAX_JOINS, accepted_by};
use crate::seal::Seal;

impl Replica {
    /// The join of this device by which it accepts an invitation, or writes in a direct
    /// conversation.
    ///
    /// # Errors
    /// [`Unable::NotIn`] if nobody has asked this person, or why a join would not count.
    pub fn join(&mut self, now: Clock, seal: &impl Seal) -> Result<Vec<Fact>, Unable> {
        let add = self.add_to_accept(now)?;
        let act = Act::Join {
            certificate: seal.certificate(),
            salt: seal.salt(),
            add,
        };
        let mut facts = self.enter(None, now, act, seal)?;
        let join = facts.iter().find_map(|fact| match fact {
            Fact::Roster(sealed) => Some(sealed.entry.id),
            _ => None,
        });
        let began = join.map(Fact::Began);
        began.iter().for_each(|began| self.apply(began));
        facts.extend(began);
        Ok(facts)
    }

    /// What the next join of this device accepts: in a direct conversation nothing.
    fn add_to_accept(&self, now: Clock) -> Result<Option<Box<Sealed>>, Unable> {
        if self.kind != Kind::Group {
            let is_full = self.has_joined_too_often(&self.person, None);
            return (!is_full).then_some(None).ok_or(Unable::TooOftenDirect);
        }
        let add = self.own_add()?;
        let by_owner = self.is_by_owner(&add.entry).then_some(add.entry.id);
        if self.has_joined_too_often(&self.person, by_owner) {
            return Err(Unable::TooOften);
        }
        match add.entry.act {
            Act::Add { from, .. } if from > ahead_of(now) => Err(Unable::Behind),
            _ => Ok(Some(Box::new(add))),
        }
    }

    /// Whether a further join of a person would not count: by this add of an owner, or without it by
    /// any other.
    pub(super) fn has_joined_too_often(
        &self,
        person: &PersonKey,
        by_owner: Option<EntryId>,
    ) -> bool {
        let joins = self.roster.joins_of(person).into_iter();
        let adds = joins.map(|(_, join)| {
            let add = accepted_by(join).filter(|add| self.is_by_owner(add));
            add.map(|add| add.id)
        });
        adds.filter(|add| *add == by_owner).count() >= MAX_JOINS
    }

    /// The add by which this person may join.
    fn own_add(&self) -> Result<Sealed, Unable> {
        let add = self.membership.adds.get(&self.person);
        let add = add.and_then(|add| self.roster.find_add(add));
        let add = add.and_then(|add| match add {
            Carried::Own(entry) => self.seal_of(&entry.id),
            Carried::ByJoin(add) => Some(add.clone()),
        });
        add.ok_or(Unable::NotIn)
    }

    /// The join that this device writes under. It begins a new one where the last cannot be gone on
    /// with.
    pub(super) fn own_join(
        &mut self,
        now: Clock,
        seal: &impl Seal,
    ) -> Result<(JoinId, Vec<Fact>), Unable> {
        let Role::Member(from) = self.own_role() else {
            return Err(Unable::NotIn);
        };
        if from > ahead_of(now) {
            return Err(Unable::Behind);
        }
        if let Some(join) = self.usable_join(now) {
            return Ok((join, Vec::new()));
        }
        self.add_to_accept(now)?;
        let mut facts = self.begin_again(now);
        facts.extend(self.join(now, seal)?);
        let join = self.usable_join(now).ok_or(Unable::TooOften)?;
        Ok((join, facts))
    }

    /// A join of this device that counts, whatever has become of its log.
    pub(super) fn counting_join(&self) -> Option<JoinId> {
        let mut logs = self.membership.logs.iter();
        let own = logs.find(|(_, log)| log.device == self.device && log.cut.is_none());
        own.map(|(join, _)| *join)
    }

    /// The newest join of this device whose log can be gone on with.
    #[must_use]
    pub fn usable_join(&self, now: Clock) -> Option<JoinId> {
        let own = self.roster.joins_of(&self.person).into_iter().rev();
        let is_usable = |join: &JoinId| {
            let log = self.logs.get(join);
            let of = self.membership.logs.get(join);
            let last = self.begun.get(join);
            last.is_some_and(|last| !is_ahead(last.as_ref(), now))
                && of.is_some_and(|of| of.cut.is_none())
                && log
                    .is_none_or(|log| log.end().is_none() && !is_ahead(log.iter().next_back(), now))
        };
        own.map(|(join, _)| join).find(is_usable)
    }

    /// Ends the logs that cannot be gone on with. What they hold ahead of the clock has to be written
    /// once more.
    fn begin_again(&mut self, now: Clock) -> Vec<Fact> {
        let mut facts = Vec::new();
        for join in self.begun.keys() {
            let Some(log) = self.logs.get(join) else {
                continue;
            };
            let newest_first = log.iter().rev();
            let ahead = newest_first.take_while(|entry| is_ahead(Some(entry), now));
            facts.extend(ahead.map(|entry| Fact::Again(entry.id)));
        }
        facts.extend(self.begun.keys().copied().map(Fact::Retired));
        for fact in &facts {
            self.apply(fact);
        }
        facts
    }

    /// Ends writing to the logs that this data folder began: it may be a copy, so their next
    /// positions may be taken.
    pub fn retire(&mut self) -> Vec<Fact> {
        let begun = std::mem::take(&mut self.begun);
        begun.into_keys().map(Fact::Retired).collect()
    }
}

fn is_ahead(entry: Option<&Named>, now: Clock) -> bool {
    entry.is_some_and(|entry| entry.header.clock > ahead_of(now))
}
