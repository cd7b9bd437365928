//! The text of a message, with links and code.

use p2pchat_model::wording::chat;
use p2pchat_model::{Username, mentions, printable};
use yew::prelude::*;

use crate::logic::links::{Piece, only_emoji, pieces};

use super::copy_button::copy_button;

/// A text with its links and code, and with where it mentions the user. It is text whatever it holds:
/// nothing in it becomes markup. Each line has the direction of its own first letter (by the style
/// sheet), and a link that of addresses.
pub fn rich_text(text: &str, me: Option<Username>) -> Html {
    let text = printable(text);
    let emoji = only_emoji(&text).then_some("emoji-only");
    html! {
        <span class={classes!("text", emoji)}>
            { for pieces(&text).into_iter().map(|piece| match piece {
                Piece::Text(text) => marked(mentioned(text, me)),
                Piece::Code(code) => html! { <code>{ code }</code> },
                Piece::Block(code) => block(code),
                Piece::Link(link) => html! {
                    <a href={link.to_owned()} dir="ltr" target="_blank" rel="noopener noreferrer nofollow">{ link }</a>
                },
            }) }
        </span>
    }
}

/// A text in parts, each with whether it mentions the user.
fn mentioned(text: &str, me: Option<Username>) -> Vec<(bool, &str)> {
    let mut rest = 0;
    let mut parts = Vec::new();
    for mention in me.into_iter().flat_map(|me| mentions(text, me)) {
        parts.push((false, &text[rest..mention.start]));
        rest = mention.end;
        parts.push((true, &text[mention]));
    }
    parts.push((false, &text[rest..]));
    parts
}

/// A text in parts, each with whether it is marked.
pub fn marked(parts: Vec<(bool, &str)>) -> Html {
    let part = |(is_marked, part): (bool, &str)| {
        let part = part.to_owned();
        if is_marked {
            html! { <mark>{ part }</mark> }
        } else {
            html! { { part } }
        }
    };
    parts.into_iter().map(part).collect()
}

/// Several lines of code, with what copies them.
fn block(code: &str) -> Html {
    html! {
        <span class="code-block">
            <code class="block">{ code }</code>
            { copy_button(chat::COPY_CODE, code.to_owned()) }
        </span>
    }
}
