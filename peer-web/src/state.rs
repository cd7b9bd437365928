//! The state of the page: the one view, and the little that is the page's own.

mod pending;
mod view_ref;

use std::rc::Rc;

use p2pchat_model::{
    Command, Event, Failure, Line, Message, MessageId, PeerAddr, Problem, Username, View,
};
use yew::Reducible;

use crate::bridge::{Connection, Frame};
use crate::logic::reading::Reading;

pub use pending::Pending;
pub use view_ref::ViewRef;

/// The answer to a search for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Who was looked for.
    pub name: Username,
    /// Where he is, if he is online.
    pub address: Option<PeerAddr>,
}

/// What a page knows.
#[derive(Clone, PartialEq, Default)]
pub struct State {
    /// What there is to see. `None` until the bridge has sent it.
    pub view: Option<ViewRef>,
    /// The connection to the bridge.
    pub connection: Connection,
    /// What was asked and not answered yet.
    pub pending: Pending,
    /// The newest failure of each command that was not given again since.
    pub failures: Vec<Failure>,
    /// The answer to the last search for a user.
    pub found: Option<Found>,
    /// Why the registry ended the session, if it did.
    pub ended: Option<Problem>,
    /// What is new to the user.
    pub reading: Reading,
    /// What a screen reader says next: the newest line.
    pub spoken: Option<Line>,
    /// The message to bring into sight.
    pub jump: Option<MessageId>,
    /// A text that could not be sent, to go back where it was written.
    pub unsent: Option<Rc<str>>,
}

/// What changes a [`State`].
pub enum Action {
    /// The connection to the bridge changed.
    Connection(Connection),
    /// The bridge sent something. `read` is the newest message that the user had seen
    /// before the page was loaded, if that is known; it counts with a view only.
    Frame(Frame, Option<MessageId>),
    /// A command was sent.
    Asked(Command),
    /// The user sees the end of the conversation, or no longer.
    Look(bool),
    /// Bring this message into sight.
    Jump(MessageId),
    /// That is done, or cannot be done.
    Jumped,
    /// The unsent text is back where it was written.
    Restored,
}

/// The view is changed where it is (see [`ViewRef`]); all else is small and copied.
impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut next = (*self).clone();
        match action {
            Action::Connection(connection) => next.connect(connection),
            Action::Frame(Frame::View(view), read) => next.begin(*view, read),
            Action::Frame(Frame::Event(event), _) => next.happen(&event),
            Action::Asked(command) => next.ask(&command),
            Action::Look(looking) => next.look(looking),
            Action::Jump(id) => next.jump = Some(id),
            Action::Jumped => next.jump = None,
            Action::Restored => next.unsent = None,
        }
        Rc::new(next)
    }
}

impl State {
    /// The failure of the last command of this name, unless it was given again since.
    #[must_use]
    pub fn failure(&self, command: &str) -> Option<&Failure> {
        self.failures
            .iter()
            .find(|failure| failure.command == command)
    }

    /// Whether commands reach the bridge.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.connection == Connection::Live
    }

    fn connect(&mut self, connection: Connection) {
        self.connection = connection;
        if connection != Connection::Live {
            // Nobody will answer what was asked over the connection that is gone.
            self.pending = Pending::default();
        }
    }

    fn begin(&mut self, view: View, read: Option<MessageId>) {
        let known = self
            .view
            .as_ref()
            .is_some_and(|known| known.get().lines_of == view.lines_of);
        let read = if known {
            Some(self.reading.read())
        } else {
            read
        };
        self.reading = Reading::begin(&view.lines, read, self.reading.looking());
        if view.account.is_some() {
            self.ended = None;
        }
        self.view = Some(ViewRef::new(view));
    }

    fn happen(&mut self, event: &Event) {
        let Some(view) = &mut self.view else { return };
        if matches!(event, Event::History { .. }) && self.pending.history.is_none() {
            // Another tab reads back; its pages would leave a gap here.
            return;
        }
        let account = view.get().lines_of;
        view.apply(event);
        if view.get().lines_of != account {
            self.reading = Reading::begin(&[], None, self.reading.looking());
        }
        self.pending.answer(event);
        self.spoken = spoken(event).or(self.spoken.take());
        match event {
            Event::Message(message) => self.reading.take(message),
            Event::LoggedIn { .. } => self.ended = None,
            Event::LoggedOut { problem, .. } => self.log_out(*problem),
            Event::Found { name, address, .. } => {
                self.found = Some(Found {
                    name: *name,
                    address: *address,
                });
            }
            Event::Failed { failure, .. } => self.fail(failure),
            _ => {}
        }
    }

    fn ask(&mut self, command: &Command) {
        self.failures
            .retain(|failure| failure.command != command.name());
        if matches!(command, Command::Search { .. }) {
            self.found = None;
        }
        self.pending.ask(command);
    }

    fn fail(&mut self, failure: &Failure) {
        if failure.command == "say" {
            self.unsent = self.pending.last_said.take();
        }
        self.failures
            .retain(|known| known.command != failure.command);
        self.failures.push(failure.clone());
    }

    fn log_out(&mut self, problem: Option<Problem>) {
        self.ended = problem;
        self.failures.clear();
        self.found = None;
    }

    fn look(&mut self, looking: bool) {
        self.reading.look(looking);
        if let Some(view) = &self.view {
            let newest = view.get().lines.iter().rev().find_map(|line| match line {
                Line::Message(message) => Some(message.id),
                Line::Notice { .. } => None,
            });
            self.reading.seen(newest.unwrap_or_default());
        }
    }
}

/// What a screen reader says of an event: what others say, and what happened.
fn spoken(event: &Event) -> Option<Line> {
    match event {
        Event::Message(message) => {
            let others = |message: &&Message| !message.is_own();
            Some(message).filter(others).cloned().map(Line::Message)
        }
        event => View::notice(event),
    }
}

#[cfg(test)]
mod tests;
