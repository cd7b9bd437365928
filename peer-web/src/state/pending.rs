//! What was asked and not answered yet.

use p2pchat_model::{Command, Event};

/// What was asked and not answered yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// To log in or register.
    pub session: bool,
    /// A search through the history.
    pub find: bool,
    /// A search for a user, or who is online.
    pub people: bool,
}

impl Pending {
    /// Takes note of a command.
    pub fn ask(&mut self, command: &Command) {
        match command {
            Command::Register { .. } | Command::Login { .. } => self.session = true,
            Command::Find { .. } => self.find = true,
            Command::Search { .. } | Command::Refresh => self.people = true,
            _ => {}
        }
    }

    /// Takes note of an answer.
    pub fn answer(&mut self, event: &Event) {
        match event {
            Event::LoggedIn { .. } | Event::LoggedOut { .. } => *self = Self::default(),
            Event::Findings { .. } => self.find = false,
            Event::Found { .. } | Event::Online { .. } => self.people = false,
            Event::Failed { failure, .. } => match failure.command.as_str() {
                "register" | "login" => self.session = false,
                "find" => self.find = false,
                "search" | "refresh" => self.people = false,
                _ => {}
            },
            _ => {}
        }
    }
}
