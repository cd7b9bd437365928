//! Who is blocked.

use p2pchat_model::wording::label;
use p2pchat_model::{Target, printable};
use yew::prelude::*;

use crate::context::Context;
use crate::part;

use super::person_menu::{self, use_person_menu};
use super::roving::Rows;
use super::row_list::row_list;

/// Who is blocked, each with a menu that unblocks them. Nothing if nobody is.
pub fn blocked_list(context: &Context) -> Html {
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let blocked = &view.get().blocked;
    if blocked.is_empty() {
        return html! {};
    }
    // A name may read like an address.
    let key = |who: &Target| format!("{who:?}");
    let rows = Rows::new(blocked.clone(), key, Target::to_string, draw);
    html! {
        <section class="group blocked" aria-labelledby="blocked-title">
            <header class="group-head">
                <h2 id="blocked-title">{ label::BLOCKED } <span class="count">{ blocked.len() }</span></h2>
            </header>
            { row_list("blocked-title", rows) }
        </section>
    }
}

fn draw(who: &Target) -> Html {
    let who = *who;
    let name = who.to_string();
    html! {
        <>
            <span class="person-name"><bdi>{ printable(&name).into_owned() }</bdi></span>
            { part!(use_person_menu, person_menu::Props::of(who, name)) }
        </>
    }
}
