//! What screen readers say by themselves.

use p2pchat_model::{Line, printable};
use yew::prelude::*;

use crate::app::use_talk;

/// An invisible place where the newest line stands. The conversation itself cannot be
/// live: rows come and go there as one scrolls.
#[component]
pub fn Live() -> Html {
    let words = match &use_talk().spoken {
        Some(Line::Message(message)) => format!("{}: {}", message.from, message.text),
        Some(Line::Notice { text, .. }) => text.clone(),
        None => String::new(),
    };
    html! { <div class="unseen" role="status" aria-live="polite">{ printable(&words).into_owned() }</div> }
}
