//! What moves the user through the conversation besides scrolling: older pages come when
//! he is near the top, a finding is brought into sight, his own words lead to the end.

use std::cell::RefCell;
use std::rc::Rc;

use p2pchat_model::{Command, Line, MessageId, View};
use yew::prelude::*;

use crate::app::Context;
use crate::logic::rows::Key;
use crate::logic::window::Place;
use crate::state::{Action, Talk, ViewRef};

use super::layout::Layout;

/// Where a message that was jumped to stands, in CSS pixels below the top.
const JUMP_OFFSET: f64 = 120.0;

/// Asks for the page before the oldest message when the oldest row is drawn.
#[hook]
pub(super) fn use_paging(context: &Context, talk: &Talk, layout: &Rc<RefCell<Layout>>, above: f64) {
    let measured = layout.borrow().in_sight > 0.0;
    let wanted = measured && above <= 0.0 && may_ask(context, talk);
    let send = context.send.clone();
    let view = talk.view.clone();
    let rows = view.as_ref().map(|view| view.rows().len());
    use_effect_with((wanted, rows), move |(wanted, _)| {
        if let (true, Some(view)) = (*wanted, view) {
            ask(&view, &send);
        }
    });
}

fn ask(view: &ViewRef, send: &Callback<Command>) {
    let before = view.get().oldest_message();
    send.emit(Command::History { before });
}

fn may_ask(context: &Context, talk: &Talk) -> bool {
    let view = talk.view.as_ref().map(|view| view.get());
    context.state.is_live()
        && !talk.waits
        && context.state.failure("history").is_none()
        && view.is_some_and(|view| {
            view.account.is_some() && view.more_history && view.lines.len() < View::MAX_LINES
        })
}

/// Brings a message into sight; asks for older pages until it is there.
#[hook]
pub(super) fn use_jump(
    context: &Context,
    talk: &Rc<Talk>,
    layout: &Rc<RefCell<Layout>>,
    at_end: &UseStateHandle<bool>,
    update: &UseForceUpdateHandle,
) {
    let context = context.clone();
    let (layout, at_end, update) = (layout.clone(), at_end.setter(), update.clone());
    use_effect_with(talk.clone(), move |talk| {
        let (Some(id), Some(view)) = (talk.jump, &talk.view) else {
            return;
        };
        let key = Key::Message(id);
        if view.rows().iter().any(|row| row.shown.key == key) {
            let offset = JUMP_OFFSET;
            layout.borrow_mut().place = Place::At { key, offset };
            at_end.set(false);
            update.force_update();
            context.dispatch.dispatch(Action::Jumped);
        } else if may_ask(&context, talk) {
            ask(view, &context.send);
        } else if !talk.waits {
            context.dispatch.dispatch(Action::Jumped);
        }
    });
}

/// Goes to the end when the user has said something: that is where it stands.
#[hook]
pub(super) fn use_own_words(
    view: &ViewRef,
    layout: &Rc<RefCell<Layout>>,
    at_end: &UseStateHandle<bool>,
    update: &UseForceUpdateHandle,
) {
    let last: Option<MessageId> = match view.get().lines.last() {
        Some(Line::Message(message)) if message.is_own() => Some(message.id),
        _ => None,
    };
    let (layout, at_end, update) = (layout.clone(), at_end.setter(), update.clone());
    use_effect_with(last, move |last| {
        if last.is_some() && layout.borrow().place != Place::End {
            layout.borrow_mut().place = Place::End;
            at_end.set(true);
            update.force_update();
        }
    });
}
