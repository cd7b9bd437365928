//! A talk log as one holds it: entries that one device wrote under one join, a hash chain from
//! position 0, in one or more unbroken stretches, up to where it ends.
//!
//! What ends a log is what this log alone shows: a fork, or an entry that breaks a rule of its
//! position, previous hash, clock or size. Nothing of another log, of the roster or of one's own
//! clock does, or two members who hold different things would judge one entry differently.

use std::collections::BTreeMap;
use std::ops::Range;

use p2pchat_protocol::v2::Signature;
use p2pchat_protocol::v2::conversation::talk::{Header, MAX_BODY, SALT, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use thiserror::Error;

use crate::ranges::Ranges;

/// What stands before position 0.
const NOTHING: EntryId = EntryId([0; 32]);

/// The header of an entry with its name, and its signature, which is not verified by that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The hash of the header.
    pub id: EntryId,
    /// What was signed.
    pub header: Header,
    /// By the device of the join.
    pub signature: Signature,
}

impl From<&TalkEntry> for Named {
    fn from(entry: &TalkEntry) -> Self {
        let TalkEntry {
            id,
            header,
            signature,
            ..
        } = *entry;
        Self {
            id,
            header,
            signature,
        }
    }
}

/// Where a log ends, with the proof that it does. The proof is passed on like an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The writer signed two chains. They part at or below [`End::position`].
    Fork {
        /// An entry of one chain.
        one: Named,
        /// An entry of the other, at the same position, or at the next one and after another entry.
        other: Named,
    },
    /// The writer signed an entry that breaks a rule.
    Broken {
        /// The entry.
        entry: Named,
        /// The one before it, where the rule compares the two.
        before: Option<Named>,
    },
}

impl End {
    /// How many entries of the log count.
    #[must_use]
    pub fn position(&self) -> u64 {
        match self {
            Self::Fork { one, other } => one.header.position.min(other.header.position),
            Self::Broken {
                before: Some(before),
                ..
            } => before.header.position + 1,
            Self::Broken {
                entry,
                before: None,
            } => entry.header.position,
        }
    }

    /// Whether no earlier end follows from what is shown here. Of a fork: both entries are after
    /// the same one. Otherwise the chains part further down, where they are to be asked for.
    #[must_use]
    pub fn is_lowest(&self) -> bool {
        match self {
            Self::Fork { one, other } => one.header.previous == other.header.previous,
            Self::Broken { .. } => true,
        }
    }

    /// Which of two ends counts: the lower one, of two at one place the lowest proof.
    #[must_use]
    pub fn rank(&self) -> (u64, bool) {
        (self.position(), !self.is_lowest())
    }

    /// The entries that prove it.
    pub fn proof(&self) -> impl Iterator<Item = Named> {
        let (first, second) = match *self {
            Self::Fork { one, other } => (Some(one), other),
            Self::Broken { entry, before } => (before, entry),
        };
        first.into_iter().chain([second])
    }

    /// What these entries prove. `None` if that is nothing.
    #[must_use]
    pub fn proven_by(proof: &[Named]) -> Option<Self> {
        match *proof {
            [entry] => broken(&entry, None),
            [before, entry] if entry.header.previous == before.id => broken(&entry, Some(&before)),
            [one, other] if one.header.position == other.header.position => {
                (one.id != other.id).then_some(Self::Fork { one, other })
            }
            [one, other] if one.header.position.checked_add(1) == Some(other.header.position) => {
                Some(Self::Fork { one, other })
            }
            _ => None,
        }
    }
}

/// A stretch of entries is not taken. It is the fault of who sent it, and says nothing about the
/// log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotTaken {
    /// There is no entry in it.
    #[error("no entry")]
    Empty,
    /// An entry is of another log.
    #[error("an entry of another log")]
    OtherLog,
    /// An entry does not name the one before it.
    #[error("entries that are not a chain")]
    NotAChain,
    /// Entries that are to show the end of the log do not.
    #[error("no proof")]
    NoProof,
    /// A signature that has to be right is wrong.
    #[error("a wrong signature")]
    Signature,
    /// The signature of an entry that would end the log is wrong, though one above vouches for it.
    /// The fault is not the sender's: they did not look at it either. If it was held here, it is
    /// forgotten; both sides have to ask for it again.
    #[error("a wrong signature that others vouch for")]
    Unproven {
        /// Of the entry.
        position: u64,
    },
}

