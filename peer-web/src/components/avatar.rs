//! A round sign for a person: his initial, in a colour that goes with the name.

use p2pchat_model::printable;
use yew::prelude::*;

/// How many colours there are in the style sheet.
const HUES: u32 = 8;

/// What an [`Avatar`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The name, or the address.
    pub name: AttrValue,
}

/// A sign for a person. The name stands beside it, so it says nothing to screen readers.
#[component]
pub fn Avatar(props: &Props) -> Html {
    let initial: String = printable(&props.name)
        .chars()
        .next()
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_default();
    let class = classes!("avatar", format!("hue-{}", hue(&props.name)));
    html! { <span {class} aria-hidden="true">{ initial }</span> }
}

fn hue(name: &str) -> u32 {
    let mixed = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (mixed >> 8) % HUES
}
