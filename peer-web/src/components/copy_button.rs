//! The button that copies what is beside it.

use gloo_timers::callback::Timeout;
use p2pchat_model::wording::chat;
use yew::prelude::*;

use crate::browser::effect::use_effect_on;
use crate::browser::page;
use crate::part;

/// How long the button says that it has, in milliseconds.
const COPIED: u32 = 2_000;

#[derive(PartialEq)]
struct Props {
    label: &'static str,
    text: String,
}

/// The button; `label` says what it copies.
pub fn copy_button(label: &'static str, text: String) -> Html {
    part!(use_copy_button, Props { label, text })
}

#[hook]
fn use_copy_button(props: &Props) -> Html {
    let copied = use_state_eq(|| false);
    {
        let setter = copied.setter();
        use_effect_on(*copied, move |copied| {
            let timer = copied.then(|| Timeout::new(COPIED, move || setter.set(false)));
            move || drop(timer)
        });
    }
    let onclick = {
        let (text, setter) = (props.text.clone(), copied.setter());
        move |_: MouseEvent| {
            page::copy(&text);
            setter.set(true);
        }
    };
    let (label, words) = if *copied {
        (chat::COPIED, chat::COPIED)
    } else {
        (props.label, chat::COPY_SHORT)
    };
    html! { <button type="button" class="button small" aria-label={label} {onclick}>{ words }</button> }
}
