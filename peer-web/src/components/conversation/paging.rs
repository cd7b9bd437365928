//! What moves the user through the conversation besides scrolling: older pages come when they
//! are near the top, a jump leads to a message, and their own messages lead to the end.

use std::rc::Rc;

use p2pchat_model::{Command, ConversationId, MessageId, View};
use yew::prelude::*;

use crate::browser::effect::use_effect_on;
use crate::context::Context;
use crate::logic::rows::{Key, Row};
use crate::logic::said::said;
use crate::logic::window::{OVERSCAN, Place, Span};
use crate::state::{Action, Conversation, ViewHandle};

use super::scroll::Scroll;

/// Where a message that was jumped to stands, in CSS pixels below the top.
const JUMP_OFFSET: f64 = 120.0;

/// The commands that pages are asked for by.
const EARLIER: &str = "history";
const LATER: &str = "history_from";

/// Asks for the page before the oldest message when the oldest row is drawn. Once, as long as
/// the user drags the bar: it stays at the top whatever is loaded, and one page after the other
/// would come. Of a part of the conversation, the page after the newest is asked for likewise.
#[hook]
pub(super) fn use_paging(
    context: &Context,
    conversation: &Conversation,
    scroll: &Scroll,
    drawn: Span,
) {
    let view = conversation.view.clone();
    let rows = view.as_ref().map(|view| view.rows());
    let (is_drawn, is_earlier) = {
        let layout = scroll.layout.borrow();
        let is_short = rows.is_none_or(|rows| rows.total() < layout.in_sight + OVERSCAN);
        let ready = is_short || !layout.holds;
        (layout.in_sight > 0.0, drawn.above <= 0.0 && ready)
    };
    let is_earlier =
        is_earlier && has_earlier(conversation) && may_ask(context, conversation, EARLIER);
    let is_later = drawn.below <= 0.0
        && view.as_ref().is_some_and(|view| view.has_later())
        && may_ask(context, conversation, LATER);
    let wanted = is_drawn && (is_earlier || is_later);
    let send = context.send.clone();
    let rows = view.as_ref().map(|view| view.rows().len());
    let layout = scroll.layout.clone();
    use_effect_on(
        (wanted, is_earlier, rows),
        move |(wanted, is_earlier, _)| {
            let Some(view) = view.filter(|_| *wanted) else {
                return;
            };
            if *is_earlier {
                layout.borrow_mut().holds = true;
                ask(&view, &send);
            } else if let Some(newest) = view.shown().newest_message() {
                ask_from(&view, &send, newest);
            }
        },
    );
}

fn ask(view: &ViewHandle, send: &Callback<Command>) {
    let (conversation, before) = (view.id(), view.shown().oldest_message());
    send.emit(Command::History {
        conversation,
        before,
    });
}

fn ask_from(view: &ViewHandle, send: &Callback<Command>, from: MessageId) {
    let conversation = view.id();
    send.emit(Command::HistoryFrom { conversation, from });
}

fn may_ask(context: &Context, conversation: &Conversation, command: &str) -> bool {
    context.state.is_live()
        && !conversation.awaits_history()
        && context.state.failure(command).is_none()
        && conversation
            .view
            .as_ref()
            .is_some_and(|view| view.get().account.is_some())
}

fn has_earlier(conversation: &Conversation) -> bool {
    conversation.view.as_ref().is_some_and(|view| {
        let chat = view.shown();
        chat.more_history && chat.lines.len() < View::MAX_LINES
    })
}

/// Scrolls to the message of a jump, or to the first one behind it. If that is not loaded, asks
/// for the part where it is; of the open chat, for older pages until it is there.
#[hook]
pub(super) fn use_jump(context: &Context, conversation: &Rc<Conversation>, scroll: &Scroll) {
    let (context, scroll) = (context.clone(), scroll.clone());
    use_effect_on(conversation.clone(), move |conversation| {
        let (Some(id), Some(view)) = (conversation.jump, &conversation.view) else {
            return;
        };
        let may_ask_later = may_ask(&context, conversation, LATER);
        let is_sought = scroll.layout.borrow().sought == Some(id) && !conversation.awaits_history();
        // Where none can be asked for, it opens at the first that is here.
        let is_offline = conversation.opens && !conversation.awaits_history() && !may_ask_later;
        if let Some(at) = row_of(view, id, is_sought || is_offline) {
            let in_sight = scroll.layout.borrow().in_sight;
            scroll.go_to(place_of(view, at, in_sight));
        } else if conversation.awaits_history() {
            return;
        } else if view.id() == ConversationId::OPEN {
            if may_ask(&context, conversation, EARLIER) && has_earlier(conversation) {
                ask(view, &context.send);
                return;
            }
        } else if !is_sought && may_ask_later {
            scroll.layout.borrow_mut().sought = Some(id);
            ask_from(view, &context.send, id);
            return;
        }
        scroll.layout.borrow_mut().sought = None;
        context.dispatch.dispatch(Action::Jumped);
    });
}

/// The row of a message, or of the first behind it; `None` if that one is not loaded. `is_here` is
/// whether nothing is missing between the two.
fn row_of(view: &ViewHandle, id: MessageId, is_here: bool) -> Option<usize> {
    let chat = view.shown();
    let oldest = chat.oldest_message()?;
    let is_here = is_here || !chat.more_history || oldest <= id;
    let is_it = |row: &Row| matches!(row.shown.key, Key::Message(of) if of >= id);
    view.rows().iter().position(is_it).filter(|_| is_here)
}

/// Where the user is who has jumped to a row.
fn place_of(view: &ViewHandle, at: usize, in_sight: f64) -> Place {
    let rows = view.rows();
    let below: f64 = rows[at..].iter().map(|row| row.height).sum();
    let offset = JUMP_OFFSET;
    // Where all that follows is in sight, the user is at the end.
    if below + offset <= in_sight && !view.has_later() {
        return Place::End;
    }
    let key = rows[at].shown.key;
    Place::At { key, offset }
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
    let known = use_mut_ref(|| last);
    use_effect_on(last, move |last| {
        let is_new = known.replace(*last) != *last;
        if is_new && last.is_some() && scroll.layout.borrow().place != Place::End {
            scroll.go_to_end();
        }
    });
}
