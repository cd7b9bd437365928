//! The messages that a search found.

use p2pchat_model::printable;
use yew::prelude::*;

use crate::context::use_app;
use crate::logic::clock::LocalDay;
use crate::logic::said::said;

use super::finding::{Found, finding};
use super::roving::{Roving, Rows, use_roving};

/// What a [`use_finding_list`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// The messages.
    pub messages: Vec<Found>,
    /// The words that they were found by.
    pub words: String,
    /// Today, for the names of days.
    pub today: LocalDay,
    /// Called when the user goes to one.
    pub ongo: Callback<()>,
}

/// The messages that a search found, as one Tab stop.
#[hook]
pub fn use_finding_list(props: &Props) -> Html {
    let dispatch = use_app().dispatch;
    let (today, ongo, words) = (props.today, props.ongo.clone(), props.words.clone());
    let key = |found: &Found| found.line.message_id().unwrap_or_default().to_string();
    let name = |found: &Found| {
        let name = said(&found.line).map(|said| said.who.name());
        printable(&name.unwrap_or_default()).into_owned()
    };
    let draw = move |found: &Found| finding(&dispatch, found, &words, today, &ongo);
    let rows = Rows::new(props.messages.clone(), key, name, draw);
    let Roving {
        list,
        onkeydown,
        onfocusin,
        ..
    } = use_roving(&rows);
    let count = rows.len();
    html! {
        <ul class="rows" role="list" ref={list} {onkeydown} {onfocusin}>
            { for (0..count).map(|at| html! {
                <li key={rows.key(at)} aria-posinset={(at + 1).to_string()} aria-setsize={count.to_string()}>{ rows.row(at) }</li>
            }) }
        </ul>
    }
}
