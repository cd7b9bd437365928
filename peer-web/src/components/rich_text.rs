//! The text of a message, with links and code.

use p2pchat_model::printable;
use p2pchat_model::wording::chat;
use yew::prelude::*;

use crate::browser::page;
use crate::logic::links::{Piece, only_emoji, pieces};

/// A text with its links and code. It is text whatever it holds: nothing in it becomes markup. Each line
/// has the direction of its own first letter (by the style sheet), and a link that of addresses.
pub fn rich_text(text: &str) -> Html {
    let text = printable(text);
    let emoji = only_emoji(&text).then_some("emoji-only");
    html! {
        <span class={classes!("text", emoji)}>
            { for pieces(&text).into_iter().map(|piece| match piece {
                Piece::Text(text) => html! { { text } },
                Piece::Code(code) => html! { <code>{ code }</code> },
                Piece::Block(code) => block(code),
                Piece::Link(link) => html! {
                    <a href={link.to_owned()} dir="ltr" target="_blank" rel="noopener noreferrer nofollow">{ link }</a>
                },
            }) }
        </span>
    }
}

/// Several lines of code, with what copies them.
fn block(code: &str) -> Html {
    let text = code.to_owned();
    let onclick = move |_: MouseEvent| page::copy(&text);
    html! {
        <span class="code-block">
            <code class="block">{ code }</code>
            <button type="button" class="button small" aria-label={chat::COPY_CODE} {onclick}>{ "Copy" }</button>
        </span>
    }
}
