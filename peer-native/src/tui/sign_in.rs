//! The first screen: who are you? It is shown whenever nobody is logged in.

use crossterm::event::{KeyCode, KeyEvent};
use p2pchat_model::{Command, Event, Failure, Password, Problem, Username};

use super::editor::Editor;
use super::input_line::edit;

/// Where the cursor is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Focus {
    #[default]
    Name,
    Password,
    LogIn,
    Register,
}

impl Focus {
    const ALL: [Self; 4] = [Self::Name, Self::Password, Self::LogIn, Self::Register];

    fn step(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|focus| *focus == self);
        Self::ALL[(at.unwrap_or(0) + by) % Self::ALL.len()]
    }
}

/// What is typed into the two fields, and what is wrong with it.
#[derive(Debug)]
pub(super) struct SignIn {
    pub(super) name: Editor,
    pub(super) password: Editor,
    pub(super) focus: Focus,
    pub(super) name_error: Option<String>,
    pub(super) password_error: Option<String>,
    /// What concerns neither field alone.
    pub(super) error: Option<String>,
    /// The registry has been asked and has not answered.
    pub(super) waiting: bool,
}

impl SignIn {
    pub(super) fn new(name: Option<Username>) -> Self {
        let mut sign_in = Self {
            name: Editor::default(),
            password: Editor::for_secret(),
            focus: Focus::Name,
            name_error: None,
            password_error: None,
            error: None,
            waiting: false,
        };
        if let Some(name) = name {
            sign_in.name.set(name.as_str());
            sign_in.focus = Focus::Password;
        }
        sign_in
    }

    /// Handles a key; gives what is to be asked of the registry.
    pub(super) fn key(&mut self, key: KeyEvent) -> Option<Command> {
        if self.waiting {
            return None;
        }
        match key.code {
            KeyCode::Tab | KeyCode::Down => self.focus = self.focus.step(1),
            KeyCode::BackTab | KeyCode::Up => self.focus = self.focus.step(3),
            KeyCode::Enter => return self.enter(),
            _ => self.type_key(key),
        }
        None
    }

    fn type_key(&mut self, key: KeyEvent) {
        match (self.focus, key.code) {
            (Focus::LogIn, KeyCode::Right) => self.focus = Focus::Register,
            (Focus::Register, KeyCode::Left) => self.focus = Focus::LogIn,
            (Focus::LogIn | Focus::Register, _) => {}
            (Focus::Name, _) => {
                self.name_error = None;
                if !edit(&mut self.name, key, Username::MAX) {
                    self.name_error = full(key, Username::MAX);
                }
            }
            (Focus::Password, _) => {
                self.password_error = None;
                if !edit(&mut self.password, key, Password::MAX) {
                    self.password_error = full(key, Password::MAX);
                }
            }
        }
    }

    /// Puts pasted text into the field, whole or not at all.
    pub(super) fn paste(&mut self, text: &str) {
        let (field, limit, error) = match self.focus {
            Focus::Name => (&mut self.name, Username::MAX, &mut self.name_error),
            Focus::Password => (&mut self.password, Password::MAX, &mut self.password_error),
            Focus::LogIn | Focus::Register => return,
        };
        // Copied lines come with their end.
        let text = text.trim_end_matches(['\r', '\n']);
        *error = None;
        if text.contains(['\r', '\n']) {
            *error = Some("that is more than one line".to_owned());
        } else if field.text().len() + text.len() > limit {
            *error = Some(too_long(limit));
        } else {
            field.insert(text);
        }
    }

    fn enter(&mut self) -> Option<Command> {
        match self.focus {
            Focus::Name => {
                self.focus = Focus::Password;
                None
            }
            Focus::Password | Focus::LogIn => self.submit(false),
            Focus::Register => self.submit(true),
        }
    }

    fn submit(&mut self, register: bool) -> Option<Command> {
        let name = Username::new(self.name.text()).and_then(|name| {
            if register {
                name.check_new()?;
            }
            Ok(name)
        });
        let password = Password::new(self.password.text());
        self.error = None;
        self.name_error = name.as_ref().err().map(ToString::to_string);
        self.password_error = password.as_ref().err().map(ToString::to_string);
        match (name, password) {
            (Ok(name), Ok(password)) => {
                self.waiting = true;
                Some(match register {
                    true => Command::Register { name, password },
                    false => Command::Login { name, password },
                })
            }
            (Err(_), _) => {
                self.focus = Focus::Name;
                None
            }
            (_, Err(_)) => {
                self.focus = Focus::Password;
                None
            }
        }
    }

