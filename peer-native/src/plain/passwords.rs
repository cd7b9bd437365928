//! Questions for names and passwords.

use anyhow::Result;
use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, DisplayName, Passphrase, Username};

use super::{Front, Stage};
use crate::client::For;

impl Front {
    pub(super) fn name_given(&mut self, register: bool, name: &str) {
        match Username::new(name) {
            Ok(name) => self.stage = Stage::Password { register, name },
            Err(error) => self.print(&error.to_string()),
        }
    }

    pub(super) fn again(&mut self, name: Username, password: Passphrase, again: &str) {
        if password.expose() == again {
            self.stage = Stage::DisplayName { name, password };
            return;
        }
        self.print(label::PASSWORDS_DIFFER);
        let register = true;
        self.stage = Stage::Password { register, name };
    }

    pub(super) async fn password(
        &mut self,
        register: bool,
        name: Username,
        password: &str,
    ) -> Result<()> {
        if register {
            if let Some(password) = self.new_password(password) {
                if let Some(hint) =
                    wording::password::weak_password(password.expose(), name.as_str())
                {
                    self.print(hint);
                }
                self.stage = Stage::Again { name, password };
            }
            return Ok(());
        }
        let password = if password.is_empty() {
            None
        } else if let Some(password) = self.passphrase(password) {
            Some(password)
        } else {
            return Ok(());
        };
        let command = Command::Login { name, password };
        self.client.send(For::User, command).await
    }

    /// A password, or a line about what is wrong with it.
    pub(super) fn passphrase(&mut self, text: &str) -> Option<Passphrase> {
        let password = Passphrase::new(text);
        if let Err(error) = &password {
            self.print(&error.to_string());
        }
        password.ok()
    }

    /// The same for a new one, with a line if some programs cannot use it.
    pub(super) fn new_password(&mut self, text: &str) -> Option<Passphrase> {
        let password = self.passphrase(text)?;
        if password.to_version_1().is_err() {
            self.print(wording::security::PASSWORD_NOT_LEGACY);
        }
        Some(password)
    }

    /// Creates the account with this display name.
    pub(super) async fn display_name(
        &mut self,
        name: Username,
        password: Passphrase,
        text: &str,
    ) -> Result<()> {
        let display_name = match DisplayName::new(text) {
            Ok(display_name) => display_name,
            Err(error) => {
                self.print(&error.to_string());
                self.stage = Stage::DisplayName { name, password };
                return Ok(());
            }
        };
        let command = Command::Register {
            name,
            password,
            display_name,
        };
        self.client.send(For::User, command).await
    }
}
