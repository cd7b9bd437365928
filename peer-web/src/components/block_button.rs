//! The button that blocks somebody.

use p2pchat_model::{Command, Target, printable};
use yew::prelude::*;

use crate::app::Context;

use super::icon::{Glyph, icon};

/// The button that blocks somebody, by this name, at once: the list of who is blocked takes
/// it back. Not there for somebody who is blocked.
pub fn block_button(context: &Context, who: Target, name: &str) -> Html {
    let view = context.state.view.as_ref();
    if view.is_none_or(|view| view.get().blocked.contains(&who)) {
        return html! {};
    }
    let onclick = {
        let send = context.send.clone();
        move |_| send.emit(Command::Block { who })
    };
    let label = printable(&format!("Block {name}")).into_owned();
    html! {
        <button type="button" class="icon-button block" {onclick} disabled={!context.state.is_live()}
            aria-label={label.clone()} title={label}>{ icon(Glyph::Block) }</button>
    }
}
