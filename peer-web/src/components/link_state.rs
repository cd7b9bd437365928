//! The connection to the registry, in a word.

use p2pchat_model::Link;
use yew::prelude::*;

/// What a [`LinkState`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The connection to the registry.
    pub link: Link,
}

/// The connection to the registry: a dot and a word.
#[component]
pub fn LinkState(props: &Props) -> Html {
    let (words, title) = match props.link {
        Link::Up => ("online", "The registry is connected: others find you."),
        Link::Connecting => ("connecting", "Connecting to the registry."),
        Link::Down { .. } => (
            "offline",
            "The registry is out of reach: your chat goes on.",
        ),
    };
    html! {
        <span class="link-state" {title}>
            <span class={classes!("dot", dot(&props.link))} aria-hidden="true"></span>{ words }
        </span>
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
