//! A person in a list.

use p2pchat_model::{PeerAddr, Username, printable};
use yew::prelude::*;

use crate::state::Page;

use super::avatar::avatar;
use super::lookalike_tag::looks_like;

/// A person: sign, name and address, with a word behind the name where `note` is one.
/// Without a name, the address takes its place.
pub fn person_name(
    page: &Page,
    name: Option<Username>,
    address: Option<PeerAddr>,
    note: &'static str,
) -> Html {
    let address = address
        .map(|address| address.to_string())
        .unwrap_or_default();
    let (words, below) = match name {
        None => (address, "no name known".to_owned()),
        Some(name) => (name.to_string(), address),
    };
    html! {
        <span class="person">
            { avatar(&words) }
            <span class="person-words">
                <span class="person-name"><bdi>{ printable(&words).into_owned() }</bdi>
                    if let Some(name) = name { { looks_like(page, name) } }
                    if !note.is_empty() { <span class="tag">{ note }</span> }
                </span>
                <span class="person-address">{ below }</span>
            </span>
        </span>
    }
}
