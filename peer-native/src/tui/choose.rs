//! The choice of a registry: shown as long as there is none, and by a key of the sign-in form.

use crossterm::event::{KeyCode, KeyEvent};
use p2pchat_model::wording::first;
use p2pchat_model::{Command, Event, Failure, Link, Problem, View, uppercase};

use super::sign_in::Field;

/// Where the cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    Registry,
    Connect,
    Start,
}

/// What was asked of the peer and is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    Connecting,
    Starting,
}

/// The state of the choice.
#[derive(Debug)]
pub(super) struct Choose {
    pub(super) field: Field,
    pub(super) focus: Focus,
    pub(super) waiting: Option<Waiting>,
    /// What went wrong last.
    pub(super) error: Option<String>,
}

impl Choose {
    const ALL: [Focus; 3] = [Focus::Registry, Focus::Connect, Focus::Start];

    /// With the registry that there is, to be corrected.
    pub(super) fn new(view: &View) -> Self {
        let mut field = Field::registry();
        field.editor.set(&view.registry);
        Self {
            field,
            focus: Focus::Registry,
            waiting: None,
            error: first::not_reached(view),
        }
    }

    /// Handles a key; returns the command to send.
    pub(super) fn key(&mut self, key: KeyEvent) -> Option<Command> {
        if self.waiting == Some(Waiting::Starting) {
            return None;
        }
        match key.code {
            KeyCode::F(3) => return Some(self.start()),
            KeyCode::Enter if self.focus == Focus::Start => return Some(self.start()),
            KeyCode::Enter => return self.connect(),
            KeyCode::Tab | KeyCode::Down => self.step(1),
            KeyCode::BackTab | KeyCode::Up => self.step(Self::ALL.len() - 1),
            _ => {
                self.focus = Focus::Registry;
                self.field.type_key(key);
            }
        }
        None
    }

    fn step(&mut self, by: usize) {
        let at = Self::ALL.iter().position(|focus| *focus == self.focus);
        self.focus = Self::ALL[(at.unwrap_or(0) + by) % Self::ALL.len()];
    }

    /// Inserts pasted text: an invitation, for one.
    pub(super) fn paste(&mut self, text: &str) {
        self.focus = Focus::Registry;
        self.field.paste(first::registry_in(text));
    }

    fn start(&mut self) -> Command {
        self.error = None;
        self.field.error = None;
        self.waiting = Some(Waiting::Starting);
        Command::StartRegistry
    }

    fn connect(&mut self) -> Option<Command> {
        let registry = first::registry_in(self.field.text()).to_owned();
        self.error = None;
        if registry.is_empty() {
            self.field.error = Some(first::NAME_IT.to_owned());
            self.focus = Focus::Registry;
            return None;
        }
        self.field.editor.set(&registry);
        self.waiting = Some(Waiting::Connecting);
        Some(Command::UseRegistry { registry })
    }

    /// Shows what has happened; the view has it already. `is_answer` is whether it answers this
    /// choice.
    pub(super) fn apply(&mut self, event: &Event, is_answer: bool, view: &View) {
        match event {
            Event::RegistryFound { registry } if is_answer => {
                self.field.editor.set(registry);
                self.focus = Focus::Connect;
            }
            Event::Failed(failure) if is_answer => {
                self.waiting = None;
                match failure.code {
                    Problem::BadRegistry => self.field.error = Some(failure.message.clone()),
                    Problem::RegistryThere => {
                        self.error = Some(format!("{} {}", sentence(failure), first::USE_THAT));
                    }
                    _ => self.error = Some(sentence(failure)),
                }
            }
            Event::Link(Link::Down { .. }) if self.waiting == Some(Waiting::Connecting) => {
                self.waiting = None;
                self.error = first::not_reached(view);
            }
            _ => {}
        }
    }

    /// Whether the registry is there, so that there is nothing to choose any more.
    pub(super) fn is_over(event: &Event) -> bool {
        matches!(
            event,
            Event::Link(Link::Up | Link::PasswordNeeded | Link::KeyChanged { .. })
        )
    }
}

/// What went wrong, as a sentence.
fn sentence(failure: &Failure) -> String {
    let first = failure.message.chars().next().map_or(0, char::len_utf8);
    let (first, rest) = failure.message.split_at(first);
    format!("{}{rest}.", uppercase(first))
}
