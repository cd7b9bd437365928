//! The menu of the chat.

use p2pchat_model::Command;
use p2pchat_model::wording::label;
use yew::prelude::*;

use crate::context::use_app;
use crate::state::State;

use super::row_menu::{MenuItem, Question, RowMenu};

/// The menu of the chat: to leave it. Nothing where there is no one to leave.
#[component]
pub fn ChatMenu() -> Html {
    let context = use_app();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    if view.chat().is_alone() {
        return html! {};
    }
    let conversation = State::SHOWN;
    let send = context.send.clone();
    let leave = MenuItem {
        label: label::LEAVE_ASK.into(),
        question: Some(Question {
            words: label::LEAVE_QUESTION.into(),
            yes: label::LEAVE,
        }),
        onpick: Callback::from(move |()| send.emit(Command::Leave { conversation })),
    };
    html! { <RowMenu about="this chat" items={vec![leave]} disabled={!context.state.is_live()} /> }
}
