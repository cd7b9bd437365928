//! Where the user is in the conversation, and what moves them.

use std::cell::RefCell;
use std::rc::Rc;

use yew::prelude::*;

use crate::browser::hooks::use_size;
use crate::logic::window::Place;
use crate::state::ViewHandle;

use super::layout::{Layout, Nodes};

/// Where the user is in the conversation, and what moves them.
#[derive(Clone)]
pub(super) struct Scroll {
    pub(super) layout: Rc<RefCell<Layout>>,
    pub(super) nodes: UseStateHandle<Nodes>,
    pub(super) at_end: UseStateHandle<bool>,
    update: UseForceUpdateHandle,
}

/// The conversation begins at the end.
#[hook]
pub(super) fn use_scroll() -> Scroll {
    let scroll = Scroll {
        layout: use_mut_ref(Layout::default),
        nodes: use_state(Nodes::default),
        at_end: use_state_eq(|| true),
        update: use_force_update(),
    };
    let update = scroll.update.clone();
    let onresize = use_callback((), move |(), ()| update.force_update());
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

    /// Follows a scroll by the user.
    pub(super) fn onscroll(&self, view: &ViewHandle) -> Callback<Event> {
        let (scroll, view) = (self.clone(), view.clone());
        Callback::from(move |_| {
            let mut layout = scroll.layout.borrow_mut();
            let redraw = layout.scrolled(&scroll.nodes, &view.rows());
            scroll.at_end.set(layout.place == Place::End);
            if redraw {
                scroll.update.force_update();
            }
        })
    }
}

/// After each render: measures what was drawn, and scrolls to the place of the user.
#[hook]
pub(super) fn use_settle(scroll: &Scroll, view: &ViewHandle) {
    let (scroll, view) = (scroll.clone(), view.clone());
    use_effect(move || {
        let mut layout = scroll.layout.borrow_mut();
        if layout.settle(&scroll.nodes, &view.get().lines, &mut view.rows_mut()) {
            // So much is higher or lower than estimated that rows are missing.
            scroll.update.force_update();
        }
    });
}