/// What came of a stretch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// The positions that are new.
    pub new: Vec<u64>,
    /// Whether the log ends earlier than before, or where it did with the lowest proof.
    pub ends: bool,
    /// What was held and does not count any more.
    pub lost: Vec<Named>,
}

/// The newest entry that one holds, and the unbroken stretch below it: an item of `Have`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The lowest position of the stretch.
    pub lowest: u64,
    /// The position after its highest.
    pub next: u64,
    /// The highest entry.
    pub id: EntryId,
    /// When it was written.
    pub clock: Clock,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct TalkLog {
    conversation: ConversationId,
    join: JoinId,
    held: BTreeMap<u64, Named>,
    /// Positions by the first bytes of the ids.
    positions: BTreeMap<[u8; 8], u64>,
    stretches: Ranges,
    /// What is below is not kept.
    floor: u64,
    end: Option<End>,
}

impl TalkLog {
    /// One of which nothing is held yet.
    #[must_use]
    pub fn new(conversation: ConversationId, join: JoinId) -> Self {
        Self {
            conversation,
            join,
            held: BTreeMap::new(),
            positions: BTreeMap::new(),
            stretches: Ranges::default(),
            floor: 0,
            end: None,
        }
    }

    /// The entry at a position.
    #[must_use]
    pub fn get(&self, position: u64) -> Option<&Named> {
        self.held.get(&position)
    }

    /// Whether an entry is held at a position, or was until it was too old to be kept.
    #[must_use]
    pub fn has_had(&self, position: u64, id: &EntryId) -> bool {
        position < self.floor || self.get(position).is_some_and(|entry| entry.id == *id)
    }

    /// Where the entry with an id is.
    #[must_use]
    pub fn find(&self, id: &EntryId) -> Option<u64> {
        let position = *self.positions.get(&first_bytes(id))?;
        let entry = self.get(position).filter(|entry| entry.id == *id)?;
        Some(entry.header.position)
    }

