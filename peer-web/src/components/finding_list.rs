//! The messages that a search found.

use std::rc::Rc;

use p2pchat_model::{Message, printable};
use yew::prelude::*;

use crate::logic::clock::LocalDay;

use super::finding::Finding;
use super::roving::{Item, Roving, use_roving};

/// What a [`FindingList`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The messages.
    pub messages: Rc<[Message]>,
    /// Today, for the names of days.
    pub today: LocalDay,
    /// Closes the search.
    pub onclose: Callback<()>,
}

/// The messages that a search found, as one Tab stop.
#[component]
pub fn FindingList(props: &Props) -> Html {
    let Roving {
        list,
        onkeydown,
        onfocusin,
        ..
    } = use_roving(&props.messages);
    let Props {
        messages,
        today,
        onclose,
    } = props;
    html! {
        <ul class="rows" role="list" ref={list} {onkeydown} {onfocusin}>
            { for messages.iter().enumerate().map(|(at, message)| html! {
                <li key={message.id.to_string()} aria-posinset={(at + 1).to_string()} aria-setsize={messages.len().to_string()}>
                    <Finding message={message.clone()} today={*today} {onclose} />
                </li>
            }) }
        </ul>
    }
}

impl Item for Message {
    fn name(&self) -> String {
        printable(&self.from.to_string()).into_owned()
    }
}
