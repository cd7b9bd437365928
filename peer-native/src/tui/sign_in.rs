//! The sign-in form, shown whenever no account is signed in.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use p2pchat_model::wording::{self, label};
use p2pchat_model::{
    Command, Event, Failure, Link, Passphrase, PassphraseError, Problem, Username,
};
use p2pchat_protocol::UsernameError;

use super::editor::Editor;
use super::input_line::edit;

/// Where the cursor is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Focus {
    #[default]
    Name,
    Password,
    /// The password of a new account, a second time.
    Again,
    SignIn,
    CreateAccount,
}

impl Focus {
    /// The fields and buttons in their order.
    fn all(sign_in: &SignIn) -> &'static [Self] {
        if sign_in.is_renewal {
            &[Self::Password, Self::SignIn]
        } else if sign_in.is_new {
            &[
                Self::Name,
                Self::Password,
                Self::Again,
                Self::CreateAccount,
                Self::SignIn,
            ]
        } else {
            &[
                Self::Name,
                Self::Password,
                Self::SignIn,
                Self::CreateAccount,
            ]
        }
    }
}

/// The fields and their errors.
#[derive(Debug)]
pub(super) struct SignIn {
    pub(super) name: Editor,
    pub(super) password: Editor,
    pub(super) again: Editor,
    /// A new account is to be created, for which the password is typed twice.
    pub(super) is_new: bool,
    /// The registry needs the password of this account again.
    pub(super) is_renewal: bool,
    pub(super) focus: Focus,
    pub(super) name_error: Option<String>,
    pub(super) password_error: Option<String>,
    pub(super) again_error: Option<String>,
    /// An error of no field.
    pub(super) error: Option<String>,
    /// That error holds only while the registry is away.
    is_about_link: bool,
    /// The registry has been asked and has not answered.
    pub(super) waiting: bool,
}

impl SignIn {
    pub(super) fn new(name: Option<Username>) -> Self {
        let mut sign_in = Self {
            name: Editor::default(),
            password: Editor::for_secret(),
            again: Editor::for_secret(),
            is_new: false,
            is_renewal: false,
            focus: Focus::Name,
            name_error: None,
            password_error: None,
            again_error: None,
            error: None,
            is_about_link: false,
            waiting: false,
        };
        if let Some(name) = name {
            sign_in.name.set(name.as_str());
            sign_in.focus = Focus::Password;
        }
        sign_in
    }

    /// The form for the password of an account that is signed in.
    pub(super) fn renewing(name: Username) -> Self {
        let mut form = Self::new(Some(name));
        form.is_renewal = true;
        form
    }

    /// Handles a key; returns the command to send.
    pub(super) fn key(&mut self, key: KeyEvent) -> Option<Command> {
        if self.waiting {
            return None;
        }
        match key.code {
            KeyCode::Tab | KeyCode::Down => self.step(true),
            KeyCode::BackTab | KeyCode::Up => self.step(false),
            KeyCode::Enter => return self.enter(),
            _ => self.type_key(key),
        }
        None
    }

    fn step(&mut self, forwards: bool) {
        let all = Focus::all(self);
        let at = all.iter().position(|focus| *focus == self.focus);
        let by = if forwards { 1 } else { all.len() - 1 };
        self.focus = all[(at.unwrap_or(0) + by) % all.len()];
    }

    fn type_key(&mut self, key: KeyEvent) {
        match (self.focus, key.code) {
            (Focus::SignIn, KeyCode::Right | KeyCode::Left) if !self.is_renewal => {
                self.focus = Focus::CreateAccount;
            }
            (Focus::CreateAccount, KeyCode::Right | KeyCode::Left) => self.focus = Focus::SignIn,
            (Focus::SignIn | Focus::CreateAccount, _) => {}
            (Focus::Again, _) => {
                self.again_error = None;
                edit(&mut self.again, key, Passphrase::MAX);
            }
            (Focus::Name, _) => {
                self.name_error = None;
                if !edit(&mut self.name, key, Username::MAX) {
                    let bytes = length_with(&self.name, key);
                    self.name_error = bytes.map(name_too_long);
                }
            }
            (Focus::Password, _) => {
                self.password_error = None;
                if !edit(&mut self.password, key, Passphrase::MAX) {
                    let bytes = length_with(&self.password, key);
                    self.password_error = bytes.map(password_too_long);
                }
            }
        }
    }

