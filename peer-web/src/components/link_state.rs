//! The connection to the registry, in a word.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Link, View, printable};
use yew::prelude::*;

use crate::context::Context;

/// The connection to the registry: a dot and a word.
pub fn link_state(context: &Context) -> Html {
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    let state = &context.state;
    let (dot, words, title) = if !state.is_live() {
        (UNKNOWN, "not connected", label::BRIDGE_STOPPED.to_owned())
    } else if state.is_elsewhere() {
        (UNKNOWN, "elsewhere", label::ELSEWHERE.to_owned())
    } else {
        (dot(&view.link), view.link.words(), title(&view))
    };
    html! {
        <span class="link-state" title={printable(&title).into_owned()}>
            <span class={classes!("dot", dot)} aria-hidden="true"></span>{ words }
        </span>
    }
}

/// The class of the dot where nobody reaches the user here.
pub(super) const UNKNOWN: &str = "wait";

fn title(view: &View) -> String {
    match &view.link {
        Link::Up => wording::registry_is_up(&view.registry),
        Link::Down { reason, .. } => wording::registry_is_down(&view.registry, reason),
        Link::PasswordNeeded => label::PASSWORD_NEEDED.to_owned(),
        Link::KeyChanged { pinned, seen } => {
            wording::security::registry_key_changed(*pinned, *seen)
        }
        Link::Connecting | Link::NoRegistry => String::new(),
    }
}

/// The class of the dot.
pub(super) fn dot(link: &Link) -> &'static str {
    match link {
        Link::Up => "ok",
        Link::Connecting | Link::PasswordNeeded => "wait",
        Link::Down { .. } | Link::NoRegistry | Link::KeyChanged { .. } => "down",
    }
}
