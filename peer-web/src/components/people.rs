//! The side with the people: the members of the chat, who is online, and the user.

use p2pchat_model::Command;
use p2pchat_model::wording::label;
use yew::prelude::*;

use crate::context::{use_app, use_conversation};
use crate::logic::sentence::capitalized;

use super::blocked_list::BlockedList;
use super::brand::brand;
use super::dropped_list::DroppedList;
use super::link_state::LinkState;
use super::members::Members;
use super::online::Online;
use super::pane::Pane;
use super::person_name::PersonName;
use super::requests::Requests;
use super::settings_menu::SettingsMenu;
use super::switch::Switch;

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
    let onbusy = {
        let send = context.send.clone();
        Callback::from(move |on| send.emit(Command::Busy { on }))
    };
    let hint = if view.busy {
        label::BUSY_ON
    } else {
        label::BUSY_OFF
    };
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
                    <PersonName name={view.account} address={view.address} shows_address=true note={label::YOU} />
                    <LinkState />
                </div>
                <Switch label={label::BUSY} hint={capitalized(hint)} on={view.busy} disabled={!context.state.is_live()} onswitch={onbusy} />
            </footer>
        </section>
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
