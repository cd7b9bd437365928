//! Who is in the chat, who is out of reach, and who has been asked.

use p2pchat_model::{Command, OutgoingRequest, Person};
use yew::prelude::*;

use crate::app::use_page;

use super::block_button::BlockButton;
use super::countdown::Countdown;
use super::person_row::PersonName;

/// The members, those who have been asked, and the way out.
#[component]
pub fn Members() -> Html {
    let context = use_page();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    if view.is_alone() && view.outgoing.is_empty() {
        return html! {};
    }
    let onleave = {
        let send = context.send.clone();
        move |_| send.emit(Command::Leave)
    };
    html! {
        <section class="group" aria-labelledby="members-title">
            <header class="group-head">
                <h2 id="members-title">{ "In your chat" } <span class="count">{ view.members.len() }</span></h2>
                if !view.is_alone() {
                    <button type="button" class="button small quiet" disabled={!context.state.is_live()}
                        onclick={onleave}>{ "Leave" }</button>
                }
            </header>
            <ul class="rows">
                { for view.members.iter().map(member) }
                { for view.out_of_reach.iter().map(away) }
                { for view.outgoing.iter().map(outgoing) }
            </ul>
        </section>
    }
}

fn name(person: &Person) -> String {
    person.name.map(|name| name.to_string()).unwrap_or_default()
}

fn member(person: &Person) -> Html {
    html! {
        <li key={person.address.to_string()} class="row-person">
            <PersonName name={name(person)} address={person.address} />
            <BlockButton who={person.to_block()} name={person.to_string()} />
        </li>
    }
}

fn away(person: &Person) -> Html {
    html! {
        <li key={format!("away-{}", person.address)} class="row-person asked">
            <PersonName name={name(person)} address={person.address} />
            <span class="row-end">{ "out of reach" }</span>
        </li>
    }
}

fn outgoing(request: &OutgoingRequest) -> Html {
    html! {
        <li key={format!("asked-{}", request.to.address)} class="row-person asked">
            <PersonName name={name(&request.to)} address={request.to.address} />
            <span class="row-end">{ "asked" }<Countdown until={request.expires} /></span>
        </li>
    }
}
