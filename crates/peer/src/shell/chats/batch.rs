//! What is to be looked at, gathered until the look before it has ended.

use std::collections::BTreeMap;
use std::ops::Range;

use p2pchat_model::Chat;
use p2pchat_protocol::v2::conversation::talk::TalkEntry;
use p2pchat_protocol::v2::conversation::{ConversationId as Id, EntryId, JoinId};

use super::orders::Answer;
use crate::machine::SendId;

/// With more than so many entries to look at, no more events are taken until these are told.
const MAX_ENTRIES: usize = 4096;

/// How many entries of each log count.
pub(super) type Limits = BTreeMap<JoinId, u64>;

/// What was told of conversations.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) chats: BTreeMap<Id, Chat>,
    pub(super) limits: BTreeMap<Id, Limits>,
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
    /// What of each log counts, as the membership may be different.
    pub(super) limits: bool,
    /// New entries.
    pub(super) entries: Vec<EntryId>,
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
    /// Its state, and what of it counts.
    pub(super) fn membership() -> Self {
        Self {
            chat: true,
            limits: true,
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
        known.limits |= about.limits;
        known.read |= about.read;
        known.draft |= about.draft;
        known.entries.extend(about.entries);
        known.delivered.extend(about.delivered);
        known.ended.extend(about.ended);
        known.lost.extend(about.lost);
    }

    /// The states of its conversations, of those that were told.
    pub(super) fn of(&self, told: &BTreeMap<Id, Chat>, counted: &BTreeMap<Id, Limits>) -> Told {
        let about = self.conversations.iter();
        let told = about
            .clone()
            .filter_map(|(id, _)| Some((*id, told.get(id)?.clone())));
        let compared = about.filter(|(_, about)| about.limits);
        let counted = compared.filter_map(|(id, _)| Some((*id, counted.get(id)?.clone())));
        Told {
            chats: told.collect(),
            limits: counted.collect(),
        }
    }

    pub(super) fn answer(&mut self, id: SendId, answer: Answer) {
        self.answers.push((id, answer));
    }
}
