//! The sign-in form, shown whenever no account is signed in, and the form that changes the
//! password.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use p2pchat_model::wording::{self, label};
use p2pchat_model::{
    Command, DisplayName, DisplayNameError, Event, Failure, Link, Passphrase, PassphraseError,
    Problem, Username,
};
use p2pchat_protocol::UsernameError;

use super::editor::Editor;
use super::input_line::edit;

/// The longest text in the field for a registry, in bytes: several names with their keys.
const MAX_REGISTRY: usize = 1024;

/// Where the cursor is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Focus {
    #[default]
    Name,
    /// The name that others see beside that of a new account.
    DisplayName,
    Password,
    /// The password that it shall be.
    New,
    /// A new password, a second time.
    Again,
    SignIn,
    CreateAccount,
    Change,
}

/// What the form is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To sign in, or to create an account for that.
    SignIn,
    /// The registry needs the password of the account again.
    Renewal,
    /// To change the password of the account.
    Change,
}

impl Focus {
    /// The fields and buttons in their order.
    pub(super) fn all(form: &SignIn) -> &'static [Self] {
        match form.purpose {
            Purpose::Renewal => &[Self::Password, Self::SignIn],
            Purpose::Change => &[Self::Password, Self::New, Self::Again, Self::Change],
            Purpose::SignIn if form.is_new => &[
                Self::Name,
                Self::DisplayName,
                Self::Password,
                Self::Again,
                Self::CreateAccount,
                Self::SignIn,
            ],
            Purpose::SignIn => &[
                Self::Name,
                Self::Password,
                Self::SignIn,
                Self::CreateAccount,
            ],
        }
    }
}

/// A field, and what is wrong with it.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) editor: Editor,
    pub(super) error: Option<String>,
    /// The longest text, in bytes.
    pub(super) limit: usize,
    /// What is wrong with a text of so many bytes.
    too_long: fn(usize) -> String,
}

impl Field {
    fn name() -> Self {
        let too_long = |bytes| UsernameError::TooLong(bytes).to_string();
        Self::new(Editor::default(), Username::MAX, too_long)
    }

    fn display_name() -> Self {
        let too_long = |bytes| DisplayNameError::TooLong(bytes).to_string();
        Self::new(Editor::default(), DisplayName::MAX, too_long)
    }

    fn password() -> Self {
        let too_long = |bytes| PassphraseError::TooLong(bytes).to_string();
        Self::new(Editor::for_secret(), Passphrase::MAX, too_long)
    }

    /// One for a registry, or for an invitation to it.
    pub(super) fn registry() -> Self {
        let too_long = |bytes| format!("{bytes} letters are no address");
        Self::new(Editor::default(), MAX_REGISTRY, too_long)
    }

    fn new(editor: Editor, limit: usize, too_long: fn(usize) -> String) -> Self {
        Self {
            editor,
            error: None,
            limit,
            too_long,
        }
    }

    pub(super) fn text(&self) -> &str {
        self.editor.text()
    }

    pub(super) fn type_key(&mut self, key: KeyEvent) {
        self.error = None;
        if !edit(&mut self.editor, key, self.limit) {
            self.error = length_with(&self.editor, key).map(self.too_long);
        }
    }

    /// Inserts pasted text, completely or not at all.
    pub(super) fn paste(&mut self, text: &str) {
        // A copied line has its line end.
        let text = text.trim_end_matches(['\r', '\n']);
        let bytes = self.text().len() + text.len();
        self.error = None;
        if text.contains(['\r', '\n']) {
            self.error = Some("only one line can be pasted here".to_owned());
        } else if bytes > self.limit {
            self.error = Some((self.too_long)(bytes));
        } else {
            self.editor.insert(text);
        }
    }

    /// Notes what is wrong with the text.
    fn check<T, E: ToString>(&mut self, value: Result<T, E>) -> Option<T> {
        self.error = value.as_ref().err().map(ToString::to_string);
        value.ok()
    }
}

/// The fields and their errors.
#[derive(Debug)]
pub(super) struct SignIn {
    pub(super) purpose: Purpose,
    pub(super) name: Field,
    pub(super) display_name: Field,
    pub(super) password: Field,
    pub(super) new: Field,
    pub(super) again: Field,
    /// A new account is to be created, for which the password is typed twice.
    pub(super) is_new: bool,
    pub(super) focus: Focus,
    /// An error of no field.
    pub(super) error: Option<String>,
    /// That error holds only while the registry is away.
    is_about_link: bool,
    /// The registry has been asked and has not answered.
    pub(super) waiting: bool,
    /// No account was signed in since the start.
    pub(super) is_first: bool,
}

