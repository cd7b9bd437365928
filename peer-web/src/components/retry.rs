//! When the page connects to its bridge again.

use p2pchat_model::Timestamp;
use yew::prelude::*;

use crate::context::use_app;
use crate::part;

use super::buttons::small_button;
use super::next_try::use_next_try;

/// What a [`use_retry`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// When the next attempt is due, in milliseconds since 1970.
    pub until: f64,
}

/// The time until the next attempt, and a button to make it now.
#[hook]
pub fn use_retry(props: &Props) -> Html {
    let retry = use_app().retry;
    let onclick = Callback::from(move |_| retry.emit(()));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "now and some seconds"
    )]
    let until = Timestamp(props.until as u64);
    html! {
        <span class="retry">
            { part!(use_next_try, super::next_try::Props { at: until }) }
            { small_button("Try now", onclick, false) }
        </span>
    }
}
