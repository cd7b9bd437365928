//! When the page connects to its bridge again.

use p2pchat_model::Timestamp;
use yew::prelude::*;

use crate::context::use_app;

use super::next_try::NextTry;

/// What a [`Retry`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// When the next attempt is due, in milliseconds since 1970.
    pub until: f64,
}

/// The time until the next attempt, and a button to make it now.
#[component]
pub fn Retry(props: &Props) -> Html {
    let retry = use_app().retry;
    let onclick = move |_| retry.emit(());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "now and some seconds"
    )]
    let until = Timestamp(props.until as u64);
    html! {
        <span class="retry">
            <NextTry at={until} />
            <button type="button" class="button small" {onclick}>{ "Try now" }</button>
        </span>
    }
}
