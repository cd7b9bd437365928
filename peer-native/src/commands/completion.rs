//! What Tab completes.

use p2pchat_model::wording::chat::title;

use super::COMMANDS;
use crate::chats;
use crate::shown::Shown;

/// Where the argument of `/go` begins.
const GO: usize = "/go ".len();

/// What Tab can make of the word before the cursor: where that word begins, and what may
/// replace it, best first.
#[must_use]
pub fn completions(before_cursor: &str, shown: Shown<'_>) -> (usize, Vec<String>) {
    let start = before_cursor.rfind(char::is_whitespace).map_or(0, |at| {
        at + before_cursor[at..].chars().next().map_or(0, char::len_utf8)
    });
    // The name of a chat may have spaces.
    if let Some(begun) = before_cursor.strip_prefix("/go ") {
        return (GO, titles(&begun.to_lowercase(), shown));
    }
    let word = before_cursor[start..].to_lowercase();
    // Someone is mentioned by their name.
    let (at, word) = match word.strip_prefix('@') {
        Some(word) => ("@", word.to_owned()),
        None => ("", word),
    };
    if start == 0 && word.starts_with('/') {
        let possible = COMMANDS
            .iter()
            .filter(|entry| entry.is_possible(shown.view));
        // Of several names of a command, the first that fits.
        let found =
            possible.filter_map(|entry| entry.names.iter().find(|name| name.starts_with(&word)));
        return (0, found.map(|name| format!("{name} ")).collect());
    }
    if word.is_empty() && at.is_empty() && !before_cursor.starts_with('/') {
        return (start, Vec::new());
    }
    let behind = if start == 0 && at.is_empty() {
        ": "
    } else {
        " "
    };
    let mut found = Vec::new();
    for name in completed_names(before_cursor, shown) {
        let text = format!("{at}{name}{behind}");
        if name.to_lowercase().starts_with(&word) && !found.contains(&text) {
            found.push(text);
        }
    }
    (start, found)
}

/// The titles of chats that begin so, then the names of those who are online.
fn titles(begun: &str, shown: Shown<'_>) -> Vec<String> {
    let listed = chats::listed(shown).into_iter().map(title);
    let people = chats::strangers(shown.view);
    let people = people.into_iter().map(|user| user.name.to_string());
    let all = listed.chain(people);
    all.filter(|one| one.to_lowercase().starts_with(begun))
        .collect()
}

/// Names that may follow: those who are blocked after `/unblock`, else the members first
/// and then who is online.
fn completed_names(before_cursor: &str, shown: Shown<'_>) -> Vec<String> {
    let view = shown.view;
    if before_cursor.starts_with("/unblock ") {
        return view.blocked.iter().map(ToString::to_string).collect();
    }
    if before_cursor.starts_with("/cancel ") {
        let asked = view.outgoing.iter().map(|request| request.to);
        return asked
            .map(|to| {
                to.name
                    .map_or(to.address.to_string(), |name| name.to_string())
            })
            .collect();
    }
    let conversation = shown.conversation();
    let in_chat = conversation.chat.iter().flat_map(|chat| &chat.members);
    let in_chat = in_chat.filter_map(|member| member.who.name);
    let members = conversation.members.iter();
    let members = members.filter_map(|person| person.name).chain(in_chat);
    let names = members.chain(view.others().map(|user| user.name));
    names.map(|name| name.to_string()).collect()
}
