//! What comes from others. It is hostile until it is checked.

use std::collections::BTreeSet;

use p2pchat_protocol::v2::conversation::roster::{Act, Add as Sealed, RosterEntry};
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{EntryId, JoinId};
use p2pchat_protocol::v2::{Certificate, DeviceKey, PersonKey};

use super::{Fact, Kind, Replica, talk_of};
use crate::log::{Named, NotTaken, Taken};
use crate::seal::Seal;

pub use p2pchat_protocol::v2::peer::MAX_ROSTER;

/// The most bytes of it that are not by owners: who fills it can be removed.
const MAX_BY_OTHERS: usize = MAX_ROSTER / 4 * 3;

/// What came of entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Took {
    /// To be stored, in this order.
    pub facts: Vec<Fact>,
    /// How many entries were dropped, because they are malformed, not signed, or of nobody known.
    pub dropped: usize,
}

impl Replica {
    /// Takes roster entries from anybody: they prove themselves. Those whose writer's join is
    /// missing are dropped; they come again once it is there.
    pub fn take_roster(&mut self, entries: Vec<Sealed>, seal: &impl Seal) -> Took {
        let mut took = Took::default();
        let mut size: usize = self.sealed.values().map(|bytes| bytes.len()).sum();
        let more: usize = entries.iter().map(|sealed| sealed.bytes.len()).sum();
        // As long as all of it together has room there, it does not count whose it is.
        let mut by_others = if size + more > MAX_BY_OTHERS {
            self.size_by_others()
        } else {
            0
        };
        for sealed in entries {
            if self.sealed.contains_key(&sealed.entry.id) {
                continue;
            }
            let len = sealed.bytes.len();
            let by_other = if self.is_by_owner(&sealed.entry) {
                0
            } else {
                len
            };
            let has_room = size + len <= MAX_ROSTER && by_others + by_other <= MAX_BY_OTHERS;
            if !has_room || !self.is_valid(&sealed, seal) {
                took.dropped += 1;
                continue;
            }
            size += len;
            by_others += by_other;
            let fact = Fact::Roster(sealed);
            self.apply(&fact);
            took.facts.push(fact);
        }
        if !took.facts.is_empty() {
            took.facts.extend(self.judge_again());
        }
        took.facts = without_passing(took.facts);
        took
    }

    /// How many bytes of the roster are not by owners.
    fn size_by_others(&self) -> usize {
        let by_other = |(id, _): &(&EntryId, _)| {
            let entry = self.roster.get(id);
            !entry.is_some_and(|entry| self.is_by_owner(entry))
        };
        let others = self.sealed.iter().filter(by_other);
        others.map(|(_, bytes)| bytes.len()).sum()
    }

    /// Whether someone wrote an entry who is or was an owner.
    pub(super) fn is_by_owner(&self, entry: &RosterEntry) -> bool {
        let writer = self.roster.person(entry);
        writer.is_some_and(|writer| self.membership.ever_owners.contains(&writer))
    }

    /// Finds out who is in after roster entries came, and drops those without effect.
    pub(super) fn judge_again(&mut self) -> Vec<Fact> {
        self.judge();
        let idle = self.roster.without_effect(&self.membership);
        let mut facts: Vec<_> = idle.into_iter().map(Fact::Dropped).collect();
        for (person, removals) in &self.membership.removals {
            let known = self.shut.get(person);
            let new = removals
                .iter()
                .filter(|removal| known.is_none_or(|known| !known.contains(removal)));
            facts.extend(new.map(|removal| Fact::Shut(*person, *removal)));
        }
        for fact in &facts {
            self.apply(fact);
        }
        facts.extend(self.erase_again());
        facts
    }

    /// Whether a roster entry is of this conversation, of a kind that counts in it, and signed by
    /// the device of the join that it is written under.
    fn is_valid(&self, sealed: &Sealed, seal: &impl Seal) -> bool {
        let entry = &sealed.entry;
        let is_ours = entry.conversation == self.id
            && match (&entry.act, self.kind) {
                (Act::Create { .. }, Kind::Group) => entry.id.0 == self.id.0,
                (Act::Join { add, .. }, Kind::Group) => add.is_some(),
                (
                    Act::Join {
                        add, certificate, ..
                    },
                    Kind::Direct(people),
                ) => add.is_none() && people.contains(&certificate.person),
                (_, kind) => kind == Kind::Group,
            };
        let carried = match &entry.act {
            Act::Join { add, .. } => add.as_deref(),
            _ => None,
        };
        is_ours
            && self.is_by_known(sealed, seal)
            && carried.is_none_or(|add| self.is_by_known(add, seal))
    }

