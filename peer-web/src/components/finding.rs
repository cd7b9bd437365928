//! A message that a search found.

use p2pchat_model::wording::label;
use p2pchat_model::{ConversationId, Line, hits, printable};
use yew::prelude::*;

use crate::browser::{dates, page};
use crate::logic::clock::{LocalDay, Zone};
use crate::logic::said::said;
use crate::logic::sentence::capitalized;
use crate::state::{Action, State};

use super::rich_text::marked;

/// How many letters stand before the first word that was found, where there are many more: something
/// is to be seen of it.
const BEFORE: usize = 40;

/// What a search found, and where: its title, where all conversations were searched.
#[derive(Clone, PartialEq)]
pub struct Found {
    /// The message.
    pub line: Line,
    /// The conversation that it is in.
    pub conversation: ConversationId,
    /// Its title, if more than one was searched.
    pub title: Option<String>,
}

/// A message that a search for these words found. A click leads to it.
pub fn finding(
    dispatch: &UseReducerDispatcher<State>,
    found: &Found,
    words: &str,
    today: LocalDay,
    ongo: &Callback<()>,
) -> Html {
    let Found {
        line, conversation, ..
    } = found;
    let Some(said) = said(line) else {
        return html! {};
    };
    let day = Zone::new(page::zone_offset).day(said.at);
    let when = format!("{}, {}", dates::day(day, today), dates::time(said.at));
    let from = if said.own {
        capitalized(label::YOU)
    } else {
        said.who.name()
    };
    let from = match &found.title {
        Some(title) if *title != from => format!("{title} / {from}"),
        _ => from,
    };
    let from = printable(&from).into_owned();
    let onclick = {
        let (dispatch, ongo) = (dispatch.clone(), ongo.clone());
        let (conversation, id) = (*conversation, said.id);
        move |_| {
            dispatch.dispatch(Action::Show(conversation));
            dispatch.dispatch(Action::Jump(id));
            // Where there is room for only one pane, the message would be behind the search.
            if page::is_narrow() {
                ongo.emit(());
            }
        }
    };
    let text = printable(said.text);
    let mut parts = hits(&text, words);
    if let [(false, before), _, ..] = &mut *parts
        && let Some((cut, _)) = before.char_indices().rev().nth(BEFORE - 1)
        && cut > 0
    {
        *before = &before[cut..];
        parts.insert(0, (false, "…"));
    }
    html! {
        <button type="button" class="finding" {onclick}>
            <span class="finding-top"><b><bdi>{ from }</bdi></b><time>{ when }</time></span>
            <span class="finding-text">{ marked(parts) }</span>
        </button>
    }
}
