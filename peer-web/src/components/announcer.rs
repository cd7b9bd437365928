//! What screen readers announce of the conversation.

use p2pchat_model::{Line, printable, wording};
use yew::prelude::*;

/// An invisible place for the newest line, which screen readers announce. The conversation
/// itself cannot be announced: its rows come and go while the user scrolls.
pub fn announcer(line: Option<&Line>) -> Html {
    let words = match line {
        Some(Line::Message(message)) => format!("{}: {}", message.from, message.text),
        Some(Line::Post(post)) => format!("{}: {}", post.from, wording::chat::text(post)),
        Some(Line::Notice { text, .. }) => text.clone(),
        None => String::new(),
    };
    html! { <div class="unseen" role="status" aria-live="polite">{ printable(&words).into_owned() }</div> }
}
