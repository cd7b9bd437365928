//! Who is blocked.

use std::rc::Rc;

use p2pchat_model::wording::label;
use p2pchat_model::{Target, printable};
use yew::prelude::*;

use crate::context::use_app;

use super::person_menu::PersonMenu;
use super::roving::Item;
use super::row_list::RowList;

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
    let items: Rc<[Target]> = blocked.as_slice().into();
    html! {
        <section class="group blocked" aria-labelledby="blocked-title">
            <header class="group-head">
                <h2 id="blocked-title">{ label::BLOCKED } <span class="count">{ blocked.len() }</span></h2>
            </header>
            <RowList<Target> labelledby="blocked-title" {items} row={Callback::from(draw)} />
        </section>
    }
}

impl Item for Target {
    fn name(&self) -> String {
        self.to_string()
    }

    /// A name may read like an address.
    fn key(&self) -> String {
        format!("{self:?}")
    }
}

fn draw(who: Target) -> Html {
    let name = who.to_string();
    html! {
        <>
            <span class="person-name"><bdi>{ printable(&name).into_owned() }</bdi></span>
            <PersonMenu target={who} {name} tab_stop=false />
        </>
    }
}
