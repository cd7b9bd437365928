//! The head of the chat: with whom, and a way to search it.

use p2pchat_model::{View, printable};
use yew::prelude::*;

use super::chat::Pane;
use super::icon::{Glyph, icon};

/// How many names the head shows.
const MOST_NAMES: usize = 6;

/// The head of the chat; `finding` is whether the search is open, which `onfind` opens or
/// closes.
pub fn talk_head(view: &View, show: Callback<Pane>, finding: bool, onfind: Callback<()>) -> Html {
    let onpeople = move |_| show.emit(Pane::People);
    let onfind = move |_| onfind.emit(());
    html! {
        <header class="talk-head">
            <button type="button" class="icon-button only-narrow" onclick={onpeople} aria-label="People" title="People">
                { icon(Glyph::People) }
            </button>
            <div class="talk-title">
                <h2><bdi>{ title(view) }</bdi></h2>
                <p>{ below(view) }</p>
            </div>
            <button type="button" class="icon-button" aria-expanded={finding.to_string()}
                aria-label="Search the history" title="Search the history" onclick={onfind}>
                { icon(Glyph::Search) }
            </button>
        </header>
    }
}

fn title(view: &View) -> String {
    let names: Vec<String> = view
        .members
        .iter()
        .take(MOST_NAMES)
        .map(ToString::to_string)
        .collect();
    let title = match view.members.len() {
        0 if !view.out_of_reach.is_empty() => format!("{} out of reach", away(view)),
        0 => "Nobody is in your chat yet".to_owned(),
        n if n > MOST_NAMES => format!("{} and {} more", names.join(", "), n - MOST_NAMES),
        _ => names.join(", "),
    };
    printable(&title).into_owned()
}

/// Who is out of reach, and the verb to it.
fn away(view: &View) -> String {
    match view.out_of_reach.as_slice() {
        [one] => format!("{one} is"),
        some => format!("{} people are", some.len()),
    }
}

fn below(view: &View) -> String {
    match view.members.len() {
        0 if !view.is_alone() => "The chat goes on when what you write gets through".to_owned(),
        0 => "Ask somebody who is online, or wait to be asked".to_owned(),
        1 => "Straight from machine to machine".to_owned(),
        n => format!("You and {n} others, straight from machine to machine"),
    }
}
