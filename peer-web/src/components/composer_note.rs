//! The line below the message field.

use p2pchat_model::wording::{self, chat::has_declined};
use p2pchat_model::{ConversationId, printable};
use yew::prelude::*;

use crate::browser::hooks::use_after;
use crate::context::{Context, use_conversation};
use crate::logic::outgoing::{self, CannotSend};
use crate::logic::sentence::failed;
use crate::part;

/// How long the bridge may usually take for a text, in milliseconds.
const USUAL: u32 = 1_000;

/// Why a text was not sent; else that the other one has declined, or its length, once that matters.
/// `problem` is why the text in the field cannot be sent, and `tried` whether the user has tried to
/// send it as it is.
pub fn composer_note(
    context: &Context,
    text: &str,
    problem: Option<CannotSend>,
    tried: bool,
) -> Html {
    let mut failures = ["say", "edit", "delete", "react", "join"].into_iter();
    let failure = failures.find_map(|command| context.state.failure(command));
    let problem = match problem {
        Some(problem @ (CannotSend::Nul | CannotSend::TooLong(_))) => Some(problem.to_string()),
        Some(problem) if tried => Some(problem.to_string()),
        _ => failure.map(failed),
    };
    let has_problem = problem.is_some();
    html! {
        <p id="composer-note" class="composer-note">
            // Always there: a screen reader announces what changes in it.
            <span class="bad" role="status" aria-live="polite">{ problem.unwrap_or_default() }</span>
            if !has_problem { { part!(use_sending, SendingProps { children: note(context, text) }) } }
        </p>
    }
}

fn note(context: &Context, text: &str) -> Html {
    let view = context.state.view.as_ref();
    let declined = view.and_then(|view| view.chat().chat.as_ref()?.declined());
    if let Some(who) = declined {
        return html! { <span>{ printable(&has_declined(who)).into_owned() }</span> };
    }
    let is_open = context.state.shown() == ConversationId::OPEN;
    // Of what is no text to send, the length does not matter.
    let text = outgoing::text(text).ok().filter(|_| is_open);
    let length = text.and_then(|text| wording::length(&text));
    html! { <span>{ length }</span> }
}

/// What a [`use_sending`] needs.
#[derive(PartialEq)]
struct SendingProps {
    children: Html,
}

/// Says that a text is still on its way to the bridge, once that takes longer than usual; else
/// something else. A part of its own, because it is rendered with each message.
#[hook]
fn use_sending(props: &SendingProps) -> Html {
    let conversation = use_conversation();
    match conversation.unanswered().next() {
        Some(sent) => {
            let children = props.children.clone();
            part!(use_late, SendingProps { children }, sent.id)
        }
        None => props.children.clone(),
    }
}

#[hook]
fn use_late(props: &SendingProps) -> Html {
    if use_after(USUAL) {
        html! { <span>{ "Sending… Your bridge has not answered yet." }</span> }
    } else {
        props.children.clone()
    }
}
