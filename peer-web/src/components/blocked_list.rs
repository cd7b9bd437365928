//! Who is blocked.

use p2pchat_model::wording::label;
use p2pchat_model::{Target, printable};
use yew::prelude::*;

use crate::context::use_app;

use super::person_menu::PersonMenu;

/// Who is blocked, each with a menu that unblocks them. Nothing if nobody is.
#[component]
pub fn BlockedList() -> Html {
    let context = use_app();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let blocked = &view.get().blocked;
    if blocked.is_empty() {
        return html! {};
    }
    html! {
        <section class="group blocked" aria-labelledby="blocked-title">
            <header class="group-head">
                <h2 id="blocked-title">{ label::BLOCKED } <span class="count">{ blocked.len() }</span></h2>
            </header>
            <ul class="rows">{ for blocked.iter().map(|who| row(*who)) }</ul>
        </section>
    }
}

fn row(who: Target) -> Html {
    let name = who.to_string();
    html! {
        <li key={name.clone()} class="row-person">
            <span class="person-name"><bdi>{ printable(&name).into_owned() }</bdi></span>
            <PersonMenu target={who} {name} />
        </li>
    }
}
