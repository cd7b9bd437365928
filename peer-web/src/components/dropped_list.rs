//! What was dropped.

use p2pchat_model::wording::label;
use p2pchat_model::{Dropped, printable};
use yew::prelude::*;

use crate::context::Context;

/// How much of what others sent was dropped, and why. Nothing if nothing was.
pub fn dropped_list(context: &Context) -> Html {
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let dropped = &view.get().dropped;
    if dropped.is_empty() {
        return html! {};
    }
    html! {
        <details class="group dropped">
            <summary>{ label::IGNORED }</summary>
            <ul>{ for dropped.iter().map(row) }</ul>
        </details>
    }
}

fn row(dropped: &Dropped) -> Html {
    let key = format!(
        "{:?} {:?} {:?}",
        dropped.address, dropped.tried, dropped.why
    );
    html! { <li {key}>{ printable(&dropped.tally()).into_owned() }</li> }
}
