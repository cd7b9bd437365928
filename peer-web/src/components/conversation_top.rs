//! What stands above the oldest line of the conversation.

use p2pchat_model::ConversationId;
use p2pchat_model::wording::{chat, first};
use yew::prelude::*;

use super::buttons::small_button;
use super::invitation::invitation;
use crate::state::{Action, State};

/// What stands above the oldest line of all, with the chat that was there before this one.
pub fn earlier_chat(
    earlier: Option<ConversationId>,
    dispatch: &UseReducerDispatcher<State>,
) -> Html {
    let Some(earlier) = earlier else {
        return html! {};
    };
    let dispatch = dispatch.clone();
    let onclick = Callback::from(move |_| dispatch.dispatch(Action::Show(earlier)));
    html! { <p class="lines-top">{ chat::EARLIER_CHAT }{ " " }{ small_button("Show", onclick, false) }</p> }
}

/// What stands above the oldest line: whether the history has `more` messages, `waits` for a
/// page of them, or is `empty`; where there is no chat at all, with what to send to others.
pub fn conversation_top(more: bool, waits: bool, empty: bool, invite: Option<String>) -> Html {
    let line = |words| html! { <p class="lines-top">{ words }</p> };
    if waits {
        line("Loading earlier messages…")
    } else if more {
        line("Scroll up for earlier messages")
    } else if let Some(text) = invite.filter(|_| empty) {
        html! {
            <div class="lines-empty">
                <h2>{ first::NO_CHATS }</h2>
                { invitation(text) }
            </div>
        }
    } else if empty {
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