    /// All that is held and counts, from the oldest.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Named> {
        self.held.values()
    }

    /// Where it ends, if that is known.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// How many entries count at most, as far as this log shows.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.end.map_or(u64::MAX, |end| end.position())
    }

    /// The positions that are held.
    #[must_use]
    pub fn stretches(&self) -> &Ranges {
        &self.stretches
    }

    /// The newest unbroken stretch of what is below a limit.
    #[must_use]
    pub fn head(&self, limit: u64) -> Option<Head> {
        let stretch = self.stretches.newest(limit)?;
        let newest = self.get(stretch.end - 1)?;
        Some(Head {
            lowest: stretch.start,
            next: stretch.end,
            id: newest.id,
            clock: newest.header.clock,
        })
    }

    /// The latest clock of what is held, up to some clock.
    #[must_use]
    pub fn latest(&self, up_to: Clock) -> Option<Clock> {
        // Clocks rise in a stretch. Above a gap they need not, as long as it is there.
        let of_stretches = self.stretches.iter().filter_map(|stretch| {
            let clocks = self.held.range(stretch).rev();
            let mut clocks = clocks.map(|(_, entry)| entry.header.clock);
            clocks.find(|clock| *clock <= up_to)
        });
        of_stretches.max()
    }

    /// The newest part of a range that is not held and would be kept.
    #[must_use]
    pub fn missing(&self, within: Range<u64>) -> Option<Range<u64>> {
        let within = within.start.max(self.floor)..within.end.min(self.limit());
        self.stretches.newest_missing(within)
    }

    /// Does not keep what is below a position any more.
    pub fn forget_below(&mut self, position: u64) {
        self.floor = self.floor.max(position);
        let kept = self.held.split_off(&position);
        let below = std::mem::replace(&mut self.held, kept);
        self.lose(below);
        self.stretches.forget_below(position);
    }

    /// Forgets one entry, to ask for it again.
    pub fn forget(&mut self, position: u64) {
        let entry = self.held.remove(&position);
        self.lose(entry.map(|entry| (position, entry)));
        self.stretches.remove(position);
    }

    /// How many entries are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Forgets the entries of a position and above, to ask for them again: the signature of one of
    /// them proves nothing, as the one above vouched for it.
    pub fn forget_from(&mut self, position: u64) {
        let above = self.held.split_off(&position);
        self.lose(above);
        self.stretches.truncate(position);
    }

    /// Entries are not held any more.
    fn lose(&mut self, lost: impl IntoIterator<Item = (u64, Named)>) -> Vec<Named> {
        let lost = lost.into_iter().map(|(_, entry)| entry);
        lost.inspect(|entry| {
            self.positions.remove(&first_bytes(&entry.id));
        })
        .collect()
    }

    /// Takes entries that follow each other, from the oldest.
    ///
    /// `is_signed` verifies the signature of an entry by the device of the join. It is asked for
    /// the last one, which vouches for all before it by their hashes, and for each part of a proof
    /// that the log ends.
    ///
    /// # Errors
    /// If the entries are not what their sender must have checked. Nothing is taken then.
    pub fn take(
        &mut self,
        stretch: &[Named],
        is_signed: impl Fn(&Named) -> bool,
    ) -> Result<Taken, NotTaken> {
        self.check(stretch)?;
        let last = stretch.last().ok_or(NotTaken::Empty)?;
        if !is_signed(last) {
            return Err(NotTaken::Signature);
        }
        let end = self.first_end(stretch);
        let proof = end.iter().flat_map(End::proof);
        for part in proof {
            if !is_signed(&part) {
                return Err(self.unproven(&part));
            }
        }
        let lost = end.map(|end| self.end_at(end));
        Ok(Taken {
            ends: lost.as_ref().is_some_and(Option::is_some),
            lost: lost.flatten().unwrap_or_default(),
            new: self.hold(stretch),
        })
    }

    /// Takes entries that show where the log ends.
    ///
    /// # Errors
    /// If they do not, or are not signed. Nothing is taken then.
    pub fn take_proof(
        &mut self,
        proof: &[Named],
        is_signed: impl Fn(&Named) -> bool,
    ) -> Result<Taken, NotTaken> {
        if !proof.iter().all(|entry| self.is_ours(entry)) {
            return Err(NotTaken::OtherLog);
        }
        let shown = End::proven_by(proof).ok_or(NotTaken::NoProof)?;
        if !proof.iter().all(&is_signed) {
            return Err(NotTaken::Signature);
        }
        // Beside what is known here it may prove more than by itself.
        let forks = proof.iter().filter_map(|entry| self.fork(entry));
        let forks = forks.filter(|fork| fork.proof().all(|part| is_signed(&part)));
        let end = forks.chain([shown]).min_by_key(End::rank).unwrap_or(shown);
        let lost = self.end_at(end);
        Ok(Taken {
            new: Vec::new(),
            ends: lost.is_some(),
            lost: lost.unwrap_or_default(),
        })
    }

    fn is_ours(&self, entry: &Named) -> bool {
        entry.header.conversation == self.conversation && entry.header.join == self.join
    }

    /// An entry that has to prove an end is not signed.
    fn unproven(&mut self, part: &Named) -> NotTaken {
        let position = part.header.position;
        if self.get(position).is_some_and(|held| held.id == part.id) {
            self.forget_from(position);
        }
        NotTaken::Unproven { position }
    }

    /// Whether the entries are of this log and each names the one before it.
    fn check(&self, stretch: &[Named]) -> Result<(), NotTaken> {
        if !stretch.iter().all(|entry| self.is_ours(entry)) {
            return Err(NotTaken::OtherLog);
        }
        let is_chain = stretch
            .array_windows()
            .all(|[before, entry]| entry.header.previous == before.id);
        is_chain.then_some(()).ok_or(NotTaken::NotAChain)
    }

    /// The lowest end that these entries show, by themselves or beside what is held.
    fn first_end(&self, stretch: &[Named]) -> Option<End> {
        let first = stretch.first()?;
        let mut before = (first.header.position.checked_sub(1))
            .and_then(|below| self.get(below))
            .copied();
        for entry in stretch {
            if let Some(end) = (before.and_then(|before| parted(&before, entry)))
                .or_else(|| broken(entry, before.as_ref()))
                .or_else(|| self.fork(entry))
            {
                return Some(end);
            }
            before = Some(*entry);
        }
        let last = before?;
        let above = self.get(last.header.position.checked_add(1)?)?;
        parted(&last, above).or_else(|| broken(above, Some(&last)))
    }

    /// The end of the log, if an entry differs from one at its position, which is held or part of
    /// the proof that the log ends there.
    fn fork(&self, entry: &Named) -> Option<End> {
        let position = entry.header.position;
        let proof = self.end.iter().flat_map(End::proof);
        let known = self.get(position).copied().into_iter().chain(proof);
        let forks = known
            .filter(|one| one.header.position == position && one.id != entry.id)
            .map(|one| {
                let other = *entry;
                End::Fork { one, other }
            });
        forks.max_by_key(End::is_lowest)
    }

    /// Ends the log, if it does not end as early already or for as good a reason. Of two proofs of
    /// one end the first stays: any will do. Gives what is lost.
    fn end_at(&mut self, end: End) -> Option<Vec<Named>> {
        let is_lower = self.end.is_none_or(|known| end.rank() < known.rank());
        is_lower.then(|| {
            let lost = self.held.split_off(&end.position());
            self.stretches.truncate(end.position());
            self.end = Some(end);
            self.lose(lost)
        })
    }

    /// Keeps what counts and is not held.
    fn hold(&mut self, stretch: &[Named]) -> Vec<u64> {
        let kept = self.floor..self.limit();
        let mut new = Vec::new();
        for entry in stretch {
            let position = entry.header.position;
            if kept.contains(&position) && !self.held.contains_key(&position) {
                self.held.insert(position, *entry);
                self.stretches.insert(position..position + 1);
                self.positions.insert(first_bytes(&entry.id), position);
                new.push(position);
            }
        }
        new
    }
}

