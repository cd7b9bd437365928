//! A mark for a name that passes for another.

use p2pchat_model::{Username, printable};
use yew::prelude::*;

use crate::state::Page;

/// Says whose name this one looks like, if it is another's in characters that cannot be
/// told from it.
pub fn looks_like(page: &Page, name: Username) -> Html {
    let view = page.view.as_ref();
    match view.and_then(|view| view.get().looks_like(name)) {
        Some(other) => {
            let words = printable(&format!("not {other}")).into_owned();
            html! { <span class="tag bad"><bdi>{ words }</bdi></span> }
        }
        None => html! {},
    }
}