impl SignIn {
    pub(super) fn new(name: Option<Username>) -> Self {
        let mut form = Self {
            purpose: Purpose::SignIn,
            name: Field::name(),
            display_name: Field::display_name(),
            password: Field::password(),
            new: Field::password(),
            again: Field::password(),
            is_new: false,
            focus: Focus::Name,
            error: None,
            is_about_link: false,
            waiting: false,
            is_first: true,
        };
        if let Some(name) = name {
            form.name.editor.set(name.as_str());
            form.focus = Focus::Password;
        }
        form
    }

    /// The form for the password of an account that is signed in.
    pub(super) fn renewing(name: Username) -> Self {
        let mut form = Self::new(Some(name));
        form.purpose = Purpose::Renewal;
        form
    }

    /// The form for a new password of an account that is signed in.
    pub(super) fn changing(name: Username) -> Self {
        let mut form = Self::new(Some(name));
        form.purpose = Purpose::Change;
        form
    }

    /// The field that has the focus, if it is not a button.
    fn field(&mut self) -> Option<&mut Field> {
        match self.focus {
            Focus::Name => Some(&mut self.name),
            Focus::DisplayName => Some(&mut self.display_name),
            Focus::Password => Some(&mut self.password),
            Focus::New => Some(&mut self.new),
            Focus::Again => Some(&mut self.again),
            Focus::SignIn | Focus::CreateAccount | Focus::Change => None,
        }
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
        let sideways = matches!(key.code, KeyCode::Right | KeyCode::Left);
        match self.focus {
            Focus::SignIn if sideways && self.purpose == Purpose::SignIn => {
                self.focus = Focus::CreateAccount;
            }
            Focus::CreateAccount if sideways => self.focus = Focus::SignIn,
            _ => {
                if let Some(field) = self.field() {
                    field.type_key(key);
                }
            }
        }
    }

    /// Inserts pasted text into the field.
    pub(super) fn paste(&mut self, text: &str) {
        if let Some(field) = self.field() {
            field.paste(text);
        }
    }

    fn enter(&mut self) -> Option<Command> {
        match self.focus {
            Focus::Password if self.is_new || self.purpose == Purpose::Change => self.step(true),
            Focus::Name | Focus::DisplayName | Focus::New => self.step(true),
            Focus::Password | Focus::SignIn => {
                self.is_new = false;
                self.again.editor.wipe();
                return self.sign_in();
            }
            Focus::Again | Focus::Change if self.purpose == Purpose::Change => {
                return self.change();
            }
            Focus::Again | Focus::CreateAccount | Focus::Change => return self.create(),
        }
        None
    }

    /// Whether a new password is there twice; says so if not.
    fn is_repeated(&mut self) -> bool {
        let new = match self.purpose {
            Purpose::Change => &self.new,
            Purpose::SignIn | Purpose::Renewal => &self.password,
        };
        if self.again.text() == new.text() {
            return true;
        }
        self.again.error = Some(label::PASSWORDS_DIFFER.to_owned());
        self.again.editor.wipe();
        self.focus = Focus::Again;
        false
    }

    /// Creates the account, once the password is there twice.
    fn create(&mut self) -> Option<Command> {
        if !self.is_new {
            self.is_new = true;
            self.error = None;
            self.password.error = None;
            self.focus = if self.name.editor.is_empty() {
                Focus::Name
            } else if self.password.editor.is_empty() {
                Focus::Password
            } else {
                Focus::Again
            };
            return None;
        }
        if !self.is_repeated() {
            return None;
        }
        self.error = None;
        let name = Username::new(self.name.text()).and_then(|name| {
            name.check_new()?;
            Ok(name)
        });
        let name = self.name.check(name);
        let display_name = DisplayName::new(self.display_name.text().trim());
        let display_name = self.display_name.check(display_name);
        let password = Passphrase::new(self.password.text());
        let password = self.password.check(password);
        self.go_to_error();
        let (name, display_name, password) = (name?, display_name?, password?);
        self.waiting = true;
        Some(Command::Register {
            name,
            password,
            display_name,
        })
    }

    /// Signs in; without a password, the key of this computer does.
    fn sign_in(&mut self) -> Option<Command> {
        self.error = None;
        let name = Username::new(self.name.text());
        let name = self.name.check(name);
        let password = match self.password.text() {
            "" => Ok(None),
            text => Passphrase::new(text).map(Some),
        };
        let password = self.password.check(password);
        self.go_to_error();
        let (name, password) = (name?, password?);
        self.waiting = true;
        Some(Command::Login { name, password })
    }

    /// Changes the password, once the new one is there twice.
    fn change(&mut self) -> Option<Command> {
        if !self.is_repeated() {
            return None;
        }
        self.error = None;
        let old = Passphrase::new(self.password.text());
        let old = self.password.check(old);
        let new = Passphrase::new(self.new.text());
        let new = self.new.check(new);
        self.go_to_error();
        let (old, new) = (old?, new?);
        self.waiting = true;
        Some(Command::ChangePassword { old, new })
    }

