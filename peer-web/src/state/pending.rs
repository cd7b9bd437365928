//! What was asked and not answered yet.

use std::rc::Rc;

use p2pchat_model::{Command, Event, MessageId};

/// What was asked and not answered yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// To log in or register.
    pub session: bool,
    /// A page of history, older than this message (or the newest).
    pub history: Option<Option<MessageId>>,
    /// A search through the history.
    pub find: bool,
    /// A search for a user, or who is online.
    pub people: bool,
    /// The last text that was said: it comes back if it could not be sent.
    pub last_said: Option<Rc<str>>,
}

impl Pending {
    /// Takes note of a command.
    pub fn ask(&mut self, command: &Command) {
        match command {
            Command::Register { .. } | Command::Login { .. } => self.session = true,
            Command::History { before } => self.history = Some(*before),
            Command::Find { .. } => self.find = true,
            Command::Search { .. } | Command::Refresh => self.people = true,
            Command::Say { text } => self.last_said = Some(text.as_str().into()),
            _ => {}
        }
    }

    /// Takes note of an answer.
    pub fn answer(&mut self, event: &Event) {
        match event {
            // The newest page comes by itself.
            Event::LoggedIn { .. } => {
                *self = Self {
                    history: Some(None),
                    ..Self::default()
                }
            }
            Event::LoggedOut { .. } => *self = Self::default(),
            Event::History { .. } => self.history = None,
            Event::Findings { .. } => self.find = false,
            Event::Found { .. } | Event::Online { .. } => self.people = false,
            Event::Message(message) if message.is_own() => self.last_said = None,
            Event::Failed { failure, .. } => match failure.command.as_str() {
                "register" | "login" => self.session = false,
                "history" => self.history = None,
                "find" => self.find = false,
                "search" | "refresh" => self.people = false,
                _ => {}
            },
            _ => {}
        }
    }
}
