//! What to send to a colleague, so that they come to the same registry.

use p2pchat_model::wording::chat;
use yew::prelude::*;

use super::copy_button::copy_button;

/// The words, and a button that copies them.
pub fn invitation(text: String) -> Html {
    html! {
        <>
            <p class="invitation">{ &text }</p>
            { copy_button(chat::COPY, text) }
        </>
    }
}
