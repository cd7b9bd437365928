//! Who is in the chat, and who is out of reach.

use p2pchat_model::Person;
use p2pchat_model::wording::label;
use yew::prelude::*;

use crate::context::use_app;

use super::person_menu::PersonMenu;
use super::person_name::PersonName;

/// The members. Nothing if there are none.
#[component]
pub fn Members() -> Html {
    let context = use_app();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    if view.is_alone() {
        return html! {};
    }
    html! {
        <section class="group" aria-labelledby="members-title">
            <header class="group-head">
                <h2 id="members-title">{ label::MEMBERS } <span class="count">{ view.members.len() }</span></h2>
            </header>
            <ul class="rows">
                { for view.members.iter().map(member) }
                { for view.out_of_reach.iter().map(out_of_reach) }
            </ul>
        </section>
    }
}

fn member(person: &Person) -> Html {
    html! {
        <li key={person.address.to_string()} class="row-person">
            <PersonName name={person.name} address={person.address} />
            <PersonMenu target={person.to_block()} name={person.to_string()} />
        </li>
    }
}

fn out_of_reach(person: &Person) -> Html {
    html! {
        <li key={format!("away-{}", person.address)} class="row-person asked">
            <PersonName name={person.name} address={person.address} />
            <span class="row-end">{ label::OFFLINE }</span>
        </li>
    }
}
