//! A mark for a name that passes for another.

use p2pchat_model::{Username, printable};
use yew::prelude::*;

use crate::app::use_page;

/// What a [`LooksLike`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The name in question.
    pub name: Username,
}

/// Says whose name this one looks like, if it is another's in characters that cannot be
/// told from it.
#[component]
pub fn LooksLike(props: &Props) -> Html {
    let context = use_page();
    let view = context.state.view.as_ref();
    match view.and_then(|view| view.get().looks_like(props.name)) {
        Some(other) => {
            let words = printable(&format!("not {other}")).into_owned();
            html! { <span class="tag bad"><bdi>{ words }</bdi></span> }
        }
        None => html! {},
    }
}
