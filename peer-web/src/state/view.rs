//! The view, shared by all components that draw it.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::ops::Deref;
use std::rc::Rc;

use p2pchat_model::{
    Conversation, ConversationId, DatedChange, Event, Line, MessageId, Post, View,
};

use crate::logic::clock::Zone;
use crate::logic::rows::Rows;

/// Of how many lines a part may be. The lines of a conversation that is read back so far become
/// one: a page costs as much as there are.
const MAX_PART: usize = 2_000;

/// The one view and the rows of its lines, changed in place: copying ten thousand lines for
/// each event would be felt. Equal only to itself, whatever changes in it.
#[derive(Clone)]
pub struct SharedView(Rc<Shared>);

struct Shared {
    /// The conversation that is shown.
    id: ConversationId,
    /// Shared by the handles of all conversations that were shown one after the other.
    view: Rc<RefCell<View>>,
    /// A part of the conversation that is shown in place of its end, in a view of its own.
    part: RefCell<Option<View>>,
    /// Whether there are later messages than those of the part.
    has_later: Cell<bool>,
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

    /// What is shown of the conversation: its end, or a part of it that is further back. To be
    /// dropped before the next event.
    #[must_use]
    pub fn shown(&self) -> Ref<'_, Conversation> {
        let part = self.0.part.borrow();
        let part = Ref::filter_map(part, |part| part.as_ref()?.conversations.first());
        part.unwrap_or_else(|_| self.chat())
    }

    /// Whether later messages follow those that are shown.
    #[must_use]
    pub fn has_later(&self) -> bool {
        self.0.has_later.get()
    }

    /// The conversation with its newest messages. To be dropped before the next event.
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
        if event.conversation() != Some(self.0.id) {
            return;
        }
        if let Some(part) = &mut *self.0.part.borrow_mut()
            && is_of_part(event, self.has_later())
        {
            part.apply(event);
        }
        if let Event::Posts {
            before: Some(_), ..
        } = event
        {
            self.limit();
        }
    }

    /// Takes a page from a message on: it follows the part that is shown, or `begins` another.
    pub(super) fn go_on(&self, event: &Event, begins: bool) {
        let Event::PostsFrom {
            conversation,
            from,
            posts,
            changes,
            more,
        } = event
        else {
            return;
        };
        let lines = posts.iter().cloned().map(Line::from);
        let mut lines: Vec<Line> = lines.collect();
        let mut part = self.0.part.borrow_mut();
        let shown = part
            .as_mut()
            .and_then(|part| part.conversations.first_mut());
        if let Some(shown) = shown.filter(|part| part.newest_message() == Some(*from)) {
            lines.retain(|line| line.message_id() > Some(*from));
            shown.lines.append(&mut lines);
            let excess = shown.lines.len().saturating_sub(MAX_PART);
            shown.lines.drain(..excess);
            shown.more_history |= excess > 0;
        } else if begins && !posts.is_empty() {
            *part = Some(part_of(&self.chat(), lines, true));
        } else {
            return;
        }
        for DatedChange { at, change } in changes {
            let (conversation, at, change) = (*conversation, *at, *change);
            part.iter_mut().for_each(|part| {
                part.apply(&Event::ChatChanged {
                    conversation,
                    at,
                    change,
                });
            });
        }
        self.0.has_later.set(*more);
    }

    /// Lets go of the later ones of too many lines: the place of the user is far from them. The
    /// conversation itself keeps its newest.
    fn limit(&self) {
        if self.shown().lines.len() <= MAX_PART {
            return;
        }
        self.0.has_later.set(true);
        let mut view = self.0.view.borrow_mut();
        let mut part = self.0.part.borrow_mut();
        if part.is_none() {
            let mut chats = view.conversations.iter_mut();
            let Some(end) = chats.find(|one| one.id == self.0.id) else {
                return;
            };
            *part = Some(part_of(end, end.lines.clone(), end.more_history));
            end.lines.drain(..end.lines.len() - MAX_PART / 4);
            end.more_history = true;
        }
        for part in part.iter_mut().flat_map(|part| &mut part.conversations) {
            part.lines.truncate(MAX_PART - MAX_PART / 4);
        }
    }

    /// Shows the end again. Returns whether something else was shown.
    pub(super) fn leave_part(&self, mark: Option<MessageId>) -> bool {
        self.0.has_later.set(false);
        let was_part = self.0.part.take().is_some();
        if was_part {
            self.rows_mut().rebuild(&self.chat().lines, mark);
        }
        was_part
    }

    /// Shows the part that another view of the conversation has, if it has one. What has changed
    /// in it meanwhile is not seen.
    pub(super) fn take_part(&self, of: &Self, mark: Option<MessageId>) {
        let part = of.0.part.take();
        self.0.has_later.set(part.is_some());
        self.0.part.replace(part);
        self.rows_mut().rebuild(&self.shown().lines, mark);
    }

    /// Updates the rows after [`SharedView::apply`]; there were `lines` lines before.
    pub(super) fn follow(&self, event: &Event, lines: usize, mark: Option<MessageId>) {
        let chat = self.shown();
        let mut rows = self.rows_mut();
        let grown = chat.lines.len().checked_sub(lines);
        match (event, grown) {
            // These may replace the lines, or put others between them.
            (
                Event::History { .. }
                | Event::Posts { .. }
                | Event::PostsFrom { .. }
                | Event::ChatChanged { .. }
                | Event::LoggedIn { .. },
                _,
            )
            | (_, None | Some(2..)) => {
                rows.rebuild(&chat.lines, mark);
            }
            (Event::Post(post), Some(1))
                if chat.lines.last().and_then(Line::message_id) != Some(post.id) =>
            {
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
            Event::Chat { .. } | Event::Blocks { .. } => rows.change_where(&chat.lines, |_| true),
            Event::ReadBy { .. } => rows.change_where(&chat.lines, Post::is_own),
            // Below a message it says who is missing that it waits for.
            Event::Presence { .. } | Event::Online { .. } => {
                rows.change_where(&chat.lines, |post| post.waits_for().next().is_some());
            }
            _ => {}
        }
    }
}

/// A part of a conversation, in a view of its own.
fn part_of(of: &Conversation, lines: Vec<Line>, more_history: bool) -> View {
    let part = Conversation {
        lines,
        more_history,
        chat: of.chat.clone(),
        ..Conversation::new(of.id)
    };
    View {
        conversations: vec![part],
        ..View::default()
    }
}

/// Whether an event changes a part of the conversation.
fn is_of_part(event: &Event, has_later: bool) -> bool {
    match event {
        Event::Posts { before, .. } => before.is_some(),
        Event::Post(_) | Event::ChatChanged { .. } => !has_later,
        Event::PostChanged(_)
        | Event::PostsGone { .. }
        | Event::Chat { .. }
        | Event::ReadBy { .. } => true,
        _ => false,
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
        let shared = SharedView(Rc::new(Shared {
            id,
            view,
            part: RefCell::default(),
            has_later: Cell::default(),
            rows,
        }));
        shared.rows_mut().rebuild(&shared.shown().lines, mark);
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
