//! A person in a list.

use p2pchat_model::wording::label;
use p2pchat_model::{PeerAddr, Username, printable};
use yew::prelude::*;

use super::avatar::avatar;
use super::lookalike_tag::LookalikeTag;

/// What a [`PersonName`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The name, if it is known.
    pub name: Option<Username>,
    /// The address, if it is known. It stands for a name that is not.
    pub address: Option<PeerAddr>,
    /// Whether the address stands below the name.
    #[prop_or_default]
    pub shows_address: bool,
    /// A word behind the name.
    #[prop_or_default]
    pub note: Option<&'static str>,
}

/// A person: sign and name.
#[component]
pub fn PersonName(props: &Props) -> Html {
    let words = match (props.name, props.address) {
        (Some(name), _) => name.to_string(),
        (None, Some(address)) => format!("{} ({address})", label::UNKNOWN_PERSON),
        (None, None) => label::UNKNOWN_PERSON.to_owned(),
    };
    let address = props.address.filter(|_| props.shows_address);
    html! {
        <span class="person">
            { avatar(&words) }
            <span class="person-words">
                <span class="person-name"><bdi>{ printable(&words).into_owned() }</bdi>
                    if let Some(name) = props.name { <LookalikeTag {name} /> }
                    if let Some(note) = props.note { <span class="tag">{ note }</span> }
                </span>
                if let Some(address) = address { <span class="person-address">{ address.to_string() }</span> }
            </span>
        </span>
    }
}