    /// Takes note of the answer.
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::LoggedIn { name, .. } => *self = Self::new(Some(*name)),
            Event::LoggedOut { problem, .. } => {
                self.waiting = false;
                self.error = problem.map(|problem| format!("logged out: {}", problem.words()));
            }
            Event::Failed { failure, .. }
                if matches!(failure.command.as_str(), "login" | "register") =>
            {
                self.failed(failure);
            }
            _ => {}
        }
    }

    fn failed(&mut self, failure: &Failure) {
        self.waiting = false;
        let message = Some(failure.message.clone());
        match failure.problem {
            Problem::NameTaken | Problem::BadName => {
                self.name_error = message;
                self.focus = Focus::Name;
            }
            Problem::BadPassword | Problem::WrongCredentials => {
                self.password_error = message;
                self.password.wipe();
                self.focus = Focus::Password;
            }
            _ => self.error = message,
        }
    }
}

impl Drop for SignIn {
    fn drop(&mut self) {
        self.password.wipe();
    }
}

/// The error for a letter that found no room; none for keys that mean nothing here.
fn full(key: KeyEvent, limit: usize) -> Option<String> {
    match key.code {
        KeyCode::Char(_) if key.modifiers.is_empty() => Some(too_long(limit)),
        _ => None,
    }
}

fn too_long(limit: usize) -> String {
    format!("{limit} bytes at the most; letters beyond ASCII take two or more")
}

#[cfg(test)]
mod tests {
    use p2pchat_model::Timestamp;

    use super::*;

    fn type_text(sign_in: &mut SignIn, text: &str) {
        for letter in text.chars() {
            assert_eq!(sign_in.key(KeyEvent::from(KeyCode::Char(letter))), None);
        }
    }

    fn enter(sign_in: &mut SignIn) -> Option<Command> {
        sign_in.key(KeyEvent::from(KeyCode::Enter))
    }

    #[test]
    fn name_enter_password_enter_logs_in() {
        let mut sign_in = SignIn::new(None);
        type_text(&mut sign_in, "alice");
        assert_eq!(enter(&mut sign_in), None);
        type_text(&mut sign_in, "secret");
        let command = enter(&mut sign_in);
        assert_eq!(
            command,
            Some(Command::Login {
                name: "alice".parse().unwrap(),
                password: "secret".parse().unwrap()
            })
        );
        assert!(sign_in.waiting);
        assert_eq!(enter(&mut sign_in), None, "asked once");
    }

    #[test]
    fn the_other_button_makes_an_account_and_wants_a_good_name() {
        let mut sign_in = SignIn::new(None);
        type_text(&mut sign_in, "a b");
        sign_in.focus = Focus::Password;
        type_text(&mut sign_in, "secret");
        sign_in.key(KeyEvent::from(KeyCode::Tab));
        sign_in.key(KeyEvent::from(KeyCode::Right));
        assert_eq!(enter(&mut sign_in), None);
        assert_eq!(sign_in.focus, Focus::Name);
        assert!(
            sign_in
                .name_error
                .as_deref()
                .unwrap()
                .contains("white space")
        );
    }

    #[test]
    fn a_letter_too_many_is_refused_and_said() {
        let mut sign_in = SignIn::new(None);
        type_text(&mut sign_in, "abcdefghijk");
        assert_eq!(sign_in.name.text(), "abcdefghij");
        assert!(sign_in.name_error.as_deref().unwrap().contains("10 bytes"));
        sign_in.focus = Focus::Password;
        sign_in.paste("0123456789abcdef\n");
        assert!(sign_in.password.is_empty(), "a password is never cut");
        assert!(sign_in.password_error.is_some());
    }

    #[test]
    fn an_error_stands_beside_the_field_that_it_is_about() {
        let mut sign_in = SignIn::new(Some("alice".parse().unwrap()));
        type_text(&mut sign_in, "wrong");
        enter(&mut sign_in);
        let failure = Failure {
            command: "login".to_owned(),
            problem: Problem::WrongCredentials,
            message: "no such account, or not its password".to_owned(),
        };
        let at = Timestamp(0);
        sign_in.apply(&Event::Failed { at, failure });
        assert!(!sign_in.waiting);
        assert!(sign_in.password.is_empty());
        assert!(sign_in.password_error.is_some());
    }
}