fn first_bytes(id: &EntryId) -> [u8; 8] {
    let (first, _) = id.0.split_first_chunk().expect("an id is longer");
    *first
}

/// The end of the log, if an entry is at the next position and names another before it.
fn parted(below: &Named, above: &Named) -> Option<End> {
    let (one, other) = (*below, *above);
    (other.header.previous != one.id).then_some(End::Fork { one, other })
}

/// The end of the log, if an entry breaks a rule. What it breaks by itself ends the log at its
/// position whether or not the one before it is known, or the order of arrival would count.
fn broken(entry: &Named, before: Option<&Named>) -> Option<End> {
    let (entry, header) = (*entry, &entry.header);
    let sizes = SALT..=MAX_BODY;
    let has_right_size = usize::try_from(header.body_len).is_ok_and(|len| sizes.contains(&len));
    let is_first = header.previous == NOTHING;
    let has_time = Clock::ZERO < header.clock && header.clock <= Clock::MAX;
    let is_out_of_range = !has_right_size || !has_time;
    if is_out_of_range || is_first != (header.position == 0) {
        let before = None;
        return Some(End::Broken { entry, before });
    }
    let before = *before?;
    let follows = before.header.position.checked_add(1) == Some(header.position)
        && header.clock > before.header.clock;
    let before = Some(before);
    (!follows).then_some(End::Broken { entry, before })
}

#[cfg(test)]
mod tests;
