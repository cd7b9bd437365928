//! The state of the page: the one view, and the little that is the page's own.

mod conversation;
mod pending;
mod view;

use std::rc::Rc;

use p2pchat_model::{Command, Event, Failure, MessageId, PeerAddr, Problem, Username, View};
use yew::Reducible;

use crate::bridge::{Connection, Frame};
use crate::logic::clock::Zone;
use crate::logic::reading::Reading;

pub use conversation::Talk;
pub use pending::Pending;
pub use view::{ViewCell, ViewRef};

/// The answer to a search for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Who was looked for.
    pub name: Username,
    /// Where he is, if he is online.
    pub address: Option<PeerAddr>,
}

/// What a page knows: what changes seldom apart from what changes with nearly every message,
/// so that a message reaches only those who show it.
#[derive(Clone)]
pub struct State {
    /// What changes seldom.
    pub page: Rc<Page>,
    /// What changes with nearly every message.
    pub talk: Rc<Talk>,
    /// The last text that was said: it comes back if it could not be sent.
    last_said: Option<Rc<str>>,
    zone: Zone,
}

/// What changes seldom.
#[derive(Clone, PartialEq, Default)]
pub struct Page {
    /// What there is to see. A message more, or how one fares, makes no other revision.
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
            Action::Look(looking) => {
                let reading = self.talk.looked(looking);
                if reading == self.talk.reading {
                    return self;
                }
                next.talk().reading = reading;
            }
            Action::Jump(id) => next.talk().jump = Some(id),
            Action::Jumped => next.talk().jump = None,
            Action::Restored => next.page().unsent = None,
        }
        Rc::new(next)
    }
}

impl Page {
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

    fn happen(&mut self, event: &Event) {
        if let Some(view) = &mut self.view {
            view.touch();
        }
        self.pending.answer(event);
        match event {
            Event::LoggedIn { .. } => self.ended = None,
            Event::LoggedOut { problem, .. } => {
                self.ended = *problem;
                self.failures.clear();
                self.found = None;
            }
            Event::Found { name, address, .. } => {
                self.found = Some(Found {
                    name: *name,
                    address: *address,
                });
            }
            Event::Failed { failure, .. } => {
                self.failures
                    .retain(|known| known.command != failure.command);
                self.failures.push(failure.clone());
            }
            _ => {}
        }
    }
}

impl State {
    /// What a page knows before it hears of its bridge, in this time zone.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        Self {
            page: Rc::default(),
            talk: Rc::default(),
            last_said: None,
            zone,
        }
    }

    fn page(&mut self) -> &mut Page {
        Rc::make_mut(&mut self.page)
    }

    fn talk(&mut self) -> &mut Talk {
        Rc::make_mut(&mut self.talk)
    }

    fn connect(&mut self, connection: Connection) {
        self.page().connection = connection;
        if connection != Connection::Live {
            // Nobody will answer what was asked over the connection that is gone.
            self.page().pending = Pending::default();
            self.talk().waits = false;
            self.last_said = None;
        }
    }

    fn begin(&mut self, view: View, read: Option<MessageId>) {
        let reading = &self.talk.reading;
        let known = self.talk.view.as_ref();
        let known = known.is_some_and(|known| known.get().lines_of == view.lines_of);
        let read = if known { Some(reading.read()) } else { read };
        let reading = Reading::begin(&view.lines, read, reading.looking());
        if view.account.is_some() {
            self.page().ended = None;
        }
        let view = ViewRef::new(view, reading.mark(), self.zone.clone());
        self.page().view = Some(view.clone());
        self.talk().view = Some(view);
        self.talk().reading = reading;
    }

    fn happen(&mut self, event: &Event) {
        if self.talk.view.is_none() || self.is_of_another_tab(event) {
            return;
        }
        self.talk().happen(event);
        match event {
            Event::Message(message) if message.is_own() => self.last_said = None,
            Event::Failed { failure, .. } if failure.command == "say" => {
                self.page().unsent = self.last_said.take();
            }
            Event::LoggedIn { .. } | Event::LoggedOut { .. } => self.last_said = None,
            _ => {}
        }
        let is_of_lines = matches!(
            event,
            Event::Message(_) | Event::Delivered { .. } | Event::History { .. }
        );
        if !is_of_lines {
            self.page().happen(event);
        }
    }

    /// Another tab reads back: its pages would leave a gap here.
    fn is_of_another_tab(&self, event: &Event) -> bool {
        matches!(event, Event::History { .. }) && !self.talk.waits
    }

    fn ask(&mut self, command: &Command) {
        let page = self.page();
        page.failures
            .retain(|failure| failure.command != command.name());
        if matches!(command, Command::Search { .. }) {
            page.found = None;
        }
        page.pending.ask(command);
        self.talk().ask(command);
        if let Command::Say { text } = command {
            self.last_said = Some(text.as_str().into());
        }
    }
}

#[cfg(test)]
mod tests;
