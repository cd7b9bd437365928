//! A switch with its words.

use yew::prelude::*;

/// A switch: what is switched, what that means in small letters, and whether it is on.
pub fn switch(
    label: &'static str,
    hint: &'static str,
    on: bool,
    disabled: bool,
    onswitch: Callback<bool>,
) -> Html {
    let onclick = move |_| onswitch.emit(!on);
    html! {
        <button type="button" class="switch" role="switch" {disabled} aria-checked={on.to_string()} {onclick}>
            <span class="switch-words">
                <span>{ label }</span>
                <small>{ hint }</small>
            </span>
            <span class="switch-track" aria-hidden="true"><span class="switch-knob"></span></span>
        </button>
    }
}
