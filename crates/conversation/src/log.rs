//! A talk log as one holds it: entries that one device wrote under one join, a hash chain from
//! position 0, in one or more unbroken stretches, up to where it ends.
//!
//! What ends a log is what this log alone shows: a fork, or an entry that breaks a rule of its
//! position, previous hash, clock or size. Nothing of another log, of the roster or of one's own
//! clock does, or two members who hold different things would judge one entry differently.

use std::collections::BTreeMap;

use p2pchat_protocol::v2::conversation::talk::{Header, MAX_BODY, SALT};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use thiserror::Error;

/// What stands before position 0.
const NOTHING: EntryId = EntryId([0; 32]);

/// The header of an entry, and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The hash of the header.
    pub id: EntryId,
    /// What was signed.
    pub header: Header,
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
    /// A signature that has to be right is wrong.
    #[error("a wrong signature")]
    Signature,
}

/// What came of a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// The first and the last position that are new; none if all were known.
    pub new: Option<(u64, u64)>,
    /// Whether the log ends earlier than before, or where it did with the lowest proof.
    pub ends: bool,
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
            end: None,
        }
    }

    /// The entry at a position.
    #[must_use]
    pub fn get(&self, position: u64) -> Option<&Named> {
        self.held.get(&position)
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

    /// The newest unbroken stretch.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        let (&highest, newest) = self.held.last_key_value()?;
        let mut lowest = highest;
        for &position in self.held.keys().rev().skip(1) {
            if position + 1 != lowest {
                break;
            }
            lowest = position;
        }
        Some(Head {
            lowest,
            next: highest + 1,
            id: newest.id,
            clock: newest.header.clock,
        })
    }

    /// The positions that are missing below the head, from the newest: first and last of each gap.
    #[must_use]
    pub fn gaps(&self) -> Vec<(u64, u64)> {
        let mut gaps = Vec::new();
        let mut above = self.held.keys().next_back().copied();
        for &position in self.held.keys().rev().skip(1) {
            if let Some(next) = above.filter(|next| position + 1 < *next) {
                gaps.push((position + 1, next - 1));
            }
            above = Some(position);
        }
        gaps.extend(
            above
                .filter(|lowest| *lowest > 0)
                .map(|lowest| (0, lowest - 1)),
        );
        gaps
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
        let proof = end.iter().flat_map(parts).flatten();
        if !proof.into_iter().all(|part| is_signed(&part)) {
            return Err(NotTaken::Signature);
        }
        Ok(Taken {
            ends: end.is_some_and(|end| self.end_at(end)),
            new: self.hold(stretch),
        })
    }

    /// Whether the entries are of this log and each names the one before it.
    fn check(&self, stretch: &[Named]) -> Result<(), NotTaken> {
        let is_ours = |entry: &Named| {
            entry.header.conversation == self.conversation && entry.header.join == self.join
        };
        if !stretch.iter().all(is_ours) {
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
        let proof = self.end.iter().flat_map(parts).flatten();
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
    /// one end the first stays: any will do.
    fn end_at(&mut self, end: End) -> bool {
        let rank = |end: &End| (end.position(), !end.is_lowest());
        let is_lower = self.end.is_none_or(|known| rank(&end) < rank(&known));
        if is_lower {
            self.held.split_off(&end.position());
            self.end = Some(end);
        }
        is_lower
    }

    /// Keeps what counts and is not held.
    fn hold(&mut self, stretch: &[Named]) -> Option<(u64, u64)> {
        let end = self.end.map_or(u64::MAX, |end| end.position());
        let mut new: Option<(u64, u64)> = None;
        for entry in stretch {
            let position = entry.header.position;
            if position >= end {
                break;
            }
            if self.held.insert(position, *entry).is_none() {
                new = Some((new.map_or(position, |(first, _)| first), position));
            }
        }
        new
    }
}

/// The entries that prove an end.
fn parts(end: &End) -> [Option<Named>; 2] {
    match *end {
        End::Fork { one, other } => [Some(one), Some(other)],
        End::Broken { entry, before } => [Some(entry), before],
    }
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
    if !has_right_size || is_first != (header.position == 0) {
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
