//! A message as it is shown: what was written, with the edits, the erase and the reactions that
//! name it.
//!
//! Each is a function of the set of entries that name the message, in whatever order they came, so
//! a store can answer for one page of a conversation without reading the rest.

use std::collections::BTreeMap;

use p2pchat_protocol::v2::PersonKey;
pub use p2pchat_protocol::v2::conversation::Place;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::conversation::{Clock, EntryId};

/// A talk entry that counts, with its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written<'a> {
    /// Its name.
    pub id: EntryId,
    /// Where it stands.
    pub place: Place,
    /// The person of the device that wrote it.
    pub author: PersonKey,
    /// What it says. `None` if its body was erased, or is beyond what is kept.
    pub talk: Option<&'a Talk>,
}

/// What is shown for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its text.
    pub text: Text<'a>,
    /// The message that it answers. Whether that can be seen is for the caller to find out.
    pub answers: Option<EntryId>,
    /// When its text was written, if that is an edit.
    pub edited: Option<Clock>,
    /// Emoji, and who reacted with each, in the order in which they did.
    pub reactions: BTreeMap<&'a str, Vec<PersonKey>>,
}

/// The text of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text<'a> {
    /// As it was written or edited last.
    Shown(&'a str),
    /// Its author has erased it.
    Erased,
    /// It is no longer kept.
    Missing,
}

/// The message that an entry began, with the entries that name it. Those of them that their
/// authors had no right to write do nothing: only who wrote a message edits and erases it.
///
/// `None` if the entry does not begin a message.
#[must_use]
pub fn message<'a>(root: &Written<'a>, naming: &[Written<'a>]) -> Option<Message<'a>> {
    let (text, answers) = match root.talk {
        Some(Talk::Message { text }) => (Text::Shown(text), None),
        Some(Talk::Reply { to, text }) => (Text::Shown(text), Some(*to)),
        Some(Talk::Edit { .. } | Talk::Erase { .. } | Talk::Reaction { .. }) => return None,
        None => (Text::Missing, None),
    };
    if naming.iter().any(|entry| is_erase(entry, root)) {
        return Some(Message {
            text: Text::Erased,
            answers,
            edited: None,
            reactions: BTreeMap::new(),
        });
    }
    let edit = last_edit(root, naming);
    Some(Message {
        text: edit.map_or(text, |(_, text)| Text::Shown(text)),
        answers,
        edited: edit.map(|(clock, _)| clock),
        reactions: reactions(root, naming),
    })
}

/// The entries whose bodies an erase takes, out of a message and those that name it: the message
/// and its edits. Empty if nobody with the right to has erased it.
#[must_use]
pub fn erased(root: &Written<'_>, naming: &[Written<'_>]) -> Vec<EntryId> {
    if !naming.iter().any(|entry| is_erase(entry, root)) {
        return Vec::new();
    }
    let is_edit =
        |entry: &&Written<'_>| matches!(entry.talk, Some(Talk::Edit { of, .. }) if *of == root.id);
    let edits = naming.iter().filter(is_edit).map(|edit| edit.id);
    [root.id].into_iter().chain(edits).collect()
}

fn is_erase(entry: &Written<'_>, root: &Written<'_>) -> bool {
    entry.author == root.author && matches!(entry.talk, Some(Talk::Erase { of }) if *of == root.id)
}

/// The text of the last edit, and when it was written. An edit of a message that the writer had
/// not seen yet, by their clock, is none.
fn last_edit<'a>(root: &Written<'a>, naming: &[Written<'a>]) -> Option<(Clock, &'a str)> {
    let edits = naming.iter().filter_map(|entry| match entry.talk {
        Some(Talk::Edit { of, text }) if *of == root.id => Some((entry, text)),
        _ => None,
    });
    edits
        .filter(|(edit, _)| edit.author == root.author && edit.place > root.place)
        .max_by_key(|(edit, _)| edit.place)
        .map(|(edit, text)| (edit.place.clock, text.as_str()))
}

/// The last reaction of each person, if it is one.
fn reactions<'a>(root: &Written<'a>, naming: &[Written<'a>]) -> BTreeMap<&'a str, Vec<PersonKey>> {
    let mut last: BTreeMap<PersonKey, (Place, &str)> = BTreeMap::new();
    for entry in naming {
        let Some(Talk::Reaction { to, emoji }) = entry.talk else {
            continue;
        };
        if *to == root.id {
            let reaction = (entry.place, emoji.as_str());
            let known = last.entry(entry.author).or_insert(reaction);
            *known = reaction.max(*known);
        }
    }
    let mut in_order: Vec<_> = last.into_iter().collect();
    in_order.sort_by_key(|(_, (place, _))| *place);
    let mut by_emoji: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (person, (_, emoji)) in in_order {
        if !emoji.is_empty() {
            by_emoji.entry(emoji).or_default().push(person);
        }
    }
    by_emoji
}

#[cfg(test)]
mod tests;
