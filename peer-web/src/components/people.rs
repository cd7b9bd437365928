//! The side with the people: the members of the chat, who is online, and the user.

use p2pchat_model::wording::label;
use p2pchat_model::{ConversationId, View, printable};
use yew::prelude::*;

use crate::context::use_app;

use super::blocked_list::BlockedList;
use super::brand::brand;
use super::chats::Chats;
use super::dropped_list::DroppedList;
use super::link_state::LinkState;
use super::members::Members;
use super::online::Online;
use super::person_name::person_name;
use super::requests::Requests;
use super::security::Security;
use super::settings_menu::SettingsMenu;
use super::status_choice::StatusChoice;

/// The side with the people.
#[component]
pub fn People() -> Html {
    let context = use_app();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let is_open = view.id() == ConversationId::OPEN;
    let view = view.get();
    html! {
        <section class="people" aria-label="People">
            <header class="people-head">
                { brand() }
                <SettingsMenu />
            </header>
            <div class="people-scroll">
                <Chats />
                if is_open { <Members /> }
                <Online />
                <BlockedList />
                <DroppedList />
            </div>
            <Requests beside_people=true />
            <footer class="me">
                <div class="me-who">
                    { person_name(view.account, view.address, Some(label::YOU), own_line(&view)) }
                    <LinkState />
                </div>
                <div class="me-state"><StatusChoice /><Security /></div>
            </footer>
        </section>
    }
}

/// Below the user's own name: what others see beside it, and where they are reached.
fn own_line(view: &View) -> Html {
    let address = view.address.map(|address| address.to_string());
    html! {
        <>
            if !view.display_name.is_empty() { <bdi>{ printable(view.display_name.as_str()).into_owned() }</bdi> }
            <span class="person-address">{ address }</span>
        </>
    }
}
