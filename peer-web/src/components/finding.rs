//! A message that a search found.

use p2pchat_model::wording::label;
use p2pchat_model::{Message, printable};
use yew::prelude::*;

use crate::browser::{dates, page};
use crate::context::use_app;
use crate::logic::clock::{LocalDay, Zone};
use crate::logic::sentence::capitalized;
use crate::state::Action;

/// What a [`Finding`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The message.
    pub message: Message,
    /// Today, for the names of days.
    pub today: LocalDay,
    /// Closes the search.
    pub onclose: Callback<()>,
}

/// A message that a search found. A click scrolls to it.
#[component]
pub fn Finding(props: &Props) -> Html {
    let dispatch = use_app().dispatch;
    let message = &props.message;
    let day = Zone::new(page::zone_offset).day(message.at);
    let when = format!(
        "{}, {}",
        dates::day(day, props.today),
        dates::time(message.at)
    );
    let from = if message.is_own() {
        capitalized(label::YOU)
    } else {
        printable(&message.from.to_string()).into_owned()
    };
    let onclick = {
        let (onclose, id) = (props.onclose.clone(), message.id);
        move |_| {
            dispatch.dispatch(Action::Jump(id));
            // Where there is room for only one pane, the message would be behind the search.
            if page::is_narrow() {
                onclose.emit(());
            }
        }
    };
    html! {
        <button type="button" class="finding" {onclick}>
            <span class="finding-top"><b><bdi>{ from }</bdi></b><time>{ when }</time></span>
            <span class="finding-text">{ printable(&message.text).into_owned() }</span>
        </button>
    }
}
