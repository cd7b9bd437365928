//! The offer to take back a leave or a block.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, Timestamp, Undo, Undoable, printable};
use yew::prelude::*;

use crate::browser::hooks::use_now;
use crate::context::{Context, use_app};
use crate::logic::sentence::sentence;
use crate::part;

use super::buttons::small_button;

/// The offer to take back the last leave or block, as long as that is possible. It lies over
/// the page, so that nothing moves under the pointer.
pub fn undo_bar(context: &Context) -> Html {
    let undo = context.state.view.as_ref().and_then(|view| view.get().undo);
    html! {
        // Always there: a screen reader announces what changes in it.
        <div class="undo-place" role="status">
            if let Some(undo) = undo { { part!(use_offer, Props { undo }, undo.until.0) } }
        </div>
    }
}

/// What an [`use_offer`] needs.
#[derive(PartialEq)]
struct Props {
    undo: Undo,
}

#[hook]
fn use_offer(props: &Props) -> Html {
    let context = use_app();
    let now = use_now(250);
    let Undo { what, until } = props.undo;
    let left = seconds(now, until);
    if left == 0 {
        return html! {};
    }
    let words = wording::can_be_undone(what);
    let words = match what {
        Undoable::Left(_) => sentence(&words),
        Undoable::Blocked(_) => format!("{}.", printable(&words)),
    };
    let send = context.send.clone();
    let onclick = Callback::from(move |_| send.emit(Command::Undo));
    html! {
        <div class="undo-bar">
            <span class="request-words">{ words }</span>
            { small_button(label::UNDO, onclick, !context.state.is_live()) }
            <span class="countdown" aria-hidden="true">{ left }{ "\u{a0}s" }</span>
        </div>
    }
}

/// The seconds that are left: no more than there are at all, even if the clock of the bridge
/// goes ahead of this one.
fn seconds(now: Timestamp, until: Timestamp) -> u64 {
    now.seconds_until(until).min(Undo::LIMIT.as_secs())
}
