//! An empty box of a given height.

use web_sys::HtmlElement;
use yew::prelude::*;

use crate::browser::element;

/// What a [`Spacer`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// In CSS pixels.
    pub height: f64,
}

/// An empty box that stands for rows that are not in the page.
#[component]
pub fn Spacer(props: &Props) -> Html {
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with(props.height, move |height| {
            if let Some(element) = node.cast::<HtmlElement>() {
                element::set_px(&element, "height", *height);
            }
        });
    }
    html! { <div class="spacer" aria-hidden="true" ref={node}></div> }
}