    /// Inserts pasted text into the field, completely or not at all.
    pub(super) fn paste(&mut self, text: &str) {
        let (field, limit, error) = match self.focus {
            Focus::Name => (&mut self.name, Username::MAX, &mut self.name_error),
            Focus::Password => (
                &mut self.password,
                Passphrase::MAX,
                &mut self.password_error,
            ),
            Focus::Again => (&mut self.again, Passphrase::MAX, &mut self.again_error),
            Focus::SignIn | Focus::CreateAccount => return,
        };
        // A copied line has its line end.
        let text = text.trim_end_matches(['\r', '\n']);
        let bytes = field.text().len() + text.len();
        *error = None;
        if text.contains(['\r', '\n']) {
            *error = Some("only one line can be pasted here".to_owned());
        } else if bytes > limit {
            *error = Some(if self.focus == Focus::Name {
                name_too_long(bytes)
            } else {
                password_too_long(bytes)
            });
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
            Focus::Password if self.is_new => {
                self.focus = Focus::Again;
                None
            }
            Focus::Password | Focus::SignIn => {
                self.is_new = false;
                self.again.wipe();
                self.submit(false)
            }
            Focus::Again | Focus::CreateAccount => self.create(),
        }
    }

    /// Creates the account, once the password is there twice.
    fn create(&mut self) -> Option<Command> {
        if !self.is_new {
            self.is_new = true;
            self.error = None;
            self.focus = if self.name.is_empty() {
                Focus::Name
            } else if self.password.is_empty() {
                Focus::Password
            } else {
                Focus::Again
            };
            return None;
        }
        if self.again.text() != self.password.text() {
            self.again_error = Some(label::PASSWORDS_DIFFER.to_owned());
            self.again.wipe();
            self.focus = Focus::Again;
            return None;
        }
        self.submit(true)
    }

