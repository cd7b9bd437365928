//! Where the user is in the conversation, and what moves them.

use std::cell::RefCell;
use std::rc::Rc;

use p2pchat_model::MessageId;
use yew::prelude::*;

use crate::browser::effect::use_stable;
use crate::browser::{hooks::use_size, keys};
use crate::logic::window::Place;
use crate::state::{Action, State, ViewHandle};

use super::layout::{Layout, Nodes};

/// Where the oldest message stands when it is gone to, in CSS pixels below the top: there is
/// room for its day above it.
const TOP_OFFSET: f64 = 120.0;

/// Where the user is in the conversation, and what moves them.
#[derive(Clone)]
pub(super) struct Scroll {
    pub(super) layout: Rc<RefCell<Layout>>,
    pub(super) nodes: UseStateHandle<Nodes>,
    pub(super) at_end: UseStateHandle<bool>,
    update: UseForceUpdateHandle,
    dispatch: UseReducerDispatcher<State>,
}

/// The conversation begins at the end, unless there is a jump to do at once.
#[hook]
pub(super) fn use_scroll(dispatch: UseReducerDispatcher<State>, jumps: bool) -> Scroll {
    let scroll = Scroll {
        layout: use_mut_ref(Layout::default),
        nodes: use_state(Nodes::default),
        at_end: use_state_eq(|| !jumps),
        update: use_force_update(),
        dispatch,
    };
    let update = scroll.update.clone();
    let onresize = use_stable(move |()| update.force_update());
    use_size(scroll.nodes.scroller.clone(), onresize);
    scroll
}

impl Scroll {
    /// Goes to a place.
    pub(super) fn go_to(&self, place: Place) {
        self.layout.borrow_mut().place = place;
        self.at_end.set(place == Place::End);
        self.update.force_update();
    }

    /// Goes to the end of the conversation.
    pub(super) fn go_to_end(&self) {
        self.dispatch.dispatch(Action::Latest);
        self.go_to(Place::End);
    }

    /// Follows a scroll by the user.
    pub(super) fn onscroll(&self, view: &ViewHandle) -> Callback<Event> {
        let (scroll, view) = (self.clone(), view.clone());
        Callback::from(move |_| {
            let mut layout = scroll.layout.borrow_mut();
            let redraw = layout.scrolled(&scroll.nodes, &view.rows(), view.has_later());
            scroll.at_end.set(layout.place == Place::End);
            if redraw {
                scroll.update.force_update();
            }
        })
    }

    /// Follows whatever else the user does to scroll.
    pub(super) fn ontouch<E>(&self) -> Callback<E> {
        let scroll = self.clone();
        Callback::from(move |_| scroll.release())
    }

    /// The user may want another page of history.
    fn release(&self) {
        if std::mem::take(&mut self.layout.borrow_mut().holds) {
            self.update.force_update();
        }
    }

    /// Home leads to the oldest message that is loaded and End to the newest; with Ctrl, Home leads
    /// to the very first. The browser would go where they are by the heights of now, which change
    /// while rows are drawn. Arrows lead
    /// from one link or menu to another, once one has the focus.
    pub(super) fn onkeydown(&self, view: &ViewHandle) -> Callback<KeyboardEvent> {
        let (scroll, view) = (self.clone(), view.clone());
        Callback::from(move |event: KeyboardEvent| {
            scroll.release();
            if event.alt_key() || event.meta_key() || event.shift_key() {
                return;
            }
            let key = keys::pressed(&event);
            if let Some("ArrowUp" | "ArrowDown") = key.as_deref() {
                if scroll.nodes.move_focus(key.as_deref() == Some("ArrowDown")) {
                    event.prevent_default();
                }
                return;
            }
            let is_home = match key.as_deref() {
                Some("Home") => true,
                Some("End") => false,
                _ => return,
            };
            event.prevent_default();
            // What has the focus may go away with its row.
            scroll.nodes.focus();
            if !is_home {
                scroll.go_to_end();
            } else if event.ctrl_key() {
                scroll.dispatch.dispatch(Action::Jump(MessageId::FIRST));
            } else if let Some(place) = oldest(&view) {
                scroll.go_to(place);
            }
        })
    }
}

fn oldest(view: &ViewHandle) -> Option<Place> {
    let rows = view.rows();
    let mut keys = rows.iter().map(|row| row.shown.key);
    let key = keys.find(|key| key.stays())?;
    let offset = TOP_OFFSET;
    Some(Place::At { key, offset })
}

/// After each render: measures what was drawn, and scrolls to the place of the user.
#[hook]
pub(super) fn use_settle(scroll: &Scroll, view: &ViewHandle) {
    let (scroll, view) = (scroll.clone(), view.clone());
    use_effect(move || {
        scroll.nodes.set_tab_stop();
        let mut layout = scroll.layout.borrow_mut();
        if layout.settle(&scroll.nodes, &view.shown().lines, &mut view.rows_mut()) {
            // So much is higher or lower than estimated that rows are missing.
            scroll.update.force_update();
        }
    });
}
