//! The button that blocks a person.

use p2pchat_model::wording::label;
use p2pchat_model::{Command, Target, printable};
use yew::prelude::*;

use crate::context::use_app;

use super::icon::{Glyph, Icon};

/// What a [`BlockButton`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Who is blocked.
    pub target: Target,
    /// Their name, for the label.
    pub name: String,
}

/// The button that blocks a person at once; the list of blocked people takes it back. Absent
/// for a person who is blocked.
#[component]
pub fn BlockButton(props: &Props) -> Html {
    let context = use_app();
    let who = props.target;
    let view = context.state.view.as_ref();
    if view.is_none_or(|view| view.get().blocked.contains(&who)) {
        return html! {};
    }
    let send = context.send.clone();
    let onclick = move |_| send.emit(Command::Block { who });
    let label = printable(&format!("{} {}", label::BLOCK, props.name)).into_owned();
    html! {
        <button type="button" class="icon-button block" {onclick} disabled={!context.state.is_live()}
            aria-label={label.clone()} title={label}><Icon glyph={Glyph::Block} /></button>
    }
}
