//! The view, shared by all that draw it.

use std::cell::{Ref, RefCell};
use std::rc::Rc;

use p2pchat_model::{Event, View};

/// A handle on the one view. It is changed in place, because a copy of ten thousand lines
/// for each event would be felt; the revision tells those who draw it that it changed.
#[derive(Clone)]
pub struct ViewRef {
    view: Rc<RefCell<View>>,
    revision: u64,
}

impl ViewRef {
    /// Wraps a view.
    #[must_use]
    pub fn new(view: View) -> Self {
        Self {
            view: Rc::new(RefCell::new(view)),
            revision: 0,
        }
    }

    /// The view as it is now. To be let go before the next event.
    #[must_use]
    pub fn get(&self) -> Ref<'_, View> {
        self.view.borrow()
    }

    /// Takes note of what happened.
    pub(super) fn apply(&mut self, event: &Event) {
        self.view.borrow_mut().apply(event);
        self.revision += 1;
    }
}

impl PartialEq for ViewRef {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.view, &other.view) && self.revision == other.revision
    }
}
