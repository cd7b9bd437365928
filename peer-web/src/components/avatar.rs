//! A round sign for a person: their initial, in a colour that goes with the name.

use p2pchat_model::{printable, uppercase};
use yew::prelude::*;

/// How many colours the style sheet has.
const HUES: u32 = 8;

/// A sign for a person. The name is beside it, so screen readers skip it.
pub fn avatar(name: &str) -> Html {
    let initial: String = printable(name).chars().take(1).collect();
    let initial = uppercase(&initial);
    let hue = format!("hue-{}", hue(name));
    html! { <span class={classes!("avatar", hue)} aria-hidden="true">{ initial }</span> }
}

/// A number below [`HUES`] that is always the same for a name: FNV-1a.
fn hue(name: &str) -> u32 {
    let mixed = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (mixed >> 8) % HUES
}