    /// Goes to the first field with an error.
    fn go_to_error(&mut self) {
        let fields = [
            (Focus::Name, &self.name),
            (Focus::DisplayName, &self.display_name),
            (Focus::Password, &self.password),
            (Focus::New, &self.new),
        ];
        let mut wrong = fields.iter().filter(|(_, field)| field.error.is_some());
        if let Some((focus, _)) = wrong.next() {
            self.focus = *focus;
        }
    }

    /// What there is to say about the text of a field while it is written.
    pub(super) fn note(&self, focus: Focus) -> Option<String> {
        match focus {
            Focus::Name => wording::password::letters_left(self.name.text().len(), Username::MAX),
            Focus::Password if self.is_new => self.password_note(&self.password),
            Focus::New => self.password_note(&self.new),
            Focus::Password
                if self.purpose == Purpose::SignIn && self.password.text().is_empty() =>
            {
                Some(wording::security::PASSWORD_OPTIONAL.to_owned())
            }
            _ => None,
        }
    }

    /// A hint about a new password that is easy to guess, or that some programs cannot use.
    fn password_note(&self, password: &Field) -> Option<String> {
        let max = p2pchat_model::Password::MAX;
        let weak = wording::password::weak_password(password.text(), self.name.text());
        match password.text().len() {
            _ if weak.is_some() => weak.map(str::to_owned),
            length if length > max => Some(wording::security::PASSWORD_NOT_LEGACY.to_owned()),
            length if length == max => Some(wording::password::too_long_for_legacy(max)),
            _ => None,
        }
    }

    /// Shows the answer of the registry. `is_answer` is whether the event answers this form.
    pub(super) fn apply(&mut self, event: &Event, is_answer: bool) {
        match event {
            Event::LoggedIn { .. } if self.purpose == Purpose::Change => {}
            Event::LoggedIn { name, .. } => {
                *self = Self::new(Some(*name));
                self.is_first = false;
            }
            Event::Link(Link::Up) if std::mem::take(&mut self.is_about_link) => self.error = None,
            Event::LoggedOut { problem, .. } => {
                self.waiting = false;
                self.error = problem.map(wording::line::signed_out);
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
                self.name.error = message;
                self.focus = Focus::Name;
            }
            Problem::BadPassword if self.purpose == Purpose::Change => {
                self.new.error = message;
                self.again.editor.wipe();
                self.focus = Focus::New;
            }
            Problem::BadPassword
            | Problem::WrongCredentials
            | Problem::WrongPassword
            | Problem::PasswordNeeded => {
                self.password.error = message;
                self.password.editor.wipe();
                if self.purpose == Purpose::SignIn {
                    self.again.editor.wipe();
                }
                self.focus = Focus::Password;
            }
            // What to do about it matters more than what it is.
            Problem::OtherPerson | Problem::DeviceForgotten | Problem::TooManyDevices => {
                self.error = Some(format!("{}: {}", failure.message, failure.advice));
            }
            _ => self.error = message,
        }
    }
}

