//! What the program works with: the command line, the environment and the config file
//! in one, checked once.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;
use etcetera::BaseStrategy;
use p2pchat_model::{Password, PeerAddr, Username};
use p2pchat_peer::Options;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::cli::Given;
use crate::config::{self, ConfigError, PeerSection};

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
    /// A value that means nothing.
    #[error("{option}: {reason}")]
    Value {
        /// Which option.
        option: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Two that cannot both be.
    #[error("{0} and {1} exclude each other: give one of them")]
    Both(&'static str, &'static str),
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
    /// There is no place for the history.
    #[error(
        "this user has no home folder to keep the history in: name a file with --history FILE, or give --no-history"
    )]
    NoHome,
}

impl Settings {
    /// The longest time a chat request may wait: a day.
    pub const MAX_REQUEST_LIMIT: u64 = 24 * 60 * 60;

    /// Puts together what the command line and the environment say (`given`, of which
    /// `matches` knows the sources) and what the config file says.
    ///
    /// # Errors
    /// If the file or a value is wrong, or two contradict each other.
    pub fn new(given: Given, matches: &ArgMatches) -> Result<Self, SettingsError> {
        let file = config::load(given.config.as_deref())?;
        let mode = mode(&given, &file, matches)?;
        let history = history(&given, &file, matches)?;
        let merged = merged(given, file);
        let user = match &merged.user {
            Some(name) => {
                Some(Username::new(name).map_err(|error| wrong("--user", error.to_string()))?)
            }
            None => None,
        };
        Ok(Self {
            login: auto_login(user, &merged)?,
            user,
            mode,
            mouse: merged.mouse.unwrap_or(false),
            bell: merged.bell.unwrap_or(true),
            peer: peer_options(&merged, history)?,
            log_file: merged.log_file,
        })
    }
}

fn wrong(option: &'static str, reason: impl Into<String>) -> SettingsError {
    let reason = reason.into();
    SettingsError::Value { option, reason }
}

/// The options that exclude no other, from where they are given first.
fn merged(given: Given, file: PeerSection) -> PeerSection {
    PeerSection {
        registry: given.registry.or(file.registry),
        address: given.address.or(file.address),
        user: given.user.or(file.user),
        password_file: given.password_file.or(file.password_file),
        register: given.register.or(file.register),
        request_limit: given.request_limit.or(file.request_limit),
        hello_port: given.hello_port.or(file.hello_port),
        unprivileged: given.unprivileged.or(file.unprivileged),
        mouse: given.mouse.or(file.mouse),
        bell: given.bell.or(file.bell),
        log_file: given.log_file.or(file.log_file),
        ..PeerSection::default()
    }
}

/// How much an option counts: 0 where it is given nowhere, then file, environment,
/// command line.
fn rank(matches: &ArgMatches, id: &str, given: Option<bool>, file: bool) -> u8 {
    match (given, matches.value_source(id)) {
        (Some(true), Some(ValueSource::CommandLine)) => 3,
        (Some(true), _) => 2,
        (None, _) if file => 1,
        _ => 0,
    }
}

fn mode(given: &Given, file: &PeerSection, matches: &ArgMatches) -> Result<Mode, SettingsError> {
    let plain = rank(matches, "plain", given.plain, file.plain == Some(true));
    let json = rank(matches, "json", given.json, file.json == Some(true));
    let on_terminal = || io::stdin().is_terminal() && io::stdout().is_terminal();
    match (plain, json) {
        (0, 0) if on_terminal() => Ok(Mode::Screen),
        (0, 0) => Ok(Mode::Plain),
        _ if plain == json => Err(SettingsError::Both("--plain", "--json")),
        _ if plain > json => Ok(Mode::Plain),
        _ => Ok(Mode::Json),
    }
}

fn history(
    given: &Given,
    file: &PeerSection,
    matches: &ArgMatches,
) -> Result<Option<PathBuf>, SettingsError> {
    let named = given.history.as_ref().map(|_| true);
    let keep = rank(matches, "history", named, file.history.is_some());
    let none = file.no_history == Some(true);
    let none = rank(matches, "no_history", given.no_history, none);
    match (keep, none) {
        (0, 0) => default_history().map(Some),
        _ if keep == none => Err(SettingsError::Both("--history", "--no-history")),
        _ if none > keep => Ok(None),
        _ => Ok(given.history.clone().or(file.history.clone())),
    }
}

fn default_history() -> Result<PathBuf, SettingsError> {
    let folders = etcetera::choose_base_strategy().map_err(|_| SettingsError::NoHome)?;
    Ok(folders.data_dir().join("p2pchat").join("history.sqlite3"))
}

fn peer_options(merged: &PeerSection, history: Option<PathBuf>) -> Result<Options, SettingsError> {
    let default = Options::default();
    let registry = merged.registry.clone().unwrap_or(default.registry);
    if registry.trim().is_empty() {
        return Err(wrong("--registry", "a name or an address is needed"));
    }
    let address = match &merged.address {
        Some(text) => Some(
            text.parse::<PeerAddr>()
                .map_err(|error| wrong("--address", format!("{text}: {error}")))?,
        ),
        None => None,
    };
    let request_limit = match merged.request_limit {
        None => default.request_limit,
        Some(seconds @ 1..=Settings::MAX_REQUEST_LIMIT) => Duration::from_secs(seconds),
        Some(_) => return Err(wrong("--request-limit", "1 to 86400 seconds are possible")),
    };
    let hello_port = match merged.hello_port {
        Some(0) => return Err(wrong("--hello-port", "a port is 1 to 65535")),
        port => port.unwrap_or(default.hello_port),
    };
    Ok(Options {
        registry,
        hello_port,
        address,
        unprivileged: merged.unprivileged.unwrap_or(default.unprivileged),
        request_limit,
        history,
    })
}

fn auto_login(
    user: Option<Username>,
    merged: &PeerSection,
) -> Result<Option<AutoLogin>, SettingsError> {
    let register = merged.register.unwrap_or(false);
    let Some(path) = &merged.password_file else {
        return match register {
            true => Err(SettingsError::Needs("--register", "--password-file")),
            false => Ok(None),
        };
    };
    let name = user.ok_or(SettingsError::Needs("--password-file", "--user"))?;
    if register {
        name.check_new()
            .map_err(|error| wrong("--user", error.to_string()))?;
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
    Password::new(line)
        .map_err(|error| wrong("--password-file", format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests;
