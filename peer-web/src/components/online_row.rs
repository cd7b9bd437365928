//! A person who is online.

use p2pchat_model::wording::label;
use p2pchat_model::{Command, Target, User, View, printable};
use yew::prelude::*;

use crate::context::{Context, use_app};
use crate::state::State;

use super::icon::{Glyph, Icon};
use super::person_menu::PersonMenu;
use super::person_name::PersonName;

/// What an [`OnlineRow`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The person.
    pub user: User,
    /// Whether Tab leads to the menu. Not in a list where arrows lead from row to row.
    #[prop_or_default]
    pub tab_stop: bool,
}

/// The content of a row: a person who is online, a button that asks them for a chat, and their
/// menu.
#[component]
pub fn OnlineRow(props: &Props) -> Html {
    let context = use_app();
    let user = props.user;
    let User { name, address, .. } = user;
    let view = context.state.view.as_ref().map(|view| view.get());
    html! {
        <>
            <PersonName name={Some(name)} {address} />
            <span class="row-end">
                if let Some(view) = view { { action(&context, &view, user) } }
                <PersonMenu target={user.person().to_block()} name={user.title().to_owned()} tab_stop={props.tab_stop} />
            </span>
        </>
    }
}

/// The button that asks for a chat, or why there is none.
fn action(context: &Context, view: &View, user: User) -> Html {
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
    let send = context.send.clone();
    let (conversation, to) = (State::SHOWN, Target::Address(address));
    let onclick = move |_| send.emit(Command::Request { conversation, to });
    let label = printable(&format!("Ask {} for a chat", user.title())).into_owned();
    html! {
        <button type="button" class="button small ask" {onclick} aria-label={label}
            disabled={!context.state.is_live()}><Icon glyph={Glyph::Ask} />{ "Ask" }</button>
    }
}
