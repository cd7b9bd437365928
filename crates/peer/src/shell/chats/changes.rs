//! How the membership of a conversation has changed.

use std::collections::BTreeMap;

use p2pchat_model::{Chat, ChatChange, Named, Standing};
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::EntryId;
use p2pchat_protocol::v2::conversation::roster::{Act, RosterEntry};

use super::shown::Shown;

/// What a person is to a conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    asked: bool,
    owner: bool,
}

/// What has changed from one state to the next.
pub(super) fn changes(old: &Chat, new: &Chat, shown: &Shown<'_>) -> Vec<ChatChange> {
    let me = shown.replica.person();
    let (before, now) = (people(old, me), people(new, me));
    let mut changes = Vec::new();
    if old.name != new.name {
        changes.push(ChatChange::Renamed(new.name));
    }
    for (person, state) in &now {
        let who = shown.named(*person);
        match before.get(person) {
            None if state.asked => changes.push(ChatChange::Asked {
                who,
                by: asked_by(person, shown),
            }),
            None => changes.push(ChatChange::Joined(who)),
            Some(before) if before.asked && !state.asked => changes.push(ChatChange::Joined(who)),
            Some(_) => {}
        }
        match (before.get(person).is_some_and(|it| it.owner), state.owner) {
            (false, true) => changes.push(ChatChange::Owner(who)),
            (true, false) => changes.push(ChatChange::Resigned(who)),
            _ => {}
        }
    }
    for (person, state) in before {
        if !now.contains_key(&person) {
            changes.extend(gone(&person, state, shown));
        }
    }
    changes
}

/// Who is in or asked, the user included.
fn people(chat: &Chat, me: PersonKey) -> BTreeMap<PersonKey, State> {
    let members = chat.members.iter().filter(|member| !member.declined);
    let mut people: BTreeMap<_, _> = members
        .map(|member| {
            let state = State {
                asked: member.asked,
                owner: member.owner,
            };
            (member.who.key, state)
        })
        .collect();
    let own = |asked| State {
        asked,
        owner: chat.owner,
    };
    match chat.standing {
        Standing::In => people.insert(me, own(false)),
        Standing::Asked(_) => people.insert(me, own(true)),
        Standing::Out => None,
    };
    people
}

/// How one who was in or asked is not any more, by the last of what ended it.
fn gone(person: &PersonKey, state: State, shown: &Shown<'_>) -> Option<ChatChange> {
    let roster = shown.replica.roster();
    let who = shown.named(*person);
    if shown.replica.has_declined(person) {
        return Some(ChatChange::Declined(who));
    }
    let removals = shown.replica.membership().removals.get(person);
    let removals = removals.into_iter().flatten().copied();
    let endings = removals.chain(shown.replica.leavings_of(person));
    let last = endings
        .filter_map(|id| roster.get(&id))
        .max_by_key(|entry| (entry.clock, entry.id));
    match last {
        Some(entry) if matches!(entry.act, Act::Remove { .. }) => Some(ChatChange::Removed {
            who,
            by: writer(entry, shown),
        }),
        _ if state.asked => None,
        Some(_) => Some(ChatChange::Left(who)),
        None => Some(ChatChange::Removed { who, by: None }),
    }
}

fn asked_by(person: &PersonKey, shown: &Shown<'_>) -> Option<Named> {
    let membership = shown.replica.membership();
    let add: &EntryId = membership.invited.get(person)?;
    writer(shown.replica.roster().get(add)?, shown)
}

fn writer(entry: &RosterEntry, shown: &Shown<'_>) -> Option<Named> {
    let certificate = shown.replica.roster().writer(entry)?;
    Some(shown.named(certificate.person))
}
