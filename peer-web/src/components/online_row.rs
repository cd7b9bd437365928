//! A person who is online.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, ConversationId, Target, User, View, printable};
use yew::prelude::*;

use crate::context::Context;
use crate::part;

use super::icon::{Glyph, icon};
use super::person_menu::{self, to_compare, use_person_menu};
use super::person_name::{about, person_name};

/// The content of a row: a person who is online, who is written to by a click, what else can be
/// done, and their menu. `tab_stop` is whether Tab leads to the menu: not in a list where arrows
/// lead from row to row.
pub fn online_row(context: &Context, user: User, tab_stop: bool) -> Html {
    let User {
        name,
        address,
        legacy,
        ..
    } = user;
    let view = context.state.view.as_ref().map(|view| view.get());
    let who = person_name(Some(name), Some(address), None, about(&user));
    let who = if legacy {
        let title = printable(&wording::chat::has_older_program(name)).into_owned();
        html! { <span {title}>{ who }</span> }
    } else {
        let send = context.send.clone();
        let onclick = move |_: MouseEvent| send.emit(Command::Chat { with: name });
        html! { <button type="button" class="row-main" {onclick} disabled={!context.state.is_live()}>{ who }</button> }
    };
    let has_button = legacy || context.state.shown() == ConversationId::OPEN;
    let asks = (!has_button).then_some(Target::Address(address));
    let menu = person_menu::Props {
        compares: to_compare(user),
        asks,
        tab_stop,
        ..person_menu::Props::of(user.person().to_block(), user.title().to_owned())
    };
    html! {
        <>
            { who }
            <span class="row-end">
                if let Some(view) = view { { action(context, &view, user, has_button) } }
                { part!(use_person_menu, menu) }
            </span>
        </>
    }
}

/// The button that asks into the open chat, where that is shown or the only one that their
/// program has; or why there is none.
fn action(context: &Context, view: &View, user: User, has_button: bool) -> Html {
    let User { name, address, .. } = user;
    let mut asked = view.outgoing.iter().map(|request| request.to.address);
    if view.blocks(Some(name), address).is_some() {
        return html! { { label::BLOCKED.to_ascii_lowercase() } };
    }
    if view.is_member(address) {
        return html! { { "in chat" } };
    }
    if asked.any(|asked| asked == address) {
        return html! { { label::ASKED } };
    }
    if !has_button {
        return html! {};
    }
    let send = context.send.clone();
    let (conversation, to) = (ConversationId::OPEN, Target::Address(address));
    let onclick = move |_| send.emit(Command::Request { conversation, to });
    let label = printable(&format!("Ask {} for a chat", user.title())).into_owned();
    html! {
        <button type="button" class="button small ask" {onclick} aria-label={label} title={wording::chat::ASK_INTO_OPEN_CHAT}
            disabled={!context.state.is_live()}>{ icon(Glyph::Ask) }if user.legacy { { "Ask" } }</button>
    }
}
