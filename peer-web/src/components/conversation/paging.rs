//! What moves the user through the conversation besides scrolling: older pages come when
//! he is near the top, a finding is brought into sight, his own words lead to the end.

use std::cell::RefCell;
use std::rc::Rc;

use p2pchat_model::{Command, Line, MessageId, View};
use yew::prelude::*;

use crate::app::Context;
use crate::logic::rows::{Key, Row};
use crate::logic::window::Place;
use crate::state::{Action, State};

use super::layout::Layout;

/// Where a message that was jumped to stands, in CSS pixels below the top.
const JUMP_OFFSET: f64 = 120.0;

/// Asks for the page before the oldest message when the oldest row is drawn.
#[hook]
pub(super) fn use_paging(
    context: &Context,
    layout: &Rc<RefCell<Layout>>,
    rows: &Rc<Vec<Row>>,
    above: f64,
) {
    let state = &context.state;
    let measured = layout.borrow().in_sight > 0.0;
    let wanted = measured && above <= 0.0 && may_ask(state);
    let send = context.send.clone();
    let view = state.view.clone();
    use_effect_with((wanted, rows.len()), move |(wanted, _)| {
        if let (true, Some(view)) = (*wanted, view) {
            let before = view.get().oldest_message();
            send.emit(Command::History { before });
        }
    });
}

fn may_ask(state: &State) -> bool {
    let view = state.view.as_ref().map(|view| view.get());
    state.is_live()
        && state.pending.history.is_none()
        && state.failure("history").is_none()
        && view.is_some_and(|view| {
            view.account.is_some() && view.more_history && view.lines.len() < View::MAX_LINES
        })
}

/// Brings a message into sight; asks for older pages until it is there.
#[hook]
pub(super) fn use_jump(
    context: &Context,
    layout: &Rc<RefCell<Layout>>,
    rows: &Rc<Vec<Row>>,
    at_end: &UseStateHandle<bool>,
    update: &UseForceUpdateHandle,
) {
    let state = context.state.clone();
    let send = context.send.clone();
    let (layout, at_end, update) = (layout.clone(), at_end.setter(), update.clone());
    let waits = state.pending.history.is_some();
    use_effect_with(
        (state.jump, rows.clone(), waits),
        move |(jump, rows, waits)| {
            let Some(id) = *jump else { return };
            if rows.iter().any(|row| row.key == Key::Message(id)) {
                layout.borrow_mut().place = Place::At {
                    key: Key::Message(id),
                    offset: JUMP_OFFSET,
                };
                at_end.set(false);
                update.force_update();
                state.dispatch(Action::Jumped);
            } else if may_ask(&state) {
                let before = state
                    .view
                    .as_ref()
                    .and_then(|view| view.get().oldest_message());
                send.emit(Command::History { before });
            } else if !waits {
                state.dispatch(Action::Jumped);
            }
        },
    );
}

/// Goes to the end when the user has said something: that is where it stands.
#[hook]
pub(super) fn use_own_words(
    state: &State,
    layout: &Rc<RefCell<Layout>>,
    at_end: &UseStateHandle<bool>,
    update: &UseForceUpdateHandle,
) {
    let last: Option<MessageId> =
        state
            .view
            .as_ref()
            .and_then(|view| match view.get().lines.last() {
                Some(Line::Message(message)) if message.is_own() => Some(message.id),
                _ => None,
            });
    let (layout, at_end, update) = (layout.clone(), at_end.setter(), update.clone());
    use_effect_with(last, move |last| {
        if last.is_some() {
            layout.borrow_mut().place = Place::End;
            at_end.set(true);
            update.force_update();
        }
    });
}
