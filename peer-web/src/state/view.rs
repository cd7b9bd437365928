//! The view, shared by all components that draw it.

use std::cell::{Ref, RefCell, RefMut};
use std::ops::Deref;
use std::rc::Rc;

use p2pchat_model::{Conversation, ConversationId, Event, MessageId, View};

use crate::logic::clock::Zone;
use crate::logic::rows::Rows;

/// The one view and the rows of its lines, changed in place: copying ten thousand lines for
/// each event would be felt. Equal only to itself, whatever changes in it.
#[derive(Clone)]
pub struct SharedView(Rc<Shared>);

struct Shared {
    /// The conversation that is shown.
    id: ConversationId,
    /// Shared by the handles of all conversations that were shown one after the other.
    view: Rc<RefCell<View>>,
    rows: RefCell<Rows>,
}

impl SharedView {
    /// The conversation that is shown.
    #[must_use]
    pub fn id(&self) -> ConversationId {
        self.0.id
    }

    /// The view as it is now. To be dropped before the next event.
    #[must_use]
    pub fn get(&self) -> Ref<'_, View> {
        self.0.view.borrow()
    }

    /// The conversation as it is now. To be dropped before the next event.
    #[must_use]
    pub fn chat(&self) -> Ref<'_, Conversation> {
        let id = self.0.id;
        Ref::map(self.get(), |view| {
            view.conversation(id).unwrap_or(view.open())
        })
    }

    /// The rows as they are now. To be dropped before the next event.
    #[must_use]
    pub fn rows(&self) -> Ref<'_, Rows> {
        self.0.rows.borrow()
    }

    /// The rows, to record what was measured.
    #[must_use]
    pub fn rows_mut(&self) -> RefMut<'_, Rows> {
        self.0.rows.borrow_mut()
    }

    /// Applies an event to the view, before [`SharedView::follow`].
    pub(super) fn apply(&self, event: &Event) {
        self.0.view.borrow_mut().apply(event);
    }

    /// Updates the rows after [`SharedView::apply`]; there were `lines` lines before.
    pub(super) fn follow(&self, event: &Event, lines: usize, mark: Option<MessageId>) {
        let chat = self.chat();
        let mut rows = self.rows_mut();
        let grown = chat.lines.len().checked_sub(lines);
        match (event, grown) {
            // These may replace the lines, or put others between them.
            (Event::History { .. } | Event::Posts { .. } | Event::LoggedIn { .. }, _)
            | (_, None | Some(2..)) => {
                rows.rebuild(&chat.lines, mark);
            }
            (Event::Post(post), Some(1)) if chat.newest_message() != Some(post.id) => {
                rows.rebuild(&chat.lines, mark);
            }
            // It may be before a message that is there already.
            (Event::Read { .. }, _) if rows.marked() != mark => rows.rebuild(&chat.lines, mark),
            (_, Some(grown)) => {
                rows.mark(&chat.lines, mark);
                if grown == 1 {
                    rows.grow(&chat.lines);
                }
            }
        }
        match event {
            Event::Delivered { message, .. } => rows.change(*message),
            Event::Post(post) | Event::PostChanged(post) => rows.change(post.id),
            Event::Chat { .. } | Event::ReadBy { .. } => rows.change_all(),
            _ => {}
        }
    }
}

impl PartialEq for SharedView {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// The view with a revision, by which components see that it has changed.
#[derive(Clone, PartialEq)]
pub struct ViewHandle {
    shared: SharedView,
    revision: u64,
}

impl ViewHandle {
    /// Wraps a view, of which this conversation is shown.
    #[must_use]
    pub fn new(view: View, id: ConversationId, mark: Option<MessageId>, zone: Zone) -> Self {
        Self::of(Rc::new(RefCell::new(view)), id, mark, zone)
    }

    /// The same view, of which another conversation is shown.
    pub(super) fn showing(&self, id: ConversationId, mark: Option<MessageId>) -> Self {
        let zone = self.rows().zone().clone();
        Self::of(self.shared.0.view.clone(), id, mark, zone)
    }

    fn of(
        view: Rc<RefCell<View>>,
        id: ConversationId,
        mark: Option<MessageId>,
        zone: Zone,
    ) -> Self {
        let rows = RefCell::new(Rows::new(zone));
        let shared = SharedView(Rc::new(Shared { id, view, rows }));
        shared.rows_mut().rebuild(&shared.chat().lines, mark);
        let revision = 0;
        Self { shared, revision }
    }

    /// The view without the revision.
    #[must_use]
    pub fn shared(&self) -> &SharedView {
        &self.shared
    }

    /// Makes a new revision: something in the view has changed.
    pub(super) fn touch(&mut self) {
        self.revision += 1;
    }
}

impl Deref for ViewHandle {
    type Target = SharedView;

    fn deref(&self) -> &SharedView {
        &self.shared
    }
}
