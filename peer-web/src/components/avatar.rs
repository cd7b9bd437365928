//! A round sign for a person: his initial, in a colour that goes with the name.

use p2pchat_model::printable;
use yew::prelude::*;

use crate::browser::letters::uppercase;

/// How many colours there are in the style sheet.
const HUES: u32 = 8;

/// A sign for a person. The name stands beside it, so it says nothing to screen readers.
pub fn avatar(name: &str) -> Html {
    let initial: String = printable(name).chars().take(1).collect();
    html! { <span class="avatar" data-hue={hue(name).to_string()} aria-hidden="true">{ uppercase(&initial) }</span> }
}

fn hue(name: &str) -> u32 {
    let mixed = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (mixed >> 8) % HUES
}
