//! Seconds that run out.

use p2pchat_model::Timestamp;
use yew::prelude::*;

use crate::browser::hooks::use_now;

/// What a [`use_countdown`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// When it runs out.
    pub until: Timestamp,
}

/// The seconds that are left. Not announced: screen readers would read each of them.
#[hook]
pub fn use_countdown(props: &Props) -> Html {
    let left = use_now(500).seconds_until(props.until);
    html! {
        <span class="countdown" role="timer" aria-live="off">
            { left }{ "\u{a0}s" }
        </span>
    }
}