impl Drop for SignIn {
    fn drop(&mut self) {
        for field in [&mut self.password, &mut self.new, &mut self.again] {
            field.editor.wipe();
        }
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

#[cfg(test)]
mod tests {
    use p2pchat_model::Timestamp;

    use super::*;

    fn name_too_long(bytes: usize) -> String {
        UsernameError::TooLong(bytes).to_string()
    }

    fn password_too_long(bytes: usize) -> String {
        PassphraseError::TooLong(bytes).to_string()
    }

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
        assert_eq!(sign_in.name.error, Some(expected));
    }

    #[test]
    fn an_account_is_created_once_the_password_is_there_twice() {
        let mut sign_in = SignIn::new(None);
        type_text(&mut sign_in, "alice");
        enter(&mut sign_in);
        type_text(&mut sign_in, "alice");
        assert_eq!(sign_in.note(Focus::Password), None, "no new account yet");
        sign_in.key(KeyEvent::from(KeyCode::Tab));
        sign_in.key(KeyEvent::from(KeyCode::Right));
        assert_eq!(enter(&mut sign_in), None);
        assert_eq!(sign_in.focus, Focus::Again);
        assert!(sign_in.note(Focus::Password).unwrap().contains("name"));
        type_text(&mut sign_in, "alicf");
        assert_eq!(enter(&mut sign_in), None);
        assert_eq!(
            sign_in.again.error.as_deref(),
            Some(label::PASSWORDS_DIFFER)
        );
        assert!(sign_in.again.editor.is_empty());
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
        assert_eq!(sign_in.name.error, Some(name_too_long(11)));
        sign_in.focus = Focus::Password;
        sign_in.paste(&format!("{}\n", "x".repeat(257)));
        assert!(
            sign_in.password.editor.is_empty(),
            "a password is never cut"
        );
        assert!(sign_in.password.error.is_some());
    }

    #[test]
    fn a_capital_letter_too_many_has_the_same_error_and_a_shortcut_has_none() {
        let mut sign_in = SignIn::new(None);
        type_text(&mut sign_in, "abcdefghij");
        let press = |sign_in: &mut SignIn, modifiers| {
            sign_in.key(KeyEvent::new(KeyCode::Char('K'), modifiers));
            sign_in.name.error.clone()
        };
        let error = Some(name_too_long(11));
        assert_eq!(press(&mut sign_in, KeyModifiers::SHIFT), error);
        assert_eq!(press(&mut sign_in, KeyModifiers::ALT), None);
        assert_eq!(sign_in.name.text(), "abcdefghij");
        sign_in.focus = Focus::Password;
        type_text(&mut sign_in, &"x".repeat(256));
        sign_in.key(KeyEvent::new(KeyCode::Char('F'), KeyModifiers::SHIFT));
        assert_eq!(sign_in.password.error, Some(password_too_long(257)));
    }

    #[test]
    fn an_error_is_shown_beside_its_field() {
        let mut sign_in = SignIn::new(Some("alice".parse().unwrap()));
        type_text(&mut sign_in, "wrong");
        enter(&mut sign_in);
        let failure = Failure::new(Timestamp(0), "login", Problem::WrongCredentials);
        sign_in.apply(&Event::Failed(failure), true);
        assert!(!sign_in.waiting);
        assert!(sign_in.password.editor.is_empty());
        assert!(sign_in.password.error.is_some());
    }

    #[test]
    fn only_the_answer_to_the_form_is_its_error() {
        let mut sign_in = SignIn::new(None);
        let failure = Failure::new(Timestamp(0), "login", Problem::WrongCredentials);
        sign_in.waiting = true;
        sign_in.apply(&Event::Failed(failure), false);
        assert!(sign_in.waiting && sign_in.password.error.is_none());
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

    #[test]
    fn without_a_password_the_key_of_this_computer_signs_in() {
        let mut sign_in = SignIn::new(Some("alice".parse().unwrap()));
        let optional = Some(wording::security::PASSWORD_OPTIONAL.to_owned());
        assert_eq!(sign_in.note(Focus::Password), optional);
        let name = "alice".parse().unwrap();
        let password = None;
        let command = enter(&mut sign_in);
        assert_eq!(command, Some(Command::Login { name, password }));
        let failure = Failure::new(Timestamp(0), "login", Problem::PasswordNeeded);
        sign_in.apply(&Event::Failed(failure), true);
        assert_eq!(sign_in.focus, Focus::Password);
        assert!(sign_in.password.error.is_some());
    }

    #[test]
    fn a_new_account_may_have_a_display_name_and_a_long_password() {
        let mut sign_in = SignIn::new(Some("alice".parse().unwrap()));
        sign_in.focus = Focus::CreateAccount;
        enter(&mut sign_in);
        sign_in.focus = Focus::DisplayName;
        type_text(&mut sign_in, "Alice Adams");
        assert_eq!(enter(&mut sign_in), None);
        assert_eq!(sign_in.focus, Focus::Password);
        type_text(&mut sign_in, "several words of it");
        let note = sign_in.note(Focus::Password).unwrap();
        assert!(note.contains("older programs"), "{note}");
        enter(&mut sign_in);
        type_text(&mut sign_in, "several words of it");
        let command = enter(&mut sign_in);
        let expected = Command::Register {
            name: "alice".parse().unwrap(),
            password: "several words of it".parse().unwrap(),
            display_name: "Alice Adams".parse().unwrap(),
        };
        assert_eq!(command, Some(expected));
    }

    #[test]
    fn a_password_is_changed_once_the_new_one_is_there_twice() {
        let mut form = SignIn::changing("alice".parse().unwrap());
        for text in ["secret", "better", "bitter"] {
            type_text(&mut form, text);
            assert_eq!(enter(&mut form), None);
        }
        assert_eq!(form.again.error.as_deref(), Some(label::PASSWORDS_DIFFER));
        type_text(&mut form, "better");
        let (old, new) = ("secret".parse().unwrap(), "better".parse().unwrap());
        assert_eq!(enter(&mut form), Some(Command::ChangePassword { old, new }));
        let failure = Failure::new(Timestamp(0), "change_password", Problem::WrongPassword);
        form.apply(&Event::Failed(failure), true);
        assert_eq!(form.focus, Focus::Password);
        assert_eq!(
            form.new.text(),
            "better",
            "only the wrong one is typed again"
        );
    }
}
