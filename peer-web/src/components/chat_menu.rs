//! The menu of the chat.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, Person};
use yew::prelude::*;

use crate::context::use_app;

use super::row_menu::{MenuItem, Question, RowMenu};

/// The menu of the chat: to leave it. Nothing where there is no one to leave.
#[component]
pub fn ChatMenu() -> Html {
    let context = use_app();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    if view.is_alone() {
        return html! {};
    }
    let everyone: Vec<Person> = view
        .members
        .iter()
        .chain(&view.out_of_reach)
        .copied()
        .collect();
    let names = wording::names(&everyone);
    let send = context.send.clone();
    let leave = MenuItem {
        label: format!("{}…", label::LEAVE).into(),
        question: Some(Question {
            words: format!(
                "Leave the chat with {names}? You get nothing more of what is written there."
            )
            .into(),
            yes: label::LEAVE,
        }),
        onpick: Callback::from(move |()| send.emit(Command::Leave)),
    };
    html! { <RowMenu about="this chat" items={vec![leave]} disabled={!context.state.is_live()} /> }
}
