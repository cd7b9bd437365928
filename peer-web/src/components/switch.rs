//! A switch with its words.

use yew::prelude::*;

/// What a [`Switch`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What is switched.
    pub label: AttrValue,
    /// What that means, in small letters.
    #[prop_or_default]
    pub hint: AttrValue,
    /// Whether it is on.
    pub on: bool,
    /// Whether it cannot be moved.
    #[prop_or_default]
    pub disabled: bool,
    /// Called with what it should be.
    pub onswitch: Callback<bool>,
}

/// A switch.
#[component]
pub fn Switch(props: &Props) -> Html {
    let onclick = {
        let (onswitch, on) = (props.onswitch.clone(), props.on);
        move |_| onswitch.emit(!on)
    };
    html! {
        <button type="button" class="switch" role="switch" disabled={props.disabled}
            aria-checked={props.on.to_string()} {onclick}>
            <span class="switch-words">
                <span>{ &props.label }</span>
                if !props.hint.is_empty() { <small>{ &props.hint }</small> }
            </span>
            <span class="switch-track" aria-hidden="true"><span class="switch-knob"></span></span>
        </button>
    }
}
