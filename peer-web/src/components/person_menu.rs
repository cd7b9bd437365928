//! The menu of a person.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, Target, User, Username};
use yew::prelude::*;

use crate::context::use_app;
use crate::state::{Action, Sheet};

use super::row_menu::{MenuItem, Question, RowMenu};

/// What a [`PersonMenu`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Who is blocked by it, or unblocked.
    pub target: Target,
    /// Their name.
    pub name: String,
    /// What else can be done; it stands first.
    #[prop_or_default]
    pub items: Vec<MenuItem>,
    /// The user to compare codes with.
    #[prop_or_default]
    pub compares: Option<Username>,
    /// Whether Tab leads to the button. Not in a list where arrows lead from row to row.
    #[prop_or(true)]
    pub tab_stop: bool,
}

/// The menu of a person: to block them, or to unblock them.
#[component]
pub fn PersonMenu(props: &Props) -> Html {
    let context = use_app();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let who = props.target;
    let send = context.send.clone();
    let own = if view.get().blocked.contains(&who) {
        let onpick = Callback::from(move |()| send.emit(Command::Unblock { who }));
        unblock(&props.name, onpick)
    } else {
        let onpick = Callback::from(move |()| send.emit(Command::Block { who }));
        block(&props.name, onpick)
    };
    let compare = props.compares.map(|name| {
        let dispatch = context.dispatch.clone();
        let sheet = Some(Sheet::Codes(name));
        MenuItem {
            label: label::COMPARE_CODES.into(),
            question: None,
            onpick: Callback::from(move |()| dispatch.dispatch(Action::Open(sheet))),
        }
    });
    let items = props.items.iter().cloned().chain(compare).chain([own]);
    let items: Vec<MenuItem> = items.collect();
    html! {
        <RowMenu about={props.name.clone()} {items} disabled={!context.state.is_live()} tab_stop={props.tab_stop} />
    }
}

/// The name of a user to compare codes with: older programs have no key.
pub(super) fn to_compare(user: User) -> Option<Username> {
    (!user.legacy).then_some(user.name)
}

/// To block a user.
pub(super) fn block(name: &str, onpick: Callback<()>) -> MenuItem {
    MenuItem {
        label: label::BLOCK_ASK.into(),
        question: Some(Question {
            words: wording::block_question(name).into(),
            yes: label::BLOCK,
        }),
        onpick,
    }
}

fn unblock(name: &str, onpick: Callback<()>) -> MenuItem {
    MenuItem {
        label: format!("{}…", label::UNBLOCK).into(),
        question: Some(Question {
            words: format!(
                "Unblock {name}? {name} can write to you again and invite you to a chat."
            )
            .into(),
            yes: label::UNBLOCK,
        }),
        onpick,
    }
}
