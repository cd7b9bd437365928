//! Who is in the chat, who is out of reach, and who has been asked.

use p2pchat_model::{Command, OutgoingRequest, Person};
use yew::prelude::*;

use crate::app::Context;

use super::block_button::block_button;
use super::countdown::Countdown;
use super::person_name::person_name;

/// The members, those who have been asked, and the way out.
pub fn members(context: &Context) -> Html {
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
                { for view.members.iter().map(|person| member(context, person)) }
                { for view.out_of_reach.iter().map(|person| away(context, person)) }
                { for view.outgoing.iter().map(|request| outgoing(context, request)) }
            </ul>
        </section>
    }
}

fn name(context: &Context, person: &Person) -> Html {
    person_name(&context.state, person.name, Some(person.address), "")
}

fn member(context: &Context, person: &Person) -> Html {
    html! {
        <li key={person.address.to_string()} class="row-person">
            { name(context, person) }
            { block_button(context, person.to_block(), &person.to_string()) }
        </li>
    }
}

fn away(context: &Context, person: &Person) -> Html {
    html! {
        <li key={format!("away-{}", person.address)} class="row-person asked">
            { name(context, person) }
            <span class="row-end">{ "out of reach" }</span>
        </li>
    }
}

fn outgoing(context: &Context, request: &OutgoingRequest) -> Html {
    html! {
        <li key={format!("asked-{}", request.to.address)} class="row-person asked">
            { name(context, &request.to) }
            <span class="row-end">{ "asked" }<Countdown until={request.expires} /></span>
        </li>
    }
}
