//! A switch with its words.

use yew::prelude::*;

/// A switch: what is switched, what that means in small letters, whether it is on, whether it cannot
/// be switched now, and what is called with the new state.
pub fn switch(
    label: &'static str,
    hint: &'static str,
    on: bool,
    disabled: bool,
    onswitch: &Callback<bool>,
) -> Html {
    let onclick = onswitch.reform(move |_: MouseEvent| !on);
    html! {
        <button type="button" class="switch" role="switch" {disabled}
            aria-checked={on.to_string()} {onclick}>
            <span class="switch-words">
                <span>{ label }</span>
                <small>{ hint }</small>
            </span>
            <span class="switch-track" aria-hidden="true"><span class="switch-knob"></span></span>
        </button>
    }
}
