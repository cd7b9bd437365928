//! Requests: the one that waits for the user, those of the user, and what became of others.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{
    Command, ConversationId, Failure, IncomingRequest, OutgoingRequest, Target, printable,
};
use yew::prelude::*;

use crate::context::Context;
use crate::logic::sentence::{capitalized, sentence_of};
use crate::part;
use crate::state::{Action, Note};

use super::buttons::{close_button, small_button};
use super::countdown::use_countdown;
use super::icon::{Glyph, icon};
use super::incoming::{self, use_incoming};

/// How many requests of the user are shown one by one.
const MOST_SENT: usize = 3;

/// All requests, between the conversation and the message field. They take neither the focus
/// nor the place of anything that is being clicked. `beside_people` is whether it belongs to the
/// pane with the people, which shows it where there is no other.
pub fn requests(context: &Context, beside_people: bool) -> Html {
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    let (shown, more) = view.outgoing.split_at(view.outgoing.len().min(MOST_SENT));
    html! {
        <div class={classes!("requests", beside_people.then_some("narrow"))}>
            { context.state.open_question().map(|(failure, command)| open_question(context, failure, command)) }
            { for context.state.notes.iter().map(|note| self::note(context, note)) }
            { for shown.iter().map(|request| sent(context, request)) }
            if !more.is_empty() { <p class="request-row">{ format!("Waiting for {} more people", more.len()) }</p> }
            if let Some(request) = &view.incoming {
                { incoming(request) }
            }
        </div>
    }
}

/// That someone has an encrypted p2pchat, before they are in the open chat all the same.
fn open_question(context: &Context, failure: &Failure, command: &Command) -> Html {
    let onallow = {
        let (send, command) = (context.send.clone(), command.clone());
        let names = failure.names.clone();
        Callback::from(move |_| {
            let names = names.clone();
            send.emit(Command::AllowOpen { names });
            send.emit(command.clone());
        })
    };
    let oncancel = {
        let dispatch = context.dispatch.clone();
        Callback::from(move |_| dispatch.dispatch(Action::NotOpen))
    };
    html! {
        <div key="open" class="request-row warns" role="group">
            { icon(Glyph::Warning) }
            <span class="request-words" role="alert">{ printable(&failure.message).into_owned() }</span>
            { small_button(label::CANCEL, oncancel, false) }
            { small_button(wording::chat::ALLOW_OPEN, onallow, !context.state.is_live()) }
        </div>
    }
}

fn incoming(request: &IncomingRequest) -> Html {
    let key = format!("{} {}", request.from.address, request.at.0);
    let request = request.clone();
    part!(use_incoming, incoming::Props { request }, key)
}

fn sent(context: &Context, request: &OutgoingRequest) -> Html {
    let (conversation, to) = (request.conversation, request.to.address);
    let send = context.send.clone();
    let oncancel = Callback::from(move |_| send.emit(Command::Cancel { conversation, to }));
    let name = printable(&request.to.to_string()).into_owned();
    html! {
        <div key={format!("sent {to}")} class="request-row" role="group" aria-label={format!("Request to {name}")}>
            { icon(Glyph::Sending) }
            <span class="request-words">{ capitalized(&printable(&wording::waiting_for(request.to))) }</span>
            { part!(use_countdown, super::countdown::Props { until: request.expires }) }
            { small_button(label::CANCEL_REQUEST, oncancel, !context.state.is_live()) }
        </div>
    }
}

fn note(context: &Context, note: &Note) -> Html {
    let address = note.who.address;
    let onask = {
        let send = context.send.clone();
        let (conversation, to) = (ConversationId::OPEN, Target::Address(address));
        Callback::from(move |_| send.emit(Command::Request { conversation, to }))
    };
    let ondismiss = {
        let dispatch = context.dispatch.clone();
        Callback::from(move |_| dispatch.dispatch(Action::Dismissed(address)))
    };
    let name = printable(&note.who.to_string()).into_owned();
    html! {
        <div key={format!("note {address}")} class="request-row" role="group" aria-label={format!("Request: {name}")}>
            { icon(Glyph::Request) }
            <span class="request-words">{ sentence_of(&name, &printable(&note.words)) }</span>
            if let Some(words) = note.ask { { small_button(words, onask, !context.state.is_live()) } }
            { close_button("Dismiss", ondismiss) }
        </div>
    }
}
