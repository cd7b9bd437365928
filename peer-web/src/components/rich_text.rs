//! What somebody said, as text with links.

use p2pchat_model::printable;
use yew::prelude::*;

use crate::logic::links::{Piece, only_emoji, pieces};

/// A text with its links, as it came. It is text whatever it holds: nothing in it becomes
/// markup.
pub fn rich_text(text: &str) -> Html {
    let text = printable(text);
    html! {
        <span class="text" data-is={only_emoji(&text).then_some("emoji")} dir="auto">
            { for pieces(&text).into_iter().map(|piece| match piece {
                Piece::Text(text) => html! { { text } },
                Piece::Link(link) => html! {
                    <a href={link.to_owned()} target="_blank" rel="noopener noreferrer nofollow">{ link }</a>
                },
            }) }
        </span>
    }
}
