//! A person in a list.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{PeerAddr, Status, User, Username, printable};
use yew::prelude::*;

use crate::part;

use super::avatar::avatar;
use super::icon::icon;
use super::lookalike_tag::use_lookalike_tag;
use super::status_choice::glyph;
use super::trust_mark::trust_mark;

/// A person by name, else by address: sign and name, a word behind the name, and something below
/// it.
pub fn person_name(
    name: Option<Username>,
    address: Option<PeerAddr>,
    note: Option<&'static str>,
    below: Html,
) -> Html {
    let words = match (name, address) {
        (Some(name), _) => name.to_string(),
        (None, Some(address)) => format!("{} ({address})", label::UNKNOWN_PERSON),
        (None, None) => label::UNKNOWN_PERSON.to_owned(),
    };
    html! {
        <span class="person">
            { avatar(&words) }
            <span class="person-words">
                <span class="person-name"><bdi>{ printable(&words).into_owned() }</bdi>
                    if let Some(name) = name { { part!(use_lookalike_tag, super::lookalike_tag::Props { name }) } }
                    if let Some(note) = note { <span class="tag">{ note }</span> }
                </span>
                <span class="person-more">{ below }</span>
            </span>
        </span>
    }
}

/// What else is known of a user who is online, for the line below their name: what they call
/// themselves, how well their key is known, whether they can be talked to, and whether their
/// program is an older one.
pub fn about(user: &User) -> Html {
    let User {
        display_name,
        status,
        legacy,
        trust,
        ..
    } = user;
    html! {
        <>
            { trust.map(trust_mark) }
            if *status != Status::Available {
                <span class="mark">{ icon(glyph(*status)) }{ wording::status(*status) }</span>
            }
            if *legacy { <span class="mark">{ label::OLDER_PROGRAM }</span> }
            if !display_name.is_empty() { <bdi>{ printable(display_name.as_str()).into_owned() }</bdi> }
        </>
    }
}
