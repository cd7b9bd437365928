//! The state of the page: the view, and what only the page knows. A pure reducer.

mod conversation;
mod notes;
mod page;
mod view;

use std::rc::Rc;

use p2pchat_model::{Command, Event, MessageId, PeerAddr, View};
use yew::Reducible;

use crate::bridge::{Connection, Frame};
use crate::logic::clock::Zone;
use crate::logic::reading::Reading;

pub use conversation::{Conversation, Unanswered};
pub use notes::Note;
pub use page::{Found, Page, Pending};
pub use view::{SharedView, ViewHandle};

/// The state, in two parts: a message changes the conversation alone, so only the components
/// that show it are rendered again.
#[derive(Clone)]
pub struct State {
    /// The part that changes rarely.
    pub page: Rc<Page>,
    /// The part that changes with nearly every message.
    pub conversation: Rc<Conversation>,
    zone: Zone,
}

/// What changes a [`State`].
pub enum Action {
    /// The connection to the bridge changed.
    Connection(Connection),
    /// The bridge sent something. With a view comes the last message that the user had seen
    /// before the page was loaded, if that is known.
    Frame(Frame, Option<MessageId>),
    /// A command is sent.
    Command(Command),
    /// Whether the user sees the end of the conversation.
    Look(bool),
    /// Scroll to this message.
    Jump(MessageId),
    /// The jump is done, or impossible.
    Jumped,
    /// The unsent text is in the message field again.
    Restored,
    /// The user has seen what became of the requests to or from this address.
    Dismissed(PeerAddr),
    /// The user types another name: the answers to earlier ones say nothing of it.
    SearchChanged,
    /// The bridge has another build of the page by now.
    Outdated,
    /// The user signs out to sign in again, here in place of another computer.
    MoveHere,
}

/// The view is changed in place (see [`SharedView`]); the rest is small and copied.
impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut next = (*self).clone();
        match action {
            Action::Connection(connection) => next.on_connection(connection),
            Action::Frame(Frame::View(view), read) => next.on_view(*view, read),
            Action::Frame(Frame::Event(event), _) => next.on_event(&event),
            Action::Command(command) => next.on_command(&command),
            Action::Look(looking) => {
                let reading = self.conversation.look(looking);
                if reading == self.conversation.reading {
                    return self;
                }
                next.conversation().reading = reading;
            }
            Action::Jump(id) => next.conversation().jump = Some(id),
            Action::Jumped => next.conversation().jump = None,
            Action::Restored => {
                next.page().unsent = None;
                next.conversation().unanswered.retain(|sent| !sent.failed);
            }
            Action::Dismissed(address) => notes::forget(&mut next.page().notes, address),
            Action::SearchChanged => {
                if !self.page.has_search_answer() {
                    return self;
                }
                next.page().forget_search();
            }
            Action::Outdated => next.page().outdated = true,
            Action::MoveHere => next.page().moves_here = true,
        }
        Rc::new(next)
    }
}

impl State {
    /// The state before the bridge has sent anything.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        Self {
            page: Rc::default(),
            conversation: Rc::default(),
            zone,
        }
    }

    fn page(&mut self) -> &mut Page {
        Rc::make_mut(&mut self.page)
    }

    fn conversation(&mut self) -> &mut Conversation {
        Rc::make_mut(&mut self.conversation)
    }

    fn on_connection(&mut self, connection: Connection) {
        self.page().connection = connection;
        if connection != Connection::Live {
            // No answer comes any more to what was sent over the connection that is gone.
            self.page().pending = Pending::default();
            self.conversation().awaits_history = false;
            while let Some(text) = self.conversation().fail_oldest() {
                self.page().return_text(&text);
            }
        }
    }

    /// Forgets the texts of another session: the message field of their account takes them from
    /// the storage of the tab.
    fn forget_texts(&mut self) {
        self.conversation().unanswered.clear();
        self.page().unsent = None;
    }

    fn on_view(&mut self, view: View, read: Option<MessageId>) {
        let reading = &self.conversation.reading;
        let known = self.conversation.view.as_ref();
        let known = known.is_some_and(|known| known.get().lines_of == view.lines_of);
        let read = if known { Some(reading.read()) } else { read };
        let reading = Reading::begin(&view.lines, read, reading.looking());
        let account = |state: &Self| state.page.view.as_ref()?.get().account;
        if account(self) != view.account {
            self.forget_texts();
        }
        if view.account.is_some() {
            self.page().ended = None;
            self.page().last_account = view.account;
        }
        let view = ViewHandle::new(view, reading.mark(), self.zone.clone());
        self.page().view = Some(view.clone());
        self.conversation().view = Some(view);
        self.conversation().reading = reading;
    }

    fn on_event(&mut self, event: &Event) {
        if self.conversation.view.is_none() {
            return;
        }
        self.conversation().on_event(event);
        self.match_answer(event);
        let is_of_lines = matches!(
            event,
            Event::Message(_) | Event::Delivered { .. } | Event::History { .. }
        );
        if !is_of_lines {
            self.page().on_event(event);
        }
    }

    /// Finds the text that an event answers: one that failed returns to the message field.
    fn match_answer(&mut self, event: &Event) {
        match event {
            Event::Message(message) if message.is_own() => {
                let unanswered = &mut self.conversation().unanswered;
                let is_it = |sent: &Unanswered| !sent.failed && *sent.text == *message.text;
                if let Some(index) = unanswered.iter().position(is_it) {
                    unanswered.remove(index);
                }
            }
            Event::Failed { failure, .. } if failure.command == "say" => {
                if let Some(text) = self.conversation().fail_oldest() {
                    self.page().return_text(&text);
                }
            }
            Event::LoggedOut { .. } => self.forget_texts(),
            _ => {}
        }
    }

    fn on_command(&mut self, command: &Command) {
        self.page().on_command(command);
        match command {
            Command::History { before } => self.conversation().await_history(*before),
            Command::Say { text } => self.conversation().sent(text),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
