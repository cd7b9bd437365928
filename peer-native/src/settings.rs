//! What the program works with: the command line, the environment and the config file
//! in one, checked once.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use p2pchat_model::{Password, Username};
use p2pchat_peer::Options;
use p2pchat_settings::peer::rank;
use p2pchat_settings::{ConfigError, SettingError, config};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::cli::Given;
use crate::config::PeerSection;

/// Which front end to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The whole screen.
    Screen,
    /// Plain lines.
    Plain,
    /// JSON lines.
    Json,
}

/// A login to make at the start, without asking anybody.
#[derive(Debug, Clone)]
pub struct AutoLogin {
    /// The account.
    pub name: Username,
    /// Its password.
    pub password: Password,
    /// Whether to make the account first.
    pub register: bool,
}

/// What the program works with.
#[derive(Debug)]
pub struct Settings {
    /// For the peer.
    pub peer: Options,
    /// Which front end to be.
    pub mode: Mode,
    /// The account's name, to be asked for the password.
    pub user: Option<Username>,
    /// The login to make without asking.
    pub login: Option<AutoLogin>,
    /// Whether the mouse wheel scrolls.
    pub mouse: bool,
    /// Whether a chat request rings the bell.
    pub bell: bool,
    /// Where logs go instead of standard error.
    pub log_file: Option<PathBuf>,
}

/// What is wrong with the settings, and what to do about it.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The config file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A value, or two that contradict each other.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// One without what it needs.
    #[error("{0} needs {1} too")]
    Needs(&'static str, &'static str),
    /// The password file.
    #[error("cannot read the password file {}: {source}", path.display())]
    PasswordFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Settings {
    /// Puts together what the command line and the environment say (`given`, of which
    /// `matches` knows the sources) and what the config file says.
    ///
    /// # Errors
    /// If the file or a value is wrong, or two contradict each other.
    pub fn new(given: Given, matches: &ArgMatches) -> Result<Self, SettingsError> {
        let file = config::load(given.peer.config.as_deref());
        let mut file: PeerSection = file?;
        let mode = mode(&given, &file, matches)?;
        let peer = given.peer.options(file.shared(), matches)?;
        let user = given.user.or(file.user);
        let user = user.map(|name| Username::new(&name)).transpose();
        let user = user.map_err(|error| SettingError::value("--user", error.to_string()))?;
        let password_file = given.password_file.or(file.password_file);
        let register = given.register.or(file.register).unwrap_or(false);
        Ok(Self {
            peer,
            mode,
            login: auto_login(user, password_file.as_deref(), register)?,
            user,
            mouse: given.mouse.or(file.mouse).unwrap_or(false),
            bell: given.bell.or(file.bell).unwrap_or(true),
            log_file: given.log_file.or(file.log_file),
        })
    }
}

fn mode(given: &Given, file: &PeerSection, matches: &ArgMatches) -> Result<Mode, SettingError> {
    let plain = rank(matches, "plain", given.plain, file.plain == Some(true));
    let json = rank(matches, "json", given.json, file.json == Some(true));
    let on_terminal = || io::stdin().is_terminal() && io::stdout().is_terminal();
    match (plain, json) {
        (0, 0) if on_terminal() => Ok(Mode::Screen),
        (0, 0) => Ok(Mode::Plain),
        _ if plain == json => Err(SettingError::Both("--plain", "--json")),
        _ if plain > json => Ok(Mode::Plain),
        _ => Ok(Mode::Json),
    }
}

fn auto_login(
    user: Option<Username>,
    password_file: Option<&Path>,
    register: bool,
) -> Result<Option<AutoLogin>, SettingsError> {
    let Some(path) = password_file else {
        return match register {
            true => Err(SettingsError::Needs("--register", "--password-file")),
            false => Ok(None),
        };
    };
    let name = user.ok_or(SettingsError::Needs("--password-file", "--user"))?;
    if register {
        name.check_new()
            .map_err(|error| SettingError::value("--user", error.to_string()))?;
    }
    let password = read_password(path)?;
    Ok(Some(AutoLogin {
        name,
        password,
        register,
    }))
}

fn read_password(path: &Path) -> Result<Password, SettingsError> {
    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|source| SettingsError::PasswordFile {
        path: path.to_owned(),
        source,
    })?;
    let line = text.lines().next().unwrap_or_default();
    let password = Password::new(line).map_err(|error| {
        SettingError::value("--password-file", format!("{}: {error}", path.display()))
    });
    Ok(password?)
}

#[cfg(test)]
mod tests;
