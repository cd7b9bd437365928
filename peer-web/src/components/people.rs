//! The side with the conversations and the people: what finds one of them, the members of the chat,
//! who is online, and the user.

use p2pchat_model::wording::label;
use p2pchat_model::{ConversationId, View, printable};
use yew::prelude::*;

use crate::context::use_app;
use crate::part;

use super::blocked_list::blocked_list;
use super::brand::brand;
use super::chats::use_chats;
use super::dropped_list::dropped_list;
use super::field::set;
use super::link_state::link_state;
use super::members::members;
use super::online::use_online;
use super::people_search::{self, use_people_search};
use super::person_name::person_name;
use super::requests::requests;
use super::search_answer::search_answer;
use super::security::use_security;
use super::settings_menu::use_settings_menu;
use super::status_choice::use_status_choice;

/// The side with the conversations and the people.
#[hook]
pub fn use_people() -> Html {
    let context = use_app();
    let typed = use_state(String::new);
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let is_open = view.id() == ConversationId::OPEN;
    let view = view.get();
    let search = people_search::Props {
        typed: (*typed).clone(),
        ontyped: set(&typed),
    };
    let typed = AttrValue::from(typed.trim().to_owned());
    html! {
        <section class="people" aria-label="People">
            <header class="people-head">
                { brand() }
                { part!(use_settings_menu) }
            </header>
            { part!(use_people_search, search) }
            <div class="people-scroll">
                { search_answer(&context) }
                { part!(use_chats, typed.clone()) }
                if is_open { { members(&context) } }
                { part!(use_online, typed) }
                { blocked_list(&context) }
                { dropped_list(&context) }
            </div>
            { requests(&context, true) }
            <footer class="me">
                <div class="me-who">
                    { person_name(view.account, view.address, Some(label::YOU), own_line(&view)) }
                    { link_state(&context) }
                </div>
                <div class="me-state">{ part!(use_status_choice) }{ part!(use_security) }</div>
            </footer>
        </section>
    }
}

/// Below the user's own name: what others see beside it, else where they are reached.
fn own_line(view: &View) -> Html {
    let address = view.address.map(|address| address.to_string());
    let address = address.filter(|_| view.display_name.is_empty());
    html! { <bdi>{ address.unwrap_or_else(|| printable(view.display_name.as_str()).into_owned()) }</bdi> }
}