    fn is_by_known(&self, sealed: &Sealed, seal: &impl Seal) -> bool {
        let Some(writer) = self.roster.writer(&sealed.entry) else {
            return false;
        };
        let is_own = |own: &Certificate| sealed.entry.under.is_some() || seal.is_certified(own);
        is_own(writer) && seal.is_signed(sealed, &writer.device)
    }

    /// Takes talk entries of one log, which follow each other, from a member. An entry without its
    /// body counts as not held, unless its author has erased it.
    ///
    /// # Errors
    /// If their sender can not have checked them.
    pub fn take_talk(
        &mut self,
        join: &JoinId,
        mut stretch: Vec<TalkEntry>,
        seal: &impl Seal,
    ) -> Result<Took, NotTaken> {
        let Some(of) = self.membership.logs.get(join).copied() else {
            let dropped = stretch.len();
            let facts = Vec::new();
            return Ok(Took { facts, dropped });
        };
        let cut = of.cut.unwrap_or(u64::MAX);
        let whole = stretch.len();
        stretch.retain(|entry| entry.header.position < cut);
        let named: Vec<_> = stretch.iter().map(Named::from).collect();
        if named.is_empty() {
            return Ok(Took::default());
        }
        let taken = self.take_named(join, &named, &of.device, seal);
        // Of what is beyond a cut that its sender does not know of they looked at the last one.
        let (new, mut facts) = match taken {
            Err(NotTaken::Signature) if stretch.len() < whole => {
                let position = stretch.last().map_or(0, |last| last.header.position);
                return Err(NotTaken::Unproven { position });
            }
            taken => taken?,
        };
        // The newest first: what erases is behind what it erases.
        for entry in stretch.into_iter().rev() {
            let position = entry.header.position;
            if new.contains(&position) || self.lacks_body_of(&entry) {
                self.keep(entry, of.person, &mut facts);
            }
        }
        Ok(Took { facts, dropped: 0 })
    }

    /// Takes the proof that a log ends.
    ///
    /// # Errors
    /// As [`Self::take_talk`].
    pub fn take_proof(
        &mut self,
        join: &JoinId,
        proof: &[Named],
        seal: &impl Seal,
    ) -> Result<Took, NotTaken> {
        let Some(of) = self.membership.logs.get(join).copied() else {
            let facts = Vec::new();
            let dropped = proof.len();
            return Ok(Took { facts, dropped });
        };
        let is_spoken = |entry: &Named| seal.is_spoken(entry, &of.device);
        let taken = self.log_mut(join).take_proof(proof, is_spoken)?;
        let facts = self.ended(join, &of.device, &taken);
        Ok(Took { facts, dropped: 0 })
    }

    /// Takes headers into a log. Gives the positions that are new, and what becomes of its end.
    fn take_named(
        &mut self,
        join: &JoinId,
        named: &[Named],
        device: &DeviceKey,
        seal: &impl Seal,
    ) -> Result<(BTreeSet<u64>, Vec<Fact>), NotTaken> {
        let is_spoken = |entry: &Named| seal.is_spoken(entry, device);
        let taken = self.log_mut(join).take(named, is_spoken);
        if let Err(NotTaken::Unproven { .. }) = taken {
            // An erase may be among what is forgotten.
            self.erase_again();
        }
        let taken = taken?;
        let facts = self.ended(join, device, &taken);
        Ok((taken.new.into_iter().collect(), facts))
    }

    /// What follows if a log ends now, or earlier than before.
    fn ended(&mut self, join: &JoinId, device: &DeviceKey, taken: &Taken) -> Vec<Fact> {
        let end = self.logs.get(join).and_then(|log| log.end());
        let Some(end) = end.filter(|_| taken.ends) else {
            return Vec::new();
        };
        let proof = end.proof().collect();
        let mut facts = vec![Fact::Ended { join: *join, proof }];
        if *device == self.device {
            let again = taken.lost.iter().map(|lost| Fact::Again(lost.id));
            let again: Vec<_> = again.collect();
            again.iter().for_each(|fact| self.apply(fact));
            facts.extend(again);
        }
        facts.extend(self.erase_again());
        facts
    }

