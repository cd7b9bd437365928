//! A person in a list.

use p2pchat_model::wording::label;
use p2pchat_model::{PeerAddr, Username, printable};
use yew::prelude::*;

use super::avatar::Avatar;
use super::lookalike_tag::LookalikeTag;

/// What a [`PersonName`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The name, if it is known.
    pub name: Option<Username>,
    /// The address, if it is known.
    pub address: Option<PeerAddr>,
    /// A word behind the name.
    #[prop_or_default]
    pub note: Option<&'static str>,
}

/// A person: sign, name and address.
#[component]
pub fn PersonName(props: &Props) -> Html {
    let address = props.address.map(|address| address.to_string());
    let address = address.unwrap_or_default();
    let (words, below) = match props.name {
        None => (label::UNKNOWN_PERSON.to_owned(), address),
        Some(name) => (name.to_string(), address),
    };
    html! {
        <span class="person">
            <Avatar name={words.clone()} />
            <span class="person-words">
                <span class="person-name"><bdi>{ printable(&words).into_owned() }</bdi>
                    if let Some(name) = props.name { <LookalikeTag {name} /> }
                    if let Some(note) = props.note { <span class="tag">{ note }</span> }
                </span>
                <span class="person-address">{ below }</span>
            </span>
        </span>
    }
}
