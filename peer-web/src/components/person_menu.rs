//! The menu of a person.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, ConversationId, Target, User, Username};
use yew::prelude::*;

use crate::context::use_app;

use super::chats::compare;
use super::row_menu::{MenuItem, row_menu};

/// What a [`use_person_menu`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// Who is blocked by it, or unblocked.
    pub target: Target,
    /// Their name.
    pub name: String,
    /// The user to compare codes with.
    pub compares: Option<Username>,
    /// Who is asked into the open chat by it.
    pub asks: Option<Target>,
    /// Whether Tab leads to the button. Not in a list where arrows lead from row to row.
    pub tab_stop: bool,
}

impl Props {
    /// The menu to block someone of this name, or to unblock them, in a list.
    #[must_use]
    pub fn of(target: Target, name: String) -> Self {
        Self {
            target,
            name,
            compares: None,
            asks: None,
            tab_stop: false,
        }
    }
}

/// The menu of a person: to block them, or to unblock them.
#[hook]
pub fn use_person_menu(props: &Props) -> Html {
    let context = use_app();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let who = props.target;
    let sends = |command: Command| {
        let send = context.send.clone();
        Callback::from(move |()| send.emit(command.clone()))
    };
    let ask = props.asks.map(|to| {
        let conversation = ConversationId::OPEN;
        let request = Command::Request { conversation, to };
        MenuItem::new(wording::chat::ASK_INTO_OPEN_CHAT, sends(request))
    });
    let own = if view.get().blocked.contains(&who) {
        unblock(&props.name, sends(Command::Unblock { who }))
    } else {
        block(&props.name, sends(Command::Block { who }))
    };
    let compare = props.compares.map(|name| compare(&context, name));
    let items: Vec<MenuItem> = compare.into_iter().chain(ask).chain([own]).collect();
    let disabled = !context.state.is_live();
    row_menu(props.name.clone(), items, disabled, props.tab_stop)
}

/// The name of a user to compare codes with: older programs have no key.
pub(super) fn to_compare(user: User) -> Option<Username> {
    (!user.legacy).then_some(user.name)
}

/// To block a user.
pub(super) fn block(name: &str, onpick: Callback<()>) -> MenuItem {
    MenuItem::new(label::BLOCK_ASK, onpick).asks(wording::block_question(name), label::BLOCK)
}

fn unblock(name: &str, onpick: Callback<()>) -> MenuItem {
    MenuItem::new(format!("{}…", label::UNBLOCK), onpick).asks(
        format!("Unblock {name}? {name} can write to you again and invite you to a chat."),
        label::UNBLOCK,
    )
}
