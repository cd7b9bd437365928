//! The wordmark.

use yew::prelude::*;

/// Two people and the line between them: nobody is in the middle.
pub fn brand() -> Html {
    html! {
        <span class="brand">
            <svg class="brand-sign" viewBox="0 0 40 24" aria-hidden="true" focusable="false">
                <path class="brand-line" d="M12 12h16" />
                <circle class="brand-one" cx="9" cy="12" r="7" />
                <circle class="brand-two" cx="31" cy="12" r="7" />
            </svg>
            <span class="brand-word">{ "p2p" }<b>{ "chat" }</b></span>
        </span>
    }
}
