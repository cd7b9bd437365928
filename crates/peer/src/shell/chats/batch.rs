//! What is to be looked at, gathered until the look before it has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use p2pchat_model::Chat;
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::talk::TalkEntry;
use p2pchat_protocol::v2::conversation::{ConversationId as Id, EntryId, JoinId};

use super::orders::Answer;
use crate::machine::SendId;

/// With more than so many entries to look at, no more events are taken until these are told. Their
/// ids take 1 MiB.
const MAX_ENTRIES: usize = 32_768;
/// How many entries of one author in a conversation are looked at before others have their turn:
/// some ten milliseconds.
const MAX_TURN: usize = 200;

/// How many entries of each log count.
pub(super) type Limits = BTreeMap<JoinId, u64>;

/// What a roster led to.
#[derive(Debug, Default, Clone)]
pub(super) struct RosterState {
    pub(super) limits: Limits,
    /// The entries that have changed who is in.
    pub(super) changes: BTreeSet<EntryId>,
}

/// What was told of conversations.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) chats: BTreeMap<Id, Chat>,
    pub(super) counted: BTreeMap<Id, RosterState>,
}

/// What is to be looked at.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// All conversations, from the beginning.
    pub(super) all: bool,
    pub(super) conversations: BTreeMap<Id, About>,
    entries: usize,
    /// The orders that are answered after that.
    pub(super) answers: Vec<(SendId, Answer)>,
}

/// What of a conversation is to be looked at.
#[derive(Debug, Default, Clone)]
pub(super) struct About {
    /// Who is in, what is unread, and so on.
    pub(super) chat: bool,
    /// What its roster leads to: there is something new in it.
    pub(super) roster: bool,
    /// New entries, by who wrote them, and those whose time had not come when they were looked at.
    pub(super) entries: Vec<(Option<PersonKey>, EntryId)>,
    /// What was delivered of own logs.
    pub(super) delivered: Vec<(JoinId, Range<u64>)>,
    /// Logs that have ended.
    pub(super) ended: Vec<JoinId>,
    /// What was shown of them and does not count any more.
    pub(super) lost: Vec<TalkEntry>,
    /// How far the user has read.
    pub(super) read: bool,
    /// What the user has typed.
    pub(super) draft: bool,
}

impl About {
    /// Its state, and what its roster leads to.
    pub(super) fn membership() -> Self {
        Self {
            chat: true,
            roster: true,
            ..Self::default()
        }
    }

    /// Its state alone.
    pub(super) fn chat() -> Self {
        Self {
            chat: true,
            ..Self::default()
        }
    }
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        !self.all && self.conversations.is_empty() && self.answers.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries >= MAX_ENTRIES
    }

    /// Everything is told again, so what has changed is told by that.
    pub(super) fn all(&mut self) {
        self.all = true;
        self.conversations.clear();
        self.entries = 0;
    }

    pub(super) fn add(&mut self, id: Id, about: About) {
        if self.all {
            return;
        }
        self.entries += about.entries.len() + about.delivered.len();
        let known = self.conversations.entry(id).or_default();
        known.chat |= about.chat;
        known.roster |= about.roster;
        known.read |= about.read;
        known.draft |= about.draft;
        known.entries.extend(about.entries);
        known.delivered.extend(about.delivered);
        known.ended.extend(about.ended);
        known.lost.extend(about.lost);
    }

    /// What is looked at next: of each other author a turn, so that one who floods a conversation
    /// holds up nobody else. All that the user wrote is in it, since answers go out behind that.
    pub(super) fn next(&mut self, me: &PersonKey) -> Self {
        let mut next = std::mem::take(self);
        for (id, about) in &mut next.conversations {
            let mut turns: BTreeMap<_, usize> = BTreeMap::new();
            let has_turn = |(by, _): &(Option<PersonKey>, EntryId)| {
                let taken = turns.entry(*by).or_default();
                *taken += 1;
                *taken <= MAX_TURN || *by == Some(*me)
            };
            let all = std::mem::take(&mut about.entries).into_iter();
            let (now, later): (_, Vec<_>) = all.partition(has_turn);
            about.entries = now;
            if !later.is_empty() {
                let rest = About {
                    entries: later,
                    ..About::default()
                };
                self.add(*id, rest);
            }
        }
        next
    }

    /// The states of its conversations, of those that were told.
    pub(super) fn of(
        &self,
        told: &BTreeMap<Id, Chat>,
        counted: &BTreeMap<Id, RosterState>,
    ) -> Told {
        let about = self.conversations.iter();
        let told = about
            .clone()
            .filter_map(|(id, _)| Some((*id, told.get(id)?.clone())));
        let compared = about.filter(|(_, about)| about.roster);
        let counted = compared.filter_map(|(id, _)| Some((*id, counted.get(id)?.clone())));
        Told {
            chats: told.collect(),
            counted: counted.collect(),
        }
    }

    pub(super) fn answer(&mut self, id: SendId, answer: Answer) {
        self.answers.push((id, answer));
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_protocol::v2::PublicKey;

    use super::*;

    fn entries(person: u8, count: u64) -> About {
        let id = |number: u64| {
            let mut id = [person; 32];
            id[..8].copy_from_slice(&number.to_be_bytes());
            EntryId(id)
        };
        let of = Some(PersonKey(PublicKey([person; 32])));
        About {
            entries: (0..count).map(|number| (of, id(number))).collect(),
            ..About::chat()
        }
    }

    #[test]
    fn one_who_floods_a_conversation_holds_up_nobody_else() {
        let (id, turn) = (Id([1; 32]), MAX_TURN as u64);
        let me = PersonKey(PublicKey([3; 32]));
        let mut batch = Batch::default();
        batch.add(id, entries(1, 5 * turn));
        batch.add(id, entries(2, 1));
        batch.add(id, entries(3, 2 * turn));
        let (mut looks, mut told) = (Vec::new(), Vec::new());
        while !batch.is_empty() {
            let next = batch.next(&me);
            let about = &next.conversations[&id];
            assert_eq!(about.chat, looks.is_empty(), "its state is told once");
            looks.push(about.entries.len());
            told.extend(about.entries.iter().map(|(_, id)| *id));
        }
        assert_eq!(looks[0], MAX_TURN + 1 + 2 * MAX_TURN);
        assert_eq!(looks[1..], [MAX_TURN; 4]);
        let theirs: Vec<_> = told.iter().filter(|id| id.0[31] == 1).collect();
        assert!(theirs.is_sorted(), "in their order");
        assert_eq!(told.len(), 7 * MAX_TURN + 1, "all are told");
        assert_eq!(batch.entries, 0);
    }
}
