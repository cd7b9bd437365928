//! The button that asks who is online now.

use p2pchat_model::Command;
use yew::prelude::*;

use crate::context::Context;

use super::icon::{Glyph, icon};

/// The button that asks the registry who is online now.
pub fn refresh_button(context: &Context) -> Html {
    let turning = context
        .state
        .waits_for(&["refresh", "search"])
        .then_some("turning");
    let send = context.send.clone();
    let onclick = move |_| send.emit(Command::Refresh);
    html! {
        <button type="button" class={classes!("icon-button", turning)} {onclick}
            disabled={!context.state.is_live()} aria-label="Refresh who is online" title="Refresh">
            { icon(Glyph::Refresh) }
        </button>
    }
}
