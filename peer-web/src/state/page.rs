//! The part of the state that changes rarely.

use std::rc::Rc;

use p2pchat_model::{Command, Event, Failure, Link, PeerAddr, Problem, Username};

use crate::bridge::Connection;

use super::notes::{self, Note};
use super::view::ViewHandle;

/// The commands whose answers stand below the field that finds people.
const SEARCHES: [&str; 3] = ["request", "search", "refresh"];

/// The part of the state that changes rarely.
#[derive(Clone, PartialEq, Default)]
pub struct Page {
    /// The view. A new message or a new delivery status is not a new revision here.
    pub view: Option<ViewHandle>,
    /// The connection to the bridge.
    pub connection: Connection,
    /// Whether the bridge has another build of the page by now.
    pub outdated: bool,
    /// The commands that have no answer yet.
    pub pending: Pending,
    /// The last failure of each command that was not sent again since.
    pub failures: Vec<Failure>,
    /// The answer to the last search for a user.
    pub found: Option<Found>,
    /// What became of requests, the newest last.
    pub notes: Vec<Note>,
    /// The account that was signed in last in this page, unless the user signed out.
    pub last_account: Option<Username>,
    /// Why the registry ended the session, if it did.
    pub ended: Option<Problem>,
    /// Whether the user signs out only to sign in again, here in place of another computer.
    pub moves_here: bool,
    /// A text that was not sent and belongs back into the message field.
    pub unsent: Option<Rc<str>>,
}

/// The answer to a search for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The user's name.
    pub name: Username,
    /// Their address, if they are online.
    pub address: Option<PeerAddr>,
}

/// Which commands have no answer yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// To sign in, or to create an account.
    pub session: bool,
    /// A search through the history.
    pub find: bool,
    /// A search for a user, or a refresh of who is online.
    pub people: bool,
}

impl Page {
    /// The failure of the last command of this name, unless it was sent again since.
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

    /// The last failure of a search for people or of a chat request.
    #[must_use]
    pub fn search_failure(&self) -> Option<&Failure> {
        SEARCHES.iter().find_map(|command| self.failure(command))
    }

    /// Whether there is an answer to an earlier search.
    pub(super) fn has_search_answer(&self) -> bool {
        self.found.is_some() || self.search_failure().is_some()
    }

    /// Forgets the answers to earlier searches.
    pub(super) fn forget_search(&mut self) {
        self.found = None;
        self.failures
            .retain(|failure| !SEARCHES.contains(&failure.command.as_str()));
    }

    /// Whether the account is online at another address: others reach the user there.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        let Some(view) = self.view.as_ref().map(|view| view.get()) else {
            return false;
        };
        let own = view
            .online
            .iter()
            .find(|user| Some(user.name) == view.account);
        own.is_some_and(|user| Some(user.address) != view.address)
    }

    /// Records a command that is sent.
    pub(super) fn on_command(&mut self, command: &Command) {
        self.failures
            .retain(|failure| failure.command != command.name());
        if matches!(command, Command::Search { .. }) {
            self.found = None;
        }
        self.pending.on_command(command);
    }

    /// Applies an event that is not one of the conversation.
    pub(super) fn on_event(&mut self, event: &Event) {
        if let Some(view) = &mut self.view {
            view.touch();
        }
        self.pending.on_event(event);
        notes::follow(&mut self.notes, event);
        self.forget_stale(event);
        match event {
            Event::LoggedIn { name, .. } => {
                self.ended = None;
                self.last_account = Some(*name);
            }
            Event::LoggedOut { problem, .. } => {
                self.ended = *problem;
                if problem.is_none() && !std::mem::take(&mut self.moves_here) {
                    self.last_account = None;
                }
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

    /// Forgets answers that this event makes untrue.
    fn forget_stale(&mut self, event: &Event) {
        let mut forget = |problem| self.failures.retain(|failure| failure.problem != problem);
        match event {
            Event::Link(Link::Up) => forget(Problem::RegistryUnreachable),
            Event::MemberJoined { .. } => forget(Problem::NobodyThere),
            Event::Online { users } => {
                forget(Problem::NotOnline);
                if let Some(found) = &mut self.found {
                    let listed = users.iter().find(|user| user.name == found.name);
                    found.address = listed.map(|user| user.address);
                }
            }
            _ => {}
        }
    }

    /// Puts a text where the message field takes it from, behind what waits there already.
    pub(super) fn return_text(&mut self, text: &str) {
        self.unsent = Some(match &self.unsent {
            Some(earlier) => format!("{earlier}\n{text}").into(),
            None => text.into(),
        });
    }
}

impl Pending {
    fn on_command(&mut self, command: &Command) {
        match command {
            Command::Register { .. } | Command::Login { .. } => self.session = true,
            Command::Find { .. } => self.find = true,
            Command::Search { .. } | Command::Refresh => self.people = true,
            _ => {}
        }
    }

    fn on_event(&mut self, event: &Event) {
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
