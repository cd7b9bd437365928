//! What moves the user through the conversation besides scrolling: older pages come when they
//! are near the top, a jump leads to a message, and their own messages lead to the end.

use std::rc::Rc;

use p2pchat_model::{Command, MessageId, View};
use yew::prelude::*;

use crate::browser::effect::use_effect_on;
use crate::context::Context;
use crate::logic::rows::Key;
use crate::logic::said::said;
use crate::logic::window::{OVERSCAN, Place};
use crate::state::{Action, Conversation, ViewHandle};

use super::scroll::Scroll;

/// Where a message that was jumped to stands, in CSS pixels below the top.
const JUMP_OFFSET: f64 = 120.0;

/// Asks for the page before the oldest message when the oldest row is drawn. Once, as long as
/// the user drags the bar: it stays at the top whatever is loaded, and one page after the other
/// would come.
#[hook]
pub(super) fn use_paging(
    context: &Context,
    conversation: &Conversation,
    scroll: &Scroll,
    above: f64,
) {
    let rows = conversation.view.as_ref().map(|view| view.rows());
    let ready = {
        let layout = scroll.layout.borrow();
        let is_short = rows.is_none_or(|rows| rows.total() < layout.in_sight + OVERSCAN);
        layout.in_sight > 0.0 && (is_short || !layout.holds)
    };
    let wanted = ready && above <= 0.0 && may_ask(context, conversation);
    let send = context.send.clone();
    let view = conversation.view.clone();
    let rows = view.as_ref().map(|view| view.rows().len());
    let layout = scroll.layout.clone();
    use_effect_on((wanted, rows), move |(wanted, _)| {
        if let (true, Some(view)) = (*wanted, view) {
            layout.borrow_mut().holds = true;
            ask(&view, &send);
        }
    });
}

fn ask(view: &ViewHandle, send: &Callback<Command>) {
    let (conversation, before) = (view.id(), view.chat().oldest_message());
    send.emit(Command::History {
        conversation,
        before,
    });
}

fn may_ask(context: &Context, conversation: &Conversation) -> bool {
    context.state.is_live()
        && !conversation.awaits_history()
        && context.state.failure("history").is_none()
        && conversation.view.as_ref().is_some_and(|view| {
            let chat = view.chat();
            let has_more = chat.more_history && chat.lines.len() < View::MAX_LINES;
            has_more && view.get().account.is_some()
        })
}

/// Scrolls to the message of a jump; asks for older pages until it is there.
#[hook]
pub(super) fn use_jump(context: &Context, conversation: &Rc<Conversation>, scroll: &Scroll) {
    let (context, scroll) = (context.clone(), scroll.clone());
    use_effect_on(conversation.clone(), move |conversation| {
        let (Some(id), Some(view)) = (conversation.jump, &conversation.view) else {
            return;
        };
        let key = Key::Message(id);
        let at = view.rows().iter().position(|row| row.shown.key == key);
        if let Some(at) = at {
            let offset = JUMP_OFFSET;
            let below: f64 = view.rows()[at..].iter().map(|row| row.height).sum();
            // Where all that follows is in sight, the user is at the end.
            let is_end = below + offset <= scroll.layout.borrow().in_sight;
            let place = Place::At { key, offset };
            scroll.go_to(if is_end { Place::End } else { place });
            context.dispatch.dispatch(Action::Jumped);
        } else if may_ask(&context, conversation) {
            ask(view, &context.send);
        } else if !conversation.awaits_history() {
            context.dispatch.dispatch(Action::Jumped);
        }
    });
}

/// Goes to the end when the user has sent a message: it is there.
#[hook]
pub(super) fn use_own_messages(view: &ViewHandle, scroll: &Scroll) {
    let last: Option<MessageId> = {
        let chat = view.chat();
        let last = chat.lines.last().and_then(said).filter(|said| said.own);
        last.map(|said| said.id)
    };
    let scroll = scroll.clone();
    use_effect_on(last, move |last| {
        if last.is_some() && scroll.layout.borrow().place != Place::End {
            scroll.go_to(Place::End);
        }
    });
}
