//! What somebody said, as text with links.

use p2pchat_model::printable;
use yew::prelude::*;

use crate::logic::links::{Piece, only_emoji, pieces};

/// A text with its links, as it came. It is text whatever it holds: nothing in it becomes
/// markup.
pub fn rich_text(text: &str) -> Html {
    let text = printable(text);
    let class = match only_emoji(&text) {
        true => "text text-emoji",
        false => "text",
    };
    html! {
        <span {class} dir="auto">
            { for pieces(&text).into_iter().map(|piece| match piece {
                Piece::Text(text) => html! { { text } },
                Piece::Link(link) => html! {
                    <a href={link.to_owned()} target="_blank" rel="noopener noreferrer nofollow">{ link }</a>
                },
            }) }
        </span>
    }
}
