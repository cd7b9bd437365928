//! How the membership of a conversation has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use p2pchat_conversation::roster::{Change, Changed};
use p2pchat_model::{Chat, ChatChange, DatedChange, Standing};
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::{Clock, EntryId};

use super::shown::{Shown, time};
use crate::shell::clock::wall;

/// The most changes that come with a page of messages, the newest: more than a page has messages.
const MAX_CHANGES: usize = 200;
/// The most that are told by themselves at a time, the newest. The others come with their page.
const MAX_NEWS: usize = 16;

/// The history of a membership, as far as the user may see it.
pub(super) struct History<'a> {
    shown: &'a Shown<'a>,
    changes: Vec<Change>,
}

impl<'a> History<'a> {
    /// Those who have only been asked are told who asks, and nothing else.
    pub(super) fn of(shown: &'a Shown<'a>) -> Self {
        let replica = shown.replica;
        let me = replica.person();
        let mut changes = Vec::new();
        if (replica.membership().logs.values()).any(|log| log.person == me) {
            changes = replica.history();
        }
        // The invitation is written just before the time from which on one sees anything.
        let is_seen = |change: &Change| {
            change.clock > shown.visible.from || change.what == Changed::Invited(me)
        };
        changes.retain(is_seen);
        Self { shown, changes }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = EntryId> + '_ {
        self.changes.iter().map(|change| change.entry)
    }

    /// What belongs to the messages of a time.
    pub(super) fn within(&self, times: &Range<Clock>) -> Vec<DatedChange> {
        let within = self.changes.iter();
        let within: Vec<_> = within
            .filter(|change| times.contains(&change.clock))
            .collect();
        let newest = within.len().saturating_sub(MAX_CHANGES);
        within[newest..].iter().map(|it| self.dated(it)).collect()
    }

    /// What is new since the state `old`, in which these entries were told.
    pub(super) fn since(
        &self,
        told: &BTreeSet<EntryId>,
        old: Option<&Chat>,
        new: &Chat,
    ) -> Vec<DatedChange> {
        let me = self.shown.replica.person();
        let news = self.changes.iter();
        let news: Vec<_> = news
            .filter(|change| !told.contains(&change.entry))
            .collect();
        let ends = |person: PersonKey| {
            news.iter().any(|change| match change.what {
                Changed::Left => change.by == person,
                Changed::Removed(removed) => removed == person,
                _ => false,
            })
        };
        let without_entry = old.into_iter().flat_map(|old| gone(old, new, me));
        let without_entry = without_entry.filter_map(|(person, was_asked)| {
            let who = self.shown.named(person);
            let change = if self.shown.replica.has_declined(&person) {
                ChatChange::Declined(who)
            } else if was_asked || ends(person) {
                return None;
            } else {
                // As their invitation counts no more: who wrote it was removed.
                ChatChange::Removed { who, by: None }
            };
            Some(DatedChange { at: wall(), change })
        });
        let newest = news.len().saturating_sub(MAX_NEWS);
        let newest = news[newest..].iter().map(|change| self.dated(change));
        newest.chain(without_entry).collect()
    }

    fn dated(&self, change: &Change) -> DatedChange {
        let named = |person| self.shown.named(person);
        let by = named(change.by);
        // One that is dated ahead has happened nevertheless.
        let at = time(change.clock.min(self.shown.visible.latest));
        let change = match change.what {
            Changed::Invited(person) => ChatChange::Asked {
                who: named(person),
                by: Some(by),
            },
            Changed::Joined => ChatChange::Joined(by),
            Changed::Left => ChatChange::Left(by),
            Changed::Removed(person) => ChatChange::Removed {
                who: named(person),
                by: Some(by),
            },
            Changed::Owner(person) => ChatChange::Owner(named(person)),
            Changed::Resigned => ChatChange::Resigned(by),
            Changed::Renamed(name) => ChatChange::Renamed(name),
        };
        DatedChange { at, change }
    }
}

/// Those who were in or asked and are neither now, and whether they were only asked.
fn gone(old: &Chat, new: &Chat, me: PersonKey) -> BTreeMap<PersonKey, bool> {
    let people = |chat: &Chat| {
        let members = chat.members.iter().filter(|member| !member.declined);
        let others = members.map(|member| (member.who.key, member.asked));
        let own = match chat.standing {
            Standing::In => Some((me, false)),
            Standing::Asked(_) => Some((me, true)),
            Standing::Out => None,
        };
        others.chain(own).collect::<BTreeMap<_, _>>()
    };
    let (mut before, now) = (people(old), people(new));
    before.retain(|person, _| !now.contains_key(person));
    before
}
