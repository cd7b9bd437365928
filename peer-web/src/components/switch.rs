//! A switch with its words.

use yew::prelude::*;

/// What a [`Switch`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What is switched.
    pub label: &'static str,
    /// What its state means, in small letters.
    pub hint: AttrValue,
    /// Whether it is on.
    pub on: bool,
    /// Whether it cannot be switched now.
    #[prop_or_default]
    pub disabled: bool,
    /// Called with the new state.
    pub onswitch: Callback<bool>,
}

/// A switch.
#[component]
pub fn Switch(props: &Props) -> Html {
    let on = props.on;
    let onclick = props.onswitch.reform(move |_| !on);
    html! {
        <button type="button" class="switch" role="switch" disabled={props.disabled}
            aria-checked={on.to_string()} {onclick}>
            <span class="switch-words">
                <span>{ props.label }</span>
                <small>{ &props.hint }</small>
            </span>
            <span class="switch-track" aria-hidden="true"><span class="switch-knob"></span></span>
        </button>
    }
}
