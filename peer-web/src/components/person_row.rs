//! A person in a list.

use p2pchat_model::{PeerAddr, Username, printable};
use yew::prelude::*;

use super::avatar::Avatar;
use super::looks_like::LooksLike;

/// What a [`PersonName`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The name; empty if none is known.
    pub name: AttrValue,
    /// Where.
    pub address: Option<PeerAddr>,
    /// A word behind the name.
    #[prop_or_default]
    pub note: AttrValue,
}

/// A person: sign, name and address. Without a name, the address takes its place.
#[component]
pub fn PersonName(props: &Props) -> Html {
    let address = props
        .address
        .map(|address| address.to_string())
        .unwrap_or_default();
    let (name, below) = match props.name.is_empty() {
        true => (address, "no name known".to_owned()),
        false => (props.name.to_string(), address),
    };
    html! {
        <span class="person">
            <Avatar name={name.clone()} />
            <span class="person-words">
                <span class="person-name"><bdi>{ printable(&name).into_owned() }</bdi>
                    if let Ok(name) = Username::new(&name) { <LooksLike {name} /> }
                    if !props.note.is_empty() { <span class="tag">{ &props.note }</span> }
                </span>
                <span class="person-address">{ below }</span>
            </span>
        </span>
    }
}