    /// Whether the own signature of an entry is right. If it is not, the entry is forgotten.
    pub fn is_genuine_at(&mut self, join: &JoinId, position: u64, seal: &impl Seal) -> bool {
        let of = self.membership.logs.get(join);
        let entry = self.logs.get(join).and_then(|log| log.get(position));
        let is_genuine = of
            .zip(entry)
            .is_some_and(|(of, entry)| seal.is_spoken(entry, &of.device));
        if !is_genuine && self.logs.contains_key(join) {
            self.log_mut(join).forget(position);
        }
        is_genuine
    }

    /// Keeps an entry that is new, with its body as far as nobody has erased it.
    fn keep(&mut self, mut entry: TalkEntry, author: PersonKey, facts: &mut Vec<Fact>) {
        let header = entry.header;
        let talk = talk_of(&entry);
        let has_erased_it = match &talk {
            Some(Talk::Edit { of, .. }) => {
                self.has_erased(&author, of) || self.has_erased(&author, &entry.id)
            }
            _ => header.kind != Talk::ERASE && self.has_erased(&author, &entry.id),
        };
        if entry.body.is_none() && !self.may_lack_body(&entry.id, &author, header.kind) {
            self.log_mut(&header.join).forget(header.position);
            return;
        }
        if has_erased_it {
            entry.body = None;
        }
        let erases = match talk {
            Some(Talk::Erase { of }) if !self.has_erased(&author, &of) => Some(of),
            _ => None,
        };
        self.notice(&entry);
        let instead_of = None;
        facts.push(Fact::Talk { entry, instead_of });
        if let Some(of) = erases {
            let erased = self.erase(&of, &author);
            erased.iter().for_each(|fact| self.apply(fact));
            facts.extend(erased);
        }
    }

    /// A person holds entries of an own log.
    pub fn note_got(
        &mut self,
        person: PersonKey,
        join: JoinId,
        range: std::ops::Range<u64>,
    ) -> Vec<Fact> {
        let mut facts = Vec::new();
        while let Some(range) = self.newest_not_got(person, join, &range) {
            let fact = Fact::Got {
                person,
                join,
                range,
            };
            self.apply(&fact);
            facts.push(fact);
        }
        facts
    }

    /// The newest part of a range of which it was not known that a person holds it.
    fn newest_not_got(
        &mut self,
        person: PersonKey,
        join: JoinId,
        range: &std::ops::Range<u64>,
    ) -> Option<std::ops::Range<u64>> {
        let got = self.got.entry((person, join)).or_default();
        got.newest_missing(range.clone())
    }

    /// Does not keep what is below a position of a log any more.
    pub fn forget_below(&mut self, join: JoinId, position: u64) -> Vec<Fact> {
        let fact = Fact::Floor { join, position };
        self.apply(&fact);
        vec![fact]
    }

    /// A person has declined an add, or knows of what ended their membership.
    pub fn note_answer(&mut self, person: PersonKey, id: EntryId) -> Vec<Fact> {
        let is_known = self.sealed.contains_key(&id) || id == self.id_of_direct();
        if self.answered.contains(&(person, id)) || !is_known || self.is_of_others(&person) {
            return Vec::new();
        }
        let fact = Fact::Answered(person, id);
        self.apply(&fact);
        vec![fact]
    }
}

/// Without the roster entries that were dropped in the same step. Stored, each would cost a commit,
/// and who sends them would be asked for more.
fn without_passing(facts: Vec<Fact>) -> Vec<Fact> {
    let taken = facts.iter().filter_map(|fact| match fact {
        Fact::Roster(sealed) => Some(sealed.entry.id),
        _ => None,
    });
    let dropped = facts.iter().filter_map(|fact| match fact {
        Fact::Dropped(id) => Some(*id),
        _ => None,
    });
    let (taken, dropped): (BTreeSet<_>, BTreeSet<_>) = (taken.collect(), dropped.collect());
    let is_passing = |fact: &Fact| match fact {
        Fact::Roster(sealed) => dropped.contains(&sealed.entry.id),
        Fact::Dropped(id) => taken.contains(id),
        _ => false,
    };
    facts.into_iter().filter(|fact| !is_passing(fact)).collect()
}
