//! The head of the chat: who is in it, and the button that opens the search.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Conversation, printable};
use yew::prelude::*;

use crate::context::use_app;

use super::chat_menu::ChatMenu;
use super::icon::{Glyph, icon};
use super::not_encrypted::not_encrypted;
use super::pane::Pane;

/// How many names the head shows.
const MOST_NAMES: usize = 6;

/// What a [`ChatHead`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Shows a pane, where there is room for only one.
    pub onpane: Callback<Pane>,
    /// Whether the search is open.
    pub finding: bool,
    /// Opens the search, or closes it.
    pub onfind: Callback<()>,
}

/// The head of the chat.
#[component]
pub fn ChatHead(props: &Props) -> Html {
    let context = use_app();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let chat = view.chat();
    let onpeople = props.onpane.reform(|_| Pane::People);
    let onfind = props.onfind.reform(|_| ());
    html! {
        <header class="chat-head">
            <button type="button" id={Pane::People.button()} class="icon-button only-narrow" onclick={onpeople} aria-label="People" title="People">
                { icon(Glyph::People) }
            </button>
            <div class="chat-title">
                <h2><bdi>{ title(&chat) }</bdi></h2>
                <p class="chat-state">{ not_encrypted() }<span>{ subtitle(&chat) }</span></p>
            </div>
            <button type="button" class="icon-button" aria-expanded={props.finding.to_string()}
                aria-label="Search the history" title="Search the history" onclick={onfind}>
                { icon(Glyph::Search) }
            </button>
            <ChatMenu />
        </header>
    }
}

fn title(chat: &Conversation) -> String {
    let names: Vec<String> = chat
        .members
        .iter()
        .take(MOST_NAMES)
        .map(ToString::to_string)
        .collect();
    let title = match chat.members.len() {
        0 if !chat.out_of_reach.is_empty() => unreachable(chat),
        0 => label::NO_CHAT.to_owned(),
        n if n > MOST_NAMES => format!("{} and {} more", names.join(", "), n - MOST_NAMES),
        _ => names.join(", "),
    };
    printable(&title).into_owned()
}

fn unreachable(chat: &Conversation) -> String {
    match chat.out_of_reach.as_slice() {
        [one] => format!("{one} is {}", label::OFFLINE),
        several => format!("{} people are {}", several.len(), label::OFFLINE),
    }
}

fn subtitle(chat: &Conversation) -> String {
    match chat.members.len() {
        0 if !chat.is_alone() => "Your next message tries again".to_owned(),
        0 => label::NO_CHAT_HINT.to_owned(),
        _ => wording::members_online(chat).unwrap_or_default(),
    }
}
