//! The answer to the last search for a person, or to the last request.

use p2pchat_model::{OnlineUser, printable, wording};
use yew::prelude::*;

use crate::context::use_app;
use crate::state::Found;

use super::online_row::OnlineRow;

/// The answer to the last search or request, where it was made.
#[component]
pub fn SearchAnswer() -> Html {
    let context = use_app();
    let state = &context.state;
    let failure = ["request", "search", "refresh"]
        .into_iter()
        .find_map(|command| state.failure(command));
    let found = match state.found {
        Some(Found { name, address }) => match address {
            Some(address) => html! {
                <ul class="rows found"><OnlineRow user={OnlineUser { name, address }} /></ul>
            },
            None => html! {
                <p class="field-note">{ printable(&wording::found(name, None)).into_owned() }</p>
            },
        },
        None => html! {},
    };
    html! {
        <div aria-live="polite">
            if let Some(failure) = failure {
                <p class="field-note bad">{ printable(&failure.message).into_owned() }</p>
            }
            { found }
        </div>
    }
}
