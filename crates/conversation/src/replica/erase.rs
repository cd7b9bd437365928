//! Which bodies are not kept, as their authors have erased them.
//!
//! An erase counts as long as its own log counts there. One that is beyond a fork or a cut does
//! nothing: others may not even know of it. So what it took is asked for again.

use std::collections::BTreeSet;

use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, EntryId, JoinId};

use super::{Fact, Replica, talk_of};

impl Replica {
    /// Remembers what an entry erases or edits, whether its body is missing, and that its position
    /// is taken.
    pub(super) fn notice(&mut self, entry: &TalkEntry) {
        let place = (entry.header.join, entry.header.position);
        if let Some(last) = self.begun.get_mut(&place.0)
            && last.is_none_or(|last| last.header.position < place.1)
        {
            *last = Some(entry.into());
        }
        if entry.body.is_none() {
            self.bodiless.insert(entry.id, place);
        } else {
            self.bodiless.remove(&entry.id);
        }
        let Some(author) = self.author(&place.0) else {
            return;
        };
        match talk_of(entry) {
            Some(Talk::Erase { of }) => {
                self.erases.entry(of).or_default().insert(entry.id, place);
            }
            Some(Talk::Edit { of, .. }) => {
                let edits = self.edits.entry(of).or_default();
                edits.push((entry.id, author));
            }
            _ => {}
        }
    }

    /// The body of an entry is not held any more.
    pub(super) fn lose_body(&mut self, id: &EntryId, author: &PersonKey) {
        if let Some(place) = self.place_of(id, author) {
            self.bodiless.insert(*id, place);
        }
    }

    /// Whether an entry may be without its body. Of which message an edit was can not be seen
    /// without its body, so it may if its author has erased anything, or could have before what
    /// this person may see.
    pub(super) fn may_lack_body(&self, id: &EntryId, author: &PersonKey, kind: u8) -> bool {
        let from = self.membership.members.get(&self.person);
        let sees_all = from.is_none_or(|from| *from == Clock::ZERO);
        let erases_something = || {
            let mut all = self.erases.values().flatten();
            all.any(|(erase, place)| self.is_erase_by(erase, place, author))
        };
        kind != Talk::ERASE
            && (self.has_erased(author, id)
                || (kind == Talk::EDIT && (!sees_all || erases_something())))
    }

    /// The positions of a log at which edits are held without their bodies, of which it is not seen
    /// that they were erased: others may have the bodies.
    pub(crate) fn doubtful(&self, join: &JoinId) -> impl Iterator<Item = u64> {
        let of_log = self
            .bodiless
            .iter()
            .filter(move |(_, place)| place.0 == *join);
        let doubtful = of_log.filter(move |(id, (_, position))| {
            let log = self.logs.get(join);
            let entry = log.and_then(|log| log.get(*position));
            entry.is_some_and(|entry| entry.header.kind == Talk::EDIT)
                && (self.author(join)).is_some_and(|author| !self.has_erased(&author, id))
        });
        doubtful.map(|(_, (_, position))| *position)
    }

    /// Whether an entry has the body of one that is held without.
    pub(super) fn lacks_body_of(&self, entry: &TalkEntry) -> bool {
        let place = (entry.header.join, entry.header.position);
        entry.body.is_some() && self.bodiless.get(&entry.id) == Some(&place)
    }

    /// Whether an author has erased an entry, if it is theirs.
    pub(super) fn has_erased(&self, author: &PersonKey, id: &EntryId) -> bool {
        let mut erases = self.erases.get(id).into_iter().flatten();
        erases.any(|(erase, place)| self.is_erase_by(erase, place, author))
    }

    fn is_erase_by(
        &self,
        erase: &EntryId,
        (join, position): &(JoinId, u64),
        author: &PersonKey,
    ) -> bool {
        let log = self.logs.get(join);
        *position < self.limit(join)
            && log.is_some_and(|log| log.has_had(*position, erase))
            && self.author(join).as_ref() == Some(author)
    }

    /// What an erase takes: the bodies of a message of the same author, and of its edits by them.
    pub(super) fn erase(&self, of: &EntryId, author: &PersonKey) -> Vec<Fact> {
        let edits = self.edits.get(of).into_iter().flatten();
        let theirs = edits.filter(|(_, by)| by == author).map(|(id, _)| id);
        let erased = theirs
            .chain([of])
            .filter(|id| self.place_of(id, author).is_some());
        erased.map(|id| Fact::Erased(*id, *author)).collect()
    }

    /// Where an entry of an author is that may be erased.
    fn place_of(&self, id: &EntryId, author: &PersonKey) -> Option<(JoinId, u64)> {
        let logs = self.logs.iter();
        let mut theirs = logs.filter(|(join, _)| self.author(join).as_ref() == Some(author));
        theirs.find_map(|(join, log)| {
            let position = log.find(id)?;
            let kind = log.get(position)?.header.kind;
            (kind != Talk::ERASE).then_some((*join, position))
        })
    }

    /// After the end or the cut of a log has changed: forgets the entries whose bodies were taken by
    /// an erase that does not count, to ask for them again, and takes those of erases that do again.
    pub(super) fn erase_again(&mut self) -> Vec<Fact> {
        let lacking = self.bodiless.iter().filter(|(id, (join, position))| {
            let entry = self.logs.get(join).and_then(|log| log.get(*position));
            let may_lack = |author: PersonKey| {
                entry.is_some_and(|entry| {
                    entry.id == **id && self.may_lack_body(id, &author, entry.header.kind)
                })
            };
            !self.author(join).is_some_and(may_lack)
        });
        let lacking: Vec<_> = lacking.map(|(id, place)| (*id, *place)).collect();
        for (id, (join, position)) in lacking {
            self.bodiless.remove(&id);
            let log = self.log_mut(&join);
            if log.get(position).is_some_and(|entry| entry.id == id) {
                log.forget(position);
            }
        }
        let counting = self.erases.iter().flat_map(|(of, erases)| {
            erases.iter().filter_map(|(erase, place)| {
                let author = self.author(&place.0)?;
                let counts = self.is_erase_by(erase, place, &author);
                counts.then_some((*of, author))
            })
        });
        // Of many erases of one message one is enough.
        let counting: BTreeSet<_> = counting.collect();
        let facts = counting
            .into_iter()
            .flat_map(|(of, author)| self.erase(&of, &author));
        let is_new = |fact: &Fact| match fact {
            Fact::Erased(id, _) => !self.bodiless.contains_key(id),
            _ => true,
        };
        let facts: Vec<_> = facts.filter(is_new).collect();
        for fact in &facts {
            self.apply(fact);
        }
        facts
    }
}
