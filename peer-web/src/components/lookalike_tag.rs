//! A mark for a name that looks like another.

use p2pchat_model::{Username, printable, wording};
use yew::prelude::*;

use crate::context::use_app;

/// What a [`use_lookalike_tag`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// The name.
    pub name: Username,
}

/// Says which other name this one looks like, if it has characters that cannot be told from
/// that one's.
#[hook]
pub fn use_lookalike_tag(props: &Props) -> Html {
    let context = use_app();
    let view = context.state.view.as_ref();
    match view.and_then(|view| view.get().lookalike_of(props.name)) {
        Some(other) => {
            let words = printable(&wording::looks_like(other)).into_owned();
            html! { <span class="tag bad"><bdi>{ words }</bdi></span> }
        }
        None => html! {},
    }
}
