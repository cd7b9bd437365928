//! How the user is shown to others, and the choice of it.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, Status};
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::context::use_app;
use crate::logic::sentence::capitalized;

use super::icon::{Glyph, icon};

const ALL: [Status; 3] = [Status::Available, Status::Busy, Status::Away];

/// The icon of a status.
#[must_use]
pub fn glyph(status: Status) -> Glyph {
    match status {
        Status::Available => Glyph::Available,
        Status::Busy => Glyph::Busy,
        Status::Away => Glyph::Away,
    }
}

/// The choice of the status: the one that the user has is shown.
#[hook]
pub fn use_status_choice() -> Html {
    let context = use_app();
    let node = use_node_ref();
    let view = context.state.view.as_ref();
    let shown = view.and_then(|view| view.get().status());
    let status = shown.unwrap_or_default();
    {
        let node = node.clone();
        // Each time: what the user has picked is not so before the peer says it.
        use_effect(move || {
            let at = ALL.iter().position(|one| *one == status);
            if let (Some(select), Some(at)) = (node.cast::<HtmlSelectElement>(), at) {
                select.set_selected_index(i32::try_from(at).unwrap_or_default());
            }
        });
    }
    let send = context.send.clone();
    let onchange = move |event: Event| {
        let select = event.target_dyn_into::<HtmlSelectElement>();
        let at = select.and_then(|select| usize::try_from(select.selected_index()).ok());
        if let Some(picked) = at.and_then(|at| ALL.get(at)) {
            choose(&send, status, *picked);
        }
    };
    let class = match status {
        Status::Available => "",
        Status::Busy => "busy",
        Status::Away => "away",
    };
    if shown.is_none() {
        let words = view.map_or(label::NOT_SIGNED_IN, |view| {
            wording::own_status(&view.get())
        });
        return html! {
            <span class="status-choice off">{ icon(Glyph::Stop) }{ words }</span>
        };
    }
    let hint = (status == Status::Busy).then(|| capitalized(label::BUSY_ON));
    html! {
        <label class={classes!("status-choice", class)} title={hint}>
            { icon(glyph(status)) }
            <span class="unseen">{ label::STATUS }</span>
            <select ref={node} {onchange} disabled={!context.state.is_live()}>
                { for ALL.iter().map(|one| html! { <option selected={*one == status}>{ wording::status(*one) }</option> }) }
            </select>
        </label>
    }
}

/// Sets the two switches that the status follows from.
fn choose(send: &Callback<Command>, before: Status, picked: Status) {
    let is_busy = picked == Status::Busy;
    if is_busy != (before == Status::Busy) {
        send.emit(Command::Busy { on: is_busy });
    }
    if !is_busy {
        let on = picked == Status::Away;
        send.emit(Command::Away { on });
    }
}
