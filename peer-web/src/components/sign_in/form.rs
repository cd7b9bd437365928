//! The values of the form, and what is wrong with them.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, Passphrase, Problem, Username};
use yew::AttrValue;

use crate::logic::sentence::{failed, sentence};
use crate::state::Page;

/// The id of the field for the name.
pub(super) const NAME: &str = "sign-in-name";
/// The id of the field for the password.
pub(super) const PASSWORD: &str = "sign-in-password";

/// The id of the field for the password of a new account, a second time.
pub(super) const AGAIN: &str = "sign-in-again";

/// Whether the registry has not answered yet.
pub(in crate::components) fn is_waiting(state: &Page) -> bool {
    state.waits_for(&["login", "register"])
}

/// The values of the form.
pub(super) struct Form {
    /// Whether it creates an account.
    pub(super) new: bool,
    pub(super) name: String,
    pub(super) password: String,
    /// The password a second time, for a new account.
    pub(super) again: String,
    /// Whether the user has tried to send it.
    pub(super) tried: bool,
}

/// What is wrong, beside the field where it is.
#[derive(Default)]
pub(super) struct Errors {
    pub(super) name: Option<AttrValue>,
    pub(super) password: Option<AttrValue>,
    pub(super) again: Option<AttrValue>,
    /// What concerns no single field.
    pub(super) form: Option<AttrValue>,
}

impl Form {
    /// The command that the form gives; else the id of the first field that is wrong.
    pub(super) fn command(&self) -> Result<Command, &'static str> {
        let name = self.checked_name().map_err(|_| NAME)?;
        let password = Passphrase::new(&self.password).map_err(|_| PASSWORD)?;
        if self.new && self.again != self.password {
            return Err(AGAIN);
        }
        Ok(if self.new {
            Command::register(name, password)
        } else {
            Command::login(name, password)
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
        if self.tried || self.password.len() > Passphrase::MAX {
            let wrong = Passphrase::new(&self.password).err();
            errors.password = wrong
                .map(|error| sentence(&error.to_string()).into())
                .or(errors.password);
        }
        let is_whole = self.again.len() >= self.password.len();
        if self.new && self.again != self.password && (self.tried || is_whole) {
            errors.again = Some(sentence(label::PASSWORDS_DIFFER).into());
        }
        errors
    }

    /// A note on the length of a new name.
    pub(super) fn name_hint(&self) -> Option<AttrValue> {
        self.length_hint(&self.name, Username::MAX)
    }

    /// A note on a new password that is easily guessed, or on its length.
    pub(super) fn password_hint(&self) -> Option<AttrValue> {
        let weak = wording::weak_password(&self.password, &self.name).filter(|_| self.new);
        weak.map(|words| sentence(words).into())
            .or_else(|| self.length_hint(&self.password, Passphrase::MAX))
    }

    fn length_hint(&self, value: &str, max: usize) -> Option<AttrValue> {
        let words = wording::letters_left(value.len(), max).filter(|_| self.new);
        words.map(|words| sentence(&words).into())
    }

    fn refusal(&self, state: &Page) -> Errors {
        let mut errors = Errors::default();
        let command = if self.new { "register" } else { "login" };
        if let (Some(failure), false) = (state.failure(command), is_waiting(state)) {
            let message = Some(AttrValue::from(failed(failure)));
            match failure.code {
                Problem::NameTaken | Problem::BadName => errors.name = message,
                Problem::BadPassword | Problem::WrongCredentials => errors.password = message,
                _ => errors.form = message,
            }
        }
        errors
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
