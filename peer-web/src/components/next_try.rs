//! When the next attempt to connect is due.

use p2pchat_model::{Timestamp, wording};
use yew::prelude::*;

use crate::browser::hooks::use_now;

/// What a [`use_next_try`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// When the next attempt is due.
    pub at: Timestamp,
}

/// When the next attempt is due, in seconds. Not announced second by second.
#[hook]
pub fn use_next_try(props: &Props) -> Html {
    let left = use_now(500).seconds_until(props.at);
    html! {
        <span class="countdown" role="timer" aria-live="off">{ wording::next_try(left) }</span>
    }
}
