//! What screen readers announce of the conversation.

use p2pchat_model::{Line, printable};
use yew::prelude::*;

/// What an [`Announcer`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The newest line.
    pub line: Option<Line>,
}

/// An invisible place for the newest line, which screen readers announce. The conversation
/// itself cannot be announced: its rows come and go while the user scrolls.
#[component]
pub fn Announcer(props: &Props) -> Html {
    let words = match &props.line {
        Some(Line::Message(message)) => format!("{}: {}", message.from, message.text),
        Some(Line::Notice { text, .. }) => text.clone(),
        None => String::new(),
    };
    html! { <div class="unseen" role="status" aria-live="polite">{ printable(&words).into_owned() }</div> }
}
