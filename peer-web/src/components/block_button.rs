//! The button that blocks somebody.

use p2pchat_model::{Command, Target, printable};
use yew::prelude::*;

use crate::app::use_page;

use super::icon::{Glyph, Icon};

/// What a [`BlockButton`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Whom to block.
    pub who: Target,
    /// What he is called where the button is.
    pub name: AttrValue,
}

/// The button that blocks somebody at once: the list of who is blocked takes it back. Not
/// there for somebody who is blocked.
#[component]
pub fn BlockButton(props: &Props) -> Html {
    let context = use_page();
    let who = props.who;
    let view = context.state.view.as_ref();
    if view.is_none_or(|view| view.get().blocked.contains(&who)) {
        return html! {};
    }
    let onclick = {
        let send = context.send.clone();
        move |_| send.emit(Command::Block { who })
    };
    let label = printable(&format!("Block {}", props.name)).into_owned();
    html! {
        <button type="button" class="icon-button block" {onclick} disabled={!context.state.is_live()}
            aria-label={label.clone()} title={label}><Icon glyph={Glyph::Block} /></button>
    }
}
