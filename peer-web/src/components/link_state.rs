//! The connection to the registry, in a word.

use p2pchat_model::{Link, View, printable, wording};
use yew::prelude::*;

use crate::context::use_app;

/// The connection to the registry: a dot and a word.
#[component]
pub fn LinkState() -> Html {
    let context = use_app();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    html! {
        <span class="link-state" title={printable(&title(&view)).into_owned()}>
            <span class={classes!("dot", dot(&view.link))} aria-hidden="true"></span>{ view.link.words() }
        </span>
    }
}

fn title(view: &View) -> String {
    match &view.link {
        Link::Up => wording::registry_is_up(&view.registry),
        Link::Down { reason, .. } => wording::registry_is_down(&view.registry, reason),
        Link::Connecting => String::new(),
    }
}

/// The class of the dot.
pub(super) fn dot(link: &Link) -> &'static str {
    match link {
        Link::Up => "ok",
        Link::Connecting => "wait",
        Link::Down { .. } => "down",
    }
}
