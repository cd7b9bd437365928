//! The head of the chat: who is in it, and the buttons for what else there is to it.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Chat, ChatKind, Conversation, Trust, View, printable};
use yew::prelude::*;

use crate::context::Context;
use crate::state::{Action, Sheet};

use super::chats::chat_items;
use super::icon::{Glyph, icon};
use super::not_encrypted::not_encrypted;
use super::row_menu::row_menu;

/// How many names the head shows.
const MOST_NAMES: usize = 6;
/// The id of the button that leads back to the list.
pub(super) const BACK: &str = "show-list";

/// What is open beside the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The search.
    Find,
    /// The details.
    Details,
}

/// The head of the chat; `side` is what is open beside the conversation.
pub fn chat_head(
    context: &Context,
    onback: Callback<MouseEvent>,
    side: Option<Side>,
    onside: &Callback<Side>,
) -> Html {
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let chat = view.chat();
    let toggle = |which: Side, glyph, words: &'static str| {
        let expanded = (side == Some(which)).to_string();
        let onclick = onside.reform(move |_: MouseEvent| which);
        html! {
            <button type="button" class="icon-button" aria-expanded={expanded} aria-label={words} title={words} {onclick}>{ icon(glyph) }</button>
        }
    };
    let (title, below) = match &chat.chat {
        Some(known) => (
            wording::chat::title(&chat),
            encrypted(context, &view.get(), known, side, onside),
        ),
        None => (
            title(&chat),
            html! { <>{ not_encrypted() }<span>{ subtitle(&chat) }</span></> },
        ),
    };
    html! {
        <header class="chat-head">
            <button type="button" id={BACK} class="icon-button only-narrow" onclick={onback} aria-label={wording::chat::CHATS} title={wording::chat::CHATS}>
                { icon(Glyph::Back) }
            </button>
            <div class="chat-title">
                <h2><bdi>{ printable(&title).into_owned() }</bdi></h2>
                <p class="chat-state">{ below }</p>
            </div>
            { toggle(Side::Find, Glyph::Search, "Search the history") }
            if chat.chat.is_some() { { toggle(Side::Details, Glyph::Info, wording::chat::DETAILS) } }
            { row_menu("this chat", chat_items(context, &chat), !context.state.is_live(), true) }
        </header>
    }
}

/// Who of an encrypted conversation is online, and how well their keys are known. That is a button:
/// it leads to the codes of the other one, or to the members and theirs.
fn encrypted(
    context: &Context,
    view: &View,
    chat: &Chat,
    side: Option<Side>,
    onside: &Callback<Side>,
) -> Html {
    let worst = chat.members.iter().filter_map(|member| member.trust).max();
    let (glyph, class) = match worst {
        Some(Trust::Verified) if chat.kind == ChatKind::Direct => (Glyph::Verified, "verified"),
        Some(Trust::Changed) => (Glyph::Warning, "warn"),
        Some(Trust::ChangedAfterVerified) => (Glyph::Stop, "bad"),
        _ => (Glyph::Locked, ""),
    };
    let who = wording::chat::presence(chat, view);
    let other = chat
        .members
        .first()
        .filter(|_| chat.kind == ChatKind::Direct);
    let other = other.and_then(|member| member.who.name);
    let leads_to = match other {
        Some(_) => label::COMPARE_CODES,
        None => wording::chat::DETAILS,
    };
    let means = format!("{} {leads_to}", wording::chat::ENCRYPTED_MEANS);
    let onclick = {
        let (dispatch, onside) = (context.dispatch.clone(), onside.clone());
        move |_: MouseEvent| match other {
            Some(name) => dispatch.dispatch(Action::Open(Some(Sheet::Codes(name)))),
            None if side == Some(Side::Details) => {}
            None => onside.emit(Side::Details),
        }
    };
    let disabled = other.is_some() && !context.state.is_live();
    html! {
        <>
            <button type="button" class={classes!("mark", class)} title={means} {onclick} {disabled}>{ icon(glyph) }{ printable(&wording::chat::encryption(chat)).into_owned() }</button>
            if let Some(who) = who { <span>{ "· " }{ printable(&who).into_owned() }</span> }
        </>
    }
}

fn title(chat: &Conversation) -> String {
    let names: Vec<String> = chat
        .members
        .iter()
        .take(MOST_NAMES)
        .map(ToString::to_string)
        .collect();
    match chat.members.len() {
        0 if !chat.out_of_reach.is_empty() => unreachable(chat),
        0 => label::NO_CHAT.to_owned(),
        n if n > MOST_NAMES => format!("{} and {} more", names.join(", "), n - MOST_NAMES),
        _ => names.join(", "),
    }
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
