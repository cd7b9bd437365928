//! That someone has another key than before, and what to do about it.

use p2pchat_model::wording::{chat as words, label};
use p2pchat_model::{Command, ConversationId, Named, printable};
use yew::prelude::*;

use crate::context::{use_app, use_conversation};
use crate::logic::sentence::failed;
use crate::state::{Action, Sheet};

use super::icon::{Glyph, icon};

/// What a [`use_key_line`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// Who has it.
    pub who: Named,
    /// The line.
    pub words: String,
    /// The conversation of two that goes on under the new key, if the user accepts it.
    pub accepts: Option<ConversationId>,
    /// Whether codes were compared: then it is asked before another code is accepted.
    pub was_verified: bool,
}

/// The line, with a button to compare codes and one to accept the new code as it is.
#[hook]
pub fn use_key_line(props: &Props) -> Html {
    let context = use_app();
    let conversation = use_conversation();
    let asks = use_state_eq(|| false);
    let state = &context.state;
    let button = |class: &'static str, words: &'static str, onclick: Callback<MouseEvent>| {
        html! { <button type="button" class={classes!("button", "small", class)} {onclick} disabled={!state.is_live()}>{ words }</button> }
    };
    let compare = props.who.name.map(|name| {
        let dispatch = context.dispatch.clone();
        let sheet = Some(Sheet::Codes(name));
        let onclick = Callback::from(move |_| dispatch.dispatch(Action::Open(sheet)));
        button("", label::COMPARE_CODES, onclick)
    });
    let although_verified = props.was_verified;
    let accept = props.accepts.map(|conversation| {
        if although_verified && !*asks {
            let asks = asks.setter();
            return button(
                "",
                words::ACCEPT_KEY_ASKS,
                Callback::from(move |_| asks.set(true)),
            );
        }
        let send = context.send.clone();
        let onclick = Callback::from(move |_| {
            send.emit(Command::AcceptKey {
                conversation,
                although_verified,
            });
        });
        if although_verified {
            // The second click of two lands on the first of them.
            let asks = asks.setter();
            let cancel = button("", label::CANCEL, Callback::from(move |_| asks.set(false)));
            html! { <>{ cancel }{ button("danger", words::ACCEPT_KEY, onclick) }</> }
        } else {
            button("", words::SEND_ANYWAY, onclick)
        }
    });
    let stops = although_verified && props.accepts.is_some();
    let (glyph, class) = if stops {
        (Glyph::Stop, "stops")
    } else {
        (Glyph::Warning, "warns")
    };
    let words = match state.failure("accept_key") {
        Some(failure) => failed(failure),
        None if *asks => printable(&words::accept_key_question(props.who)).into_owned(),
        None => printable(&props.words).into_owned(),
    };
    // It changes with each message.
    let held = conversation.view.as_ref().and_then(|view| {
        let shown = view.chat();
        words::held_back(&shown.lines, shown.chat.as_ref()?)
    });
    html! {
        <div class="requests">
            <div class={classes!("request-row", class)} role="group">
                { icon(glyph) }<span class="request-words" role="status">{ words }{ held.map(|held| format!(" {held}")) }</span>{ compare }{ accept }
            </div>
        </div>
    }
}
