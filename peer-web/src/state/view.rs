//! The view, shared by all that draw it.

use std::cell::{Ref, RefCell, RefMut};
use std::ops::Deref;
use std::rc::Rc;

use p2pchat_model::{Event, MessageId, View};

use crate::logic::clock::Zone;
use crate::logic::rows::Rows;

/// The one view and the rows of its lines, changed in place: a copy of ten thousand lines
/// for each event would be felt. Equal to itself only, whatever happens in it.
#[derive(Clone)]
pub struct ViewCell(Rc<(RefCell<View>, RefCell<Rows>)>);

impl ViewCell {
    /// The view as it is now. To be let go before the next event.
    #[must_use]
    pub fn get(&self) -> Ref<'_, View> {
        self.0.0.borrow()
    }

    /// The rows as they are now. To be let go before the next event.
    #[must_use]
    pub fn rows(&self) -> Ref<'_, Rows> {
        self.0.1.borrow()
    }

    /// The rows, to tell them what was measured.
    #[must_use]
    pub fn rows_mut(&self) -> RefMut<'_, Rows> {
        self.0.1.borrow_mut()
    }

    /// Takes note of what happened, before [`ViewCell::follow`].
    pub(super) fn apply(&self, event: &Event) {
        self.0.0.borrow_mut().apply(event);
    }

    /// Has the rows follow what [`ViewCell::apply`] has made of `lines` lines.
    pub(super) fn follow(&self, event: &Event, lines: usize, mark: Option<MessageId>) {
        let view = self.get();
        let mut rows = self.rows_mut();
        let grown = view.lines.len().checked_sub(lines);
        match (event, grown) {
            // These may put other lines in the place of those that there were.
            (Event::History { .. } | Event::LoggedIn { .. }, _) | (_, None | Some(2..)) => {
                rows.rebuild(&view.lines, mark);
            }
            (_, Some(grown)) => {
                rows.mark(&view.lines, mark);
                if grown == 1 {
                    rows.grow(&view.lines);
                }
            }
        }
        if let Event::Delivered { id, .. } = event {
            rows.change(*id);
        }
    }
}

impl PartialEq for ViewCell {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// A handle on the view, with a revision that tells those who draw it that it changed.
#[derive(Clone, PartialEq)]
pub struct ViewRef {
    cell: ViewCell,
    revision: u64,
}

impl ViewRef {
    /// Wraps a view.
    #[must_use]
    pub fn new(view: View, mark: Option<MessageId>, zone: Zone) -> Self {
        let mut rows = Rows::new(zone);
        rows.rebuild(&view.lines, mark);
        let cell = ViewCell(Rc::new((RefCell::new(view), RefCell::new(rows))));
        Self { cell, revision: 0 }
    }

    /// What is behind the handle.
    #[must_use]
    pub fn cell(&self) -> &ViewCell {
        &self.cell
    }

    /// Something in it is different now.
    pub(super) fn touch(&mut self) {
        self.revision += 1;
    }
}

impl Deref for ViewRef {
    type Target = ViewCell;

    fn deref(&self) -> &ViewCell {
        &self.cell
    }
}
