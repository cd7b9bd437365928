//! The conversations: those that the user was asked to be in, those that they are in, and those
//! that were put away.

use p2pchat_model::wording::{chat as words, label};
use p2pchat_model::{
    Alerts, Chat, Command, Conversation, ConversationId, Status, Trust, View, printable,
};
use yew::prelude::*;

use crate::browser::{dates, page};
use crate::context::{Context, use_app, use_conversation};
use crate::logic::chats::{Part, counted, direct_with, listed};
use crate::state::{Action, SharedView, Sheet};

use super::avatar::avatar;
use super::icon::{Glyph, icon};
use super::person_menu::block;
use super::roving::Rows;
use super::row_list::row_list;
use super::row_menu::{MenuItem, row_menu};

/// So many requests are listed without being asked for.
const FEW: usize = 3;

/// The conversations; those that were typed, if anything was. They change with nearly every
/// message.
#[hook]
pub fn use_chats(typed: &AttrValue) -> Html {
    let context = use_app();
    let unread = use_conversation().reading.unread();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let part = |part| listed(&view.get(), part, view.id(), typed);
    let list = |ids: Vec<ConversationId>, labelledby| {
        let (context, view) = (context.clone(), view.shared().clone());
        let title = |(id, view): &(ConversationId, SharedView)| {
            let view = view.get();
            view.conversation(*id).map(words::title).unwrap_or_default()
        };
        let items = ids.into_iter().map(|id| (id, view.clone())).collect();
        let draw = move |(id, view): &(ConversationId, SharedView)| {
            let view = view.get();
            let one = view.conversation(*id);
            one.map(|one| row(&context, &view, one, unread))
                .unwrap_or_default()
        };
        let rows = Rows::new(items, |(id, _)| id.to_string(), title, draw);
        row_list(labelledby, rows)
    };
    let [asked, chats, archived] = [Part::Asked, Part::Chats, Part::Archived].map(part);
    let is_new = |id| {
        view.get()
            .conversation(id)
            .map_or(0, |one| counted(one, one.unread()))
    };
    let new_in_archived = archived.iter().map(|id| is_new(*id)).sum();
    let onnew = {
        let dispatch = context.dispatch.clone();
        move |_: MouseEvent| dispatch.dispatch(Action::Open(Some(Sheet::New)))
    };
    html! {
        <section class="group chats" aria-labelledby="chats-title">
            if !asked.is_empty() {
                <details class="asked" open={asked.len() <= FEW || !typed.is_empty()}>
                    <summary id="asked-title">{ icon(Glyph::Request) }{ words::requests(asked.len()) }</summary>
                    { list(asked, "asked-title") }
                </details>
            }
            <header class="group-head">
                <h2 id="chats-title">{ words::CHATS }</h2>
                <button type="button" class="button small quiet" onclick={onnew}>{ icon(Glyph::Plus) }{ words::NEW }</button>
            </header>
            if !chats.is_empty() { { list(chats, "chats-title") } }
            if !archived.is_empty() {
                <details open={!typed.is_empty()}>
                    <summary id="archived-title">{ words::ARCHIVED }<span class="count">{ archived.len() }</span>{ badge(None, new_in_archived) }</summary>
                    { list(archived, "archived-title") }
                </details>
            }
        </section>
    }
}

/// A row; `unread` is how much of the conversation that is shown is unread.
fn row(context: &Context, view: &View, one: &Conversation, unread: usize) -> Html {
    let id = one.id;
    let is_shown = id == context.state.shown();
    let chat = one.chat.as_ref();
    let title = printable(&words::title(one)).into_owned();
    let onclick = {
        let dispatch = context.dispatch.clone();
        move |_: MouseEvent| dispatch.dispatch(Action::Show(id))
    };
    let unread = if is_shown { unread } else { one.unread() };
    let last = match chat {
        Some(_) => printable(&words::last_line(one, view)).into_owned(),
        None => label::NOT_ENCRYPTED.to_owned(),
    };
    html! {
        <>
            <button type="button" class={classes!("chat-row", chat.is_none().then_some("open"))} {onclick} aria-current={is_shown.then_some("true")} id={is_shown.then_some(page::SHOWN_CHAT)}>
                <span class="avatar-place">{ avatar(&title) }{ chat.map(|chat| presence(view, chat)) }</span>
                <span class="chat-words">
                    <span class="chat-line">
                        <b><bdi>{ title.clone() }</bdi></b>{ marks(one) }
                        if let Some(line) = one.last_line() { <time>{ dates::short(line.at()) }</time> }
                    </span>
                    <span class="chat-line"><span class="chat-last">{ last }</span>{ badge(chat, unread) }</span>
                </span>
            </button>
            { row_menu(title, chat_items(context, one), !context.state.is_live(), false) }
        </>
    }
}

