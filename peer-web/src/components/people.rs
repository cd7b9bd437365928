//! The side with the people: the members of the chat, who is online, and the user.

use p2pchat_model::wording::label;
use p2pchat_model::{View, printable};
use yew::prelude::*;

use crate::context::{use_app, use_conversation};

use super::blocked_list::BlockedList;
use super::brand::brand;
use super::dropped_list::DroppedList;
use super::link_state::LinkState;
use super::members::Members;
use super::online::Online;
use super::pane::Pane;
use super::person_name::person_name;
use super::requests::Requests;
use super::security::Security;
use super::settings_menu::SettingsMenu;
use super::status_choice::StatusChoice;

/// What [`People`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Shows a pane, where there is room for only one.
    pub onpane: Callback<Pane>,
}

/// The side with the people.
#[component]
pub fn People(props: &Props) -> Html {
    let context = use_app();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    html! {
        <section class="people" aria-label="People">
            <header class="people-head">
                { brand() }
                <button type="button" id={Pane::Chat.button()} class="button small only-narrow" onclick={props.onpane.reform(|_| Pane::Chat)}>
                    { "Chat" }<UnreadBadge />
                </button>
                <SettingsMenu />
            </header>
            <div class="people-scroll">
                <Members />
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

/// How many messages are unread. A component of its own, because it is rendered with each
/// message.
#[component]
fn UnreadBadge() -> Html {
    match use_conversation().reading.unread() {
        0 => html! {},
        unread => {
            html! { <span class="badge">{ unread }<span class="unseen">{ " new" }</span></span> }
        }
    }
}
