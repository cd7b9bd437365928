//! What is stored of a conversation, and how it is found again.

use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::roster::Add as Sealed;
use p2pchat_protocol::v2::conversation::talk::TalkEntry;
use p2pchat_protocol::v2::conversation::{EntryId, JoinId};
use std::ops::Range;

use super::{Kind, Replica};
use crate::log::{Named, TalkLog};
use crate::roster::Membership;

/// A change of a replica. The facts of one step belong in one transaction, which is committed
/// before anything is sent that follows from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// There is a roster entry.
    Roster(Sealed),
    /// A roster entry is not kept.
    Dropped(EntryId),
    /// There is a talk entry, in place of any that was held there. One of one's own may stand in place of another, which no one will be
    /// shown.
    Talk {
        /// The entry.
        entry: TalkEntry,
        /// What it says once more.
        instead_of: Option<EntryId>,
    },
    /// The body of an entry is not kept, if this person wrote it and it is no erase itself: they have
    /// erased it.
    Erased(EntryId, PersonKey),
    /// A log ends.
    Ended {
        /// The log.
        join: JoinId,
        /// What shows it.
        proof: Vec<Named>,
    },
    /// What is below a position of a log is not kept.
    Floor {
        /// The log.
        join: JoinId,
        /// The lowest position that is kept.
        position: u64,
    },
    /// A removal of a person was counted.
    Shut(PersonKey, EntryId),
    /// A person has declined an add, or knows of what ended their membership.
    Answered(PersonKey, EntryId),
    /// A person holds entries of an own log.
    Got {
        /// The person.
        person: PersonKey,
        /// The log.
        join: JoinId,
        /// The positions.
        range: Range<u64>,
    },
    /// This data folder has begun a log.
    Began(JoinId),
    /// A log that it began is not gone on with.
    Retired(JoinId),
    /// An own entry has to be written once more.
    Again(EntryId),
}

impl Replica {
    /// The replica after what was stored, in its order.
    pub fn restore(&mut self, facts: impl IntoIterator<Item = Fact>) {
        for fact in facts {
            self.apply(&fact);
        }
        self.judge();
        self.erase_again();
    }

    /// Changes what a fact says. The membership is to be judged again after those of the roster.
    pub(super) fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::Roster(sealed) => {
                self.roster.insert(sealed.entry.clone());
                self.sealed.insert(sealed.entry.id, sealed.bytes.clone());
                self.roster_hash.take();
            }
            Fact::Dropped(id) => {
                self.roster.remove(id);
                self.sealed.remove(id);
                self.roster_hash.take();
            }
            Fact::Talk { entry, instead_of } => {
                // It was verified before it became a fact.
                let named = Named::from(entry);
                let taken = self.log_mut(&entry.header.join).take(&[named], |_| true);
                debug_assert!(taken.is_ok(), "a fact is a well-formed entry");
                self.notice(entry);
                self.again.retain(|id| Some(*id) != *instead_of);
            }
            Fact::Ended { join, proof } => {
                let taken = self.log_mut(join).take_proof(proof, |_| true);
                debug_assert!(taken.is_ok(), "a fact is a proof");
            }
            Fact::Floor { join, position } => self.log_mut(join).forget_below(*position),
            Fact::Shut(person, removal) => {
                self.shut.entry(*person).or_default().insert(*removal);
            }
            Fact::Answered(person, id) => {
                self.answered.insert((*person, *id));
            }
            Fact::Got {
                person,
                join,
                range,
            } => {
                let got = self.got.entry((*person, *join)).or_default();
                got.insert(range.clone());
            }
            Fact::Began(join) => {
                self.begun.insert(*join, None);
            }
            Fact::Retired(join) => {
                self.begun.remove(join);
            }
            Fact::Again(id) => {
                self.again.insert(*id);
            }
            Fact::Erased(id, author) => self.lose_body(id, author),
        }
    }

    /// Finds out who is in.
    pub(super) fn judge(&mut self) {
        self.summaries.get_mut().clear();
        self.membership = self.judged();
    }

    pub(super) fn judged(&self) -> Membership {
        match self.kind {
            Kind::Group => self.roster.group(),
            Kind::Direct(people) => self.roster.direct(people),
        }
    }

    pub(super) fn log_mut(&mut self, join: &JoinId) -> &mut TalkLog {
        self.summaries.get_mut().clear();
        let conversation = self.id;
        let new = || TalkLog::new(conversation, *join);
        self.logs.entry(*join).or_insert_with(new)
    }

    /// Who writes a log. Known from its join, whether or not it counts.
    pub(super) fn author(&self, join: &JoinId) -> Option<PersonKey> {
        self.roster
            .get(join)
            .and_then(|join| self.roster.person(join))
    }
}
