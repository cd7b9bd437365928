//! The values of the form, and what is wrong with them.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, DisplayName, Passphrase, Password, Problem, Username};
use yew::AttrValue;

use crate::logic::sentence::{failed, sentence, with_advice};
use crate::state::Page;

/// The id of the field for the name.
pub(super) const NAME: &str = "sign-in-name";
/// The id of the field for the password.
pub(super) const PASSWORD: &str = "sign-in-password";

/// The id of the field for the password of a new account, a second time.
pub(super) const AGAIN: &str = "sign-in-again";
/// The id of the field for the display name of a new account.
pub(super) const DISPLAY: &str = "sign-in-display";

/// Whether the registry has not answered yet.
pub(in crate::components) fn is_waiting(state: &Page) -> bool {
    state.waits_for(&["login", "register"])
}

/// Whether the last login failed for this reason.
pub(super) fn is_refused(state: &Page, problem: Problem) -> bool {
    let failure = state.failure("login");
    failure.is_some_and(|failure| failure.code == problem)
}

/// The values of the form.
pub(super) struct Form {
    /// Whether it creates an account.
    pub(super) new: bool,
    pub(super) name: String,
    pub(super) password: String,
    /// The password a second time, for a new account.
    pub(super) again: String,
    /// The display name of a new account.
    pub(super) display: String,
    /// Whether the registry speaks version 1 alone: it takes short passwords and no keys.
    pub(super) legacy: bool,
    /// Whether the user has tried to send it.
    pub(super) tried: bool,
    /// Whether this name was sent last: what was wrong then is wrong with it.
    pub(super) was_sent: bool,
}

/// What is wrong, beside the field where it is.
#[derive(Default)]
pub(super) struct Errors {
    pub(super) name: Option<AttrValue>,
    pub(super) password: Option<AttrValue>,
    pub(super) again: Option<AttrValue>,
    pub(super) display: Option<AttrValue>,
    /// What concerns no single field.
    pub(super) form: Option<AttrValue>,
}

impl Form {
    /// The command that the form gives; else the id of the first field that is wrong.
    pub(super) fn command(&self, state: &Page) -> Result<Command, &'static str> {
        let name = self.checked_name().map_err(|_| NAME)?;
        let password = self.checked_password(state).map_err(|_| PASSWORD)?;
        let password = match password {
            Some(password) if self.new => password,
            password => return Ok(Command::Login { name, password }),
        };
        if self.again != self.password {
            return Err(AGAIN);
        }
        let display_name = DisplayName::new(self.display.trim()).map_err(|_| DISPLAY)?;
        Ok(Command::Register {
            name,
            password,
            display_name,
        })
    }

    /// What is wrong: by the answer to the last command, or with the values. Before the first
    /// try only what more letters cannot mend.
    pub(super) fn errors(&self, state: &Page) -> Errors {
        let mut errors = self.refusal(state);
        let too_long = self.name.len() > Username::MAX;
        if self.tried || too_long || (self.new && !self.name.is_empty()) {
            let wrong = self.checked_name().err().map(AttrValue::from);
            errors.name = wrong.or(errors.name);
        }
        if self.tried || !self.password.is_empty() {
            let wrong = self.checked_password(state).err().map(AttrValue::from);
            errors.password = wrong.or(errors.password);
        }
        let wrong = DisplayName::new(self.display.trim()).err();
        errors.display = wrong.map(|error| sentence(&error.to_string()).into());
        let is_whole = self.again.len() >= self.password.len();
        if self.new && self.again != self.password && (self.tried || is_whole) {
            errors.again = Some(sentence(label::PASSWORDS_DIFFER).into());
        }
        errors
    }

    /// A note on the length of a new name.
    pub(super) fn name_hint(&self) -> Option<AttrValue> {
        let words =
            wording::password::letters_left(self.name.len(), Username::MAX).filter(|_| self.new);
        words.map(|words| sentence(&words).into())
    }

    /// A note on a new password that is easily guessed or too long for older programs; that
    /// there need not be one, for an account of this computer.
    pub(super) fn password_hint(&self) -> Option<AttrValue> {
        let words = if self.new {
            let weak =
                wording::password::weak_password(&self.password, &self.name).map(str::to_owned);
            weak.or_else(|| wording::password::long_password(self.password.len()))
        } else {
            let optional = self.password.is_empty() && !self.legacy;
            optional.then(|| label::PASSWORD_OPTIONAL.to_owned())
        };
        words.map(|words| sentence(&words).into())
    }

    fn refusal(&self, state: &Page) -> Errors {
        let mut errors = Errors::default();
        let command = if self.new { "register" } else { "login" };
        if let (Some(failure), false) = (state.failure(command), is_waiting(state)) {
            let message = Some(AttrValue::from(failed(failure)));
            match failure.code {
                // It was about another name.
                Problem::NameTaken
                | Problem::BadName
                | Problem::WrongCredentials
                | Problem::PasswordNeeded
                    if !self.was_sent => {}
                Problem::NameTaken | Problem::BadName => errors.name = message,
                Problem::BadPassword | Problem::WrongCredentials | Problem::PasswordNeeded => {
                    errors.password = message;
                }
                _ => errors.form = Some(with_advice(failure).into()),
            }
        }
        errors
    }

    /// `None` where the key of this computer may do.
    fn checked_password(&self, state: &Page) -> Result<Option<Passphrase>, String> {
        let is_asked = self.was_sent && is_refused(state, Problem::PasswordNeeded);
        if self.password.is_empty() && !(self.new || self.legacy) {
            let words = || sentence(Problem::PasswordNeeded.words());
            return if is_asked { Err(words()) } else { Ok(None) };
        }
        if self.legacy {
            Password::new(&self.password).map_err(|error| sentence(&error.to_string()))?;
        }
        let password = Passphrase::new(&self.password);
        let password = password.map_err(|error| sentence(&error.to_string()))?;
        Ok(Some(password))
    }

    fn checked_name(&self) -> Result<Username, String> {
        let name = Username::new(&self.name).map_err(|error| sentence(&error.to_string()))?;
        if self.new {
            name.check_new()
                .map_err(|error| sentence(&error.to_string()))?;
        }
        Ok(name)
    }
}
