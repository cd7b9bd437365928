//! Who is blocked.

use std::rc::Rc;

use p2pchat_model::wording::label;
use p2pchat_model::{Command, Target, printable};
use yew::prelude::*;

use crate::context::{Context, use_app};

use super::roving::Item;
use super::row_list::RowList;

/// Who is blocked, with a button for each that unblocks them. Nothing if nobody is.
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
    let row = {
        let context = context.clone();
        Callback::from(move |who| draw(&context, who))
    };
    html! {
        <section class="group" aria-labelledby="blocked-title">
            <header class="group-head">
                <h2 id="blocked-title">{ label::BLOCKED } <span class="count">{ blocked.len() }</span></h2>
            </header>
            <RowList<Target> labelledby="blocked-title" {items} {row} />
        </section>
    }
}

impl Item for Target {
    fn name(&self) -> String {
        self.to_string()
    }

    fn key(&self) -> String {
        format!("{self:?}")
    }
}

fn draw(context: &Context, who: Target) -> Html {
    let send = context.send.clone();
    let onclick = move |_| send.emit(Command::Unblock { who });
    let name = printable(&who.to_string()).into_owned();
    html! {
        <>
            <span class="person-name"><bdi>{ name.clone() }</bdi></span>
            <button type="button" class="button small" {onclick} disabled={!context.state.is_live()}
                aria-label={format!("{} {name}", label::UNBLOCK)}>{ label::UNBLOCK }</button>
        </>
    }
}
