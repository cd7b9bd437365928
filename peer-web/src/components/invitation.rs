//! What to send to a colleague, so that they come to the same registry.

use p2pchat_model::wording::chat;
use yew::prelude::*;

use crate::browser::page;

/// The words, and a button that copies them.
pub fn invitation(text: String) -> Html {
    html! {
        <>
            <p class="invitation">{ &text }</p>
            <button type="button" class="button" onclick={move |_| page::copy(&text)}>{ chat::COPY }</button>
        </>
    }
}
