//! What stands above the oldest line of the conversation.

use yew::prelude::*;

/// What a [`ConversationTop`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Whether the history has older messages.
    pub more: bool,
    /// Whether a page of them is still to come.
    pub waits: bool,
    /// Whether there are no messages.
    pub empty: bool,
}

/// What stands above the oldest line.
#[component]
pub fn ConversationTop(props: &Props) -> Html {
    let line = |words| html! { <p class="lines-top">{ words }</p> };
    if props.waits {
        line("Loading earlier messages…")
    } else if props.more {
        line("Scroll up for earlier messages")
    } else if props.empty {
        html! {
            <div class="lines-empty">
                <h2>{ "No messages yet" }</h2>
                <p>{ "Messages are kept by the computers of those in the chat, and nowhere else." }</p>
            </div>
        }
    } else {
        line("This is the beginning of the conversation")
    }
}