    /// A hint about a password for a new account that is easy to guess.
    pub(super) fn password_hint(&self) -> Option<&'static str> {
        let hint = wording::weak_password(self.password.text(), self.name.text());
        hint.filter(|_| self.is_new)
    }

    fn submit(&mut self, register: bool) -> Option<Command> {
        let name = Username::new(self.name.text()).and_then(|name| {
            if register {
                name.check_new()?;
            }
            Ok(name)
        });
        let password = Passphrase::new(self.password.text());
        self.error = None;
        self.name_error = name.as_ref().err().map(ToString::to_string);
        self.password_error = password.as_ref().err().map(ToString::to_string);
        match (name, password) {
            (Ok(name), Ok(password)) => {
                self.waiting = true;
                Some(if register {
                    Command::register(name, password)
                } else {
                    Command::login(name, password)
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

    /// Shows the answer of the registry. `is_answer` is whether the event answers this form.
    pub(super) fn apply(&mut self, event: &Event, is_answer: bool) {
        match event {
            Event::LoggedIn { name, .. } => *self = Self::new(Some(*name)),
            Event::Link(Link::Up) if std::mem::take(&mut self.is_about_link) => self.error = None,
            Event::LoggedOut { problem, .. } => {
                self.waiting = false;
                self.error = problem.map(wording::signed_out);
            }
            Event::Failed(failure) if is_answer => self.failed(failure),
            _ => {}
        }
    }

    fn failed(&mut self, failure: &Failure) {
        self.waiting = false;
        self.is_about_link = failure.code == Problem::RegistryUnreachable;
        let message = Some(failure.message.clone());
        match failure.code {
            Problem::NameTaken | Problem::BadName => {
                self.name_error = message;
                self.focus = Focus::Name;
            }
            Problem::BadPassword | Problem::WrongCredentials => {
                self.password_error = message;
                self.password.wipe();
                self.again.wipe();
                self.focus = Focus::Password;
            }
            _ => self.error = message,
        }
    }
}

impl Drop for SignIn {
    fn drop(&mut self) {
        self.password.wipe();
        self.again.wipe();
    }
}

/// The length of a field with one more letter; `None` for keys that type no letter.
fn length_with(field: &Editor, key: KeyEvent) -> Option<usize> {
    let command = KeyModifiers::CONTROL | KeyModifiers::ALT;
    match key.code {
        KeyCode::Char(letter) if !key.modifiers.intersects(command) => {
            Some(field.text().len() + letter.len_utf8())
        }
        _ => None,
    }
}

fn name_too_long(bytes: usize) -> String {
    UsernameError::TooLong(bytes).to_string()
}

fn password_too_long(bytes: usize) -> String {
    PassphraseError::TooLong(bytes).to_string()
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
    fn name_enter_password_enter_signs_in() {
        let mut sign_in = SignIn::new(None);
        type_text(&mut sign_in, "alice");
        assert_eq!(enter(&mut sign_in), None);
        type_text(&mut sign_in, "secret");
        let command = enter(&mut sign_in);
        assert_eq!(
            command,
            Some(Command::login(
                "alice".parse().unwrap(),
                "secret".parse().unwrap()
            ))
        );
        assert!(sign_in.waiting);
        assert_eq!(enter(&mut sign_in), None, "it is sent once");
    }

    #[test]
    fn a_new_account_needs_a_valid_name() {
        let mut sign_in = SignIn::new(None);
        type_text(&mut sign_in, "a b");
        sign_in.focus = Focus::Password;
        type_text(&mut sign_in, "secret");
        sign_in.focus = Focus::CreateAccount;
        assert_eq!(enter(&mut sign_in), None);
        type_text(&mut sign_in, "secret");
        assert_eq!(enter(&mut sign_in), None);
        assert_eq!(sign_in.focus, Focus::Name);
        let expected = UsernameError::WhiteSpace.to_string();
        assert_eq!(sign_in.name_error, Some(expected));
    }

    #[test]
    fn an_account_is_created_once_the_password_is_there_twice() {
        let mut sign_in = SignIn::new(None);
        type_text(&mut sign_in, "alice");
        enter(&mut sign_in);
        type_text(&mut sign_in, "alice");
        assert_eq!(sign_in.password_hint(), None, "no new account yet");
        sign_in.key(KeyEvent::from(KeyCode::Tab));
        sign_in.key(KeyEvent::from(KeyCode::Right));
        assert_eq!(enter(&mut sign_in), None);
        assert_eq!(sign_in.focus, Focus::Again);
        assert!(sign_in.password_hint().unwrap().contains("name"));
        type_text(&mut sign_in, "alicf");
        assert_eq!(enter(&mut sign_in), None);
        assert_eq!(
            sign_in.again_error.as_deref(),
            Some(label::PASSWORDS_DIFFER)
        );
        assert!(sign_in.again.is_empty());
        type_text(&mut sign_in, "alice");
        let created = Command::register("alice".parse().unwrap(), "alice".parse().unwrap());
        assert_eq!(
            enter(&mut sign_in),
            Some(created),
            "a weak one is the user's choice"
        );
    }

    #[test]
    fn a_sign_in_asks_for_the_password_once() {
        let mut sign_in = SignIn::new(Some("alice".parse().unwrap()));
        type_text(&mut sign_in, "secret");
        sign_in.focus = Focus::CreateAccount;
        enter(&mut sign_in);
        assert!(sign_in.is_new);
        sign_in.focus = Focus::SignIn;
        assert!(matches!(enter(&mut sign_in), Some(Command::Login { .. })));
        assert!(!sign_in.is_new);
    }

    #[test]
    fn an_error_about_the_registry_goes_when_it_is_back() {
        let mut sign_in = SignIn::new(None);
        let fail = |sign_in: &mut SignIn, problem: Problem| {
            let failure = Failure::new(Timestamp(0), "login", problem);
            sign_in.apply(&Event::Failed(failure), true);
            sign_in.apply(&Event::Link(Link::Up), false);
            sign_in.error.is_some()
        };
        assert!(!fail(&mut sign_in, Problem::RegistryUnreachable));
        assert!(
            fail(&mut sign_in, Problem::SlowDown),
            "that one is not about it"
        );
    }

    #[test]
    fn a_letter_too_many_is_refused_with_an_error() {
        let mut sign_in = SignIn::new(None);
        type_text(&mut sign_in, "abcdefghijk");
        assert_eq!(sign_in.name.text(), "abcdefghij");
        assert_eq!(sign_in.name_error, Some(name_too_long(11)));
        sign_in.focus = Focus::Password;
        sign_in.paste("0123456789abcdef\n");
        assert!(sign_in.password.is_empty(), "a password is never cut");
        assert!(sign_in.password_error.is_some());
    }

    #[test]
    fn a_capital_letter_too_many_has_the_same_error_and_a_shortcut_has_none() {
        let mut sign_in = SignIn::new(None);
        type_text(&mut sign_in, "abcdefghij");
        let press = |sign_in: &mut SignIn, modifiers| {
            sign_in.key(KeyEvent::new(KeyCode::Char('K'), modifiers));
            sign_in.name_error.clone()
        };
        let error = Some(name_too_long(11));
        assert_eq!(press(&mut sign_in, KeyModifiers::SHIFT), error);
        assert_eq!(press(&mut sign_in, KeyModifiers::ALT), None);
        assert_eq!(sign_in.name.text(), "abcdefghij");
        sign_in.focus = Focus::Password;
        type_text(&mut sign_in, "0123456789abcde");
        sign_in.key(KeyEvent::new(KeyCode::Char('F'), KeyModifiers::SHIFT));
        assert_eq!(sign_in.password_error, Some(password_too_long(16)));
    }

    #[test]
    fn an_error_is_shown_beside_its_field() {
        let mut sign_in = SignIn::new(Some("alice".parse().unwrap()));
        type_text(&mut sign_in, "wrong");
        enter(&mut sign_in);
        let failure = Failure::new(Timestamp(0), "login", Problem::WrongCredentials);
        sign_in.apply(&Event::Failed(failure), true);
        assert!(!sign_in.waiting);
        assert!(sign_in.password.is_empty());
        assert!(sign_in.password_error.is_some());
    }

    #[test]
    fn only_the_answer_to_the_form_is_its_error() {
        let mut sign_in = SignIn::new(None);
        let failure = Failure::new(Timestamp(0), "login", Problem::WrongCredentials);
        sign_in.waiting = true;
        sign_in.apply(&Event::Failed(failure), false);
        assert!(sign_in.waiting && sign_in.password_error.is_none());
    }

    #[test]
    fn the_password_is_asked_for_again_for_the_account_that_is_signed_in() {
        let mut sign_in = SignIn::renewing("alice".parse().unwrap());
        for _ in 0..3 {
            sign_in.key(KeyEvent::from(KeyCode::Tab));
            assert!(matches!(sign_in.focus, Focus::Password | Focus::SignIn));
        }
        sign_in.key(KeyEvent::from(KeyCode::Right));
        sign_in.focus = Focus::Password;
        type_text(&mut sign_in, "secret");
        let login = Command::login("alice".parse().unwrap(), "secret".parse().unwrap());
        assert_eq!(enter(&mut sign_in), Some(login));
    }
}