/// Whether the other person in a direct conversation is online.
fn presence(view: &View, chat: &Chat) -> Html {
    let Some(name) = direct_with(chat) else {
        return html! {};
    };
    let status = view.user(name).map(|user| user.status);
    let class = match status {
        Some(Status::Available) => "on",
        Some(_) => "on away",
        None => "",
    };
    let words = status.map_or(label::OFFLINE, p2pchat_model::wording::status);
    html! { <span class={classes!("presence", class)}><span class="unseen">{ words }{ ": " }</span></span> }
}

/// What is particular about a conversation, as icons with words for those who cannot see them.
fn marks(one: &Conversation) -> Html {
    let mark = |glyph, class: &'static str, words: &'static str| {
        html! { <span class={classes!("mark", class)} title={words}>{ icon(glyph) }<span class="unseen">{ words }</span></span> }
    };
    let Some(chat) = &one.chat else {
        return html! { <span class="mark warn">{ icon(Glyph::Warning) }</span> };
    };
    let trust = chat.members.iter().filter_map(|member| member.trust).max();
    let trust = match trust {
        Some(Trust::Verified) if direct_with(chat).is_some() => {
            mark(Glyph::Verified, "verified", words::VERIFIED)
        }
        Some(trust @ Trust::Changed) => mark(Glyph::Warning, "warn", trust.words()),
        Some(trust @ Trust::ChangedAfterVerified) => mark(Glyph::Stop, "bad", trust.words()),
        _ => html! {},
    };
    html! {
        <>
            { trust }
            if chat.pinned { { mark(Glyph::Pin, "", words::PIN) } }
            if chat.alerts != Alerts::All { { mark(Glyph::Busy, "", words::MUTED) } }
        </>
    }
}

fn badge(chat: Option<&Chat>, unread: usize) -> Html {
    if unread == 0 {
        return html! {};
    }
    let mentions = chat.is_some_and(|chat| chat.mentions > 0);
    let is_muted = chat.is_some_and(|chat| match chat.alerts {
        Alerts::All => false,
        Alerts::Mentions => !mentions,
        Alerts::Nothing => true,
    });
    html! {
        <span class={classes!("badge", is_muted.then_some("muted"))}>
            if mentions { { "@" } }{ unread }<span class="unseen">{ " new" }</span>
        </span>
    }
}

/// What can be done with a conversation.
pub(super) fn chat_items(context: &Context, one: &Conversation) -> Vec<MenuItem> {
    let conversation = one.id;
    let sends = |command: Command| {
        let send = context.send.clone();
        Callback::from(move |()| send.emit(command.clone()))
    };
    let leave = sends(Command::Leave { conversation });
    let Some(chat) = &one.chat else {
        let leave =
            MenuItem::new(label::LEAVE_ASK, leave).asks(label::LEAVE_QUESTION, label::LEAVE);
        return if one.is_alone() { vec![] } else { vec![leave] };
    };
    let mut items = Vec::new();
    if let Some(message) = one.newest_message().filter(|_| chat.unread > 0) {
        let read = Command::Read {
            conversation,
            message,
        };
        items.push(MenuItem::new(words::MARK_READ, sends(read)));
    }
    let (pinned, archived) = (chat.pinned, chat.archived);
    let pin = if pinned { words::UNPIN } else { words::PIN };
    let on = !pinned;
    items.push(MenuItem::new(pin, sends(Command::Pin { conversation, on })));
    for of in ALERTS.into_iter().filter(|of| *of != chat.alerts) {
        let words = format!("{}: {}", words::ALERTS, of.words());
        items.push(MenuItem::new(
            words,
            sends(Command::Alert { conversation, of }),
        ));
    }
    let archive = if archived {
        words::UNARCHIVE
    } else {
        words::ARCHIVE
    };
    let on = !archived;
    items.push(MenuItem::new(
        archive,
        sends(Command::Archive { conversation, on }),
    ));
    match direct_with(chat) {
        Some(name) => {
            let who = p2pchat_model::Target::Name(name);
            items.push(compare(context, name));
            items.push(block(name.as_str(), sends(Command::Block { who })));
        }
        None if chat.standing == p2pchat_model::Standing::In => {
            let leave = MenuItem::new(words::LEAVE_GROUP, leave);
            items.push(leave.asks(words::leave_question(chat), label::LEAVE));
        }
        None => {}
    }
    items
}

/// All that alerts can be of.
pub(super) const ALERTS: [Alerts; 3] = [Alerts::All, Alerts::Mentions, Alerts::Nothing];

/// To compare codes with a user.
pub(super) fn compare(context: &Context, name: p2pchat_model::Username) -> MenuItem {
    let dispatch = context.dispatch.clone();
    let sheet = Some(Sheet::Codes(name));
    let onpick = Callback::from(move |()| dispatch.dispatch(Action::Open(sheet)));
    MenuItem::new(label::COMPARE_CODES, onpick)
}
