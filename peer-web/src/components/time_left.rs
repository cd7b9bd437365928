//! The time that is left to answer a request.

use p2pchat_model::Timestamp;
use yew::prelude::*;

use crate::browser::hooks::use_now;

/// What a [`TimeLeft`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// When the time began.
    pub from: Timestamp,
    /// When it is over.
    pub until: Timestamp,
}

/// The time that is left, as a bar and in seconds. Not announced second by second.
#[component]
pub fn TimeLeft(props: &Props) -> Html {
    let left = use_now(500).seconds_until(props.until);
    let whole = props.from.seconds_until(props.until).max(1);
    html! {
        <div class="time-left" role="timer" aria-live="off">
            <progress max={whole.to_string()} value={left.min(whole).to_string()} aria-label="Time left to answer"></progress>
            <span>{ left }{ "\u{a0}s left" }</span>
        </div>
    }
}
