//! The answer to the last search for a person, or to the last request.

use p2pchat_model::{OnlineUser, User, printable, wording};
use yew::prelude::*;

use crate::context::Context;
use crate::logic::sentence::failed;
use crate::state::Found;

use super::online_row::online_row;

/// The answer to the last search or request, where it was made.
pub fn search_answer(context: &Context) -> Html {
    let state = &context.state;
    let view = state.view.as_ref().map(|view| view.get());
    // The list below has what the registry's own list has.
    let is_listed = |name| {
        view.as_ref()
            .is_some_and(|view| view.others().any(|user| user.name == name))
    };
    let found = match state.found {
        Some(Found { name, .. }) if is_listed(name) => html! {},
        Some(Found {
            name,
            address: Some(address),
        }) => html! {
            <div class="row-person found">{ online_row(context, User::from(OnlineUser { name, address }), true) }</div>
        },
        Some(Found {
            name,
            address: None,
        }) => html! {
            <p class="field-note">{ printable(&wording::line::found(name, None)).into_owned() }{ "." }</p>
        },
        None => html! {},
    };
    html! {
        <div aria-live="polite">
            if let Some(failure) = state.search_failure() {
                <p class="field-note bad">{ failed(failure) }</p>
            }
            { found }
        </div>
    }
}
