//! A peer's options, as every program that runs one takes them: flags, variables and keys
//! of its section, what wins, and the checks.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use p2pchat_model::PeerAddr;
use p2pchat_peer::Options;
use thiserror::Error;

use crate::folders;

/// The longest time a chat request may wait, in seconds: a day.
pub const MAX_REQUEST_LIMIT: u64 = 24 * 60 * 60;

/// A peer's options, as they are given in one place. `None` means: look into the next.
#[derive(Debug, Default, Args)]
pub struct PeerArgs {
    /// The registry: a name or an address; with commas, several that serve the same users
    /// [file: registry] [default: 127.0.0.1:3131]
    #[arg(long, env = "P2PCHAT_REGISTRY", value_name = "HOST[:PORT]")]
    pub registry: Option<String>,

    /// Where the registry takes hellos, by UDP [file: hello-port] [default: 5151]
    #[arg(long, env = "P2PCHAT_HELLO_PORT", value_name = "PORT")]
    pub hello_port: Option<u16>,

    /// The address to be reached at; each peer on a machine needs one of its own
    /// [file: address] [default: the one this machine reaches the registry from]
    #[arg(long, env = "P2PCHAT_ADDRESS", value_name = "IPV4")]
    pub address: Option<String>,

    /// Take messages at port 5859 without trying 1010, which needs a privilege on most
    /// systems [file: unprivileged]
    #[arg(long, env = "P2PCHAT_UNPRIVILEGED", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true",
          value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub unprivileged: Option<bool>,

    /// How long a chat request waits for an answer [file: request-limit] [default: 60]
    #[arg(long, env = "P2PCHAT_REQUEST_LIMIT", value_name = "SECONDS")]
    pub request_limit: Option<u64>,

    /// The file to keep what was said in [file: history] [default: history.sqlite3 in the
    /// user's data folder]
    #[arg(long, env = "P2PCHAT_HISTORY", value_name = "FILE")]
    pub history: Option<PathBuf>,

    /// Keep nothing of what was said [file: no-history]
    #[arg(long, env = "P2PCHAT_NO_HISTORY", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true",
          value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub no_history: Option<bool>,

    /// The file to keep in who is blocked [file: blocks] [default: blocks.sqlite3 in the
    /// user's data folder]
    #[arg(long, env = "P2PCHAT_BLOCKS", value_name = "FILE")]
    pub blocks: Option<PathBuf>,

    /// The config file [default: p2pchat/config.toml in the user's config folder]
    #[arg(long, env = "P2PCHAT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What is wrong with the settings of a program that runs a peer, and what to do about it.
#[derive(Debug, Error)]
pub enum SettingError {
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
    /// There is no place for the history.
    #[error(
        "this user has no home folder to keep the history in: name a file with --history FILE, or give --no-history"
    )]
    NoHome,
}

impl SettingError {
    /// A value of this option that means nothing.
    pub fn value(option: &'static str, reason: impl Into<String>) -> Self {
        Self::Value {
            option,
            reason: reason.into(),
        }
    }
}

/// How much an option counts: 0 where it is given nowhere or switched off, then file,
/// environment, command line.
#[must_use]
pub fn rank(matches: &ArgMatches, id: &str, given: Option<bool>, file: bool) -> u8 {
    match (given, matches.value_source(id)) {
        (Some(true), Some(ValueSource::CommandLine)) => 3,
        (Some(true), _) => 2,
        (None, _) if file => 1,
        _ => 0,
    }
}

impl PeerArgs {
    /// The options of a peer: what the command line and the environment say (`self`, of
    /// which `matches` knows the sources), what the file says, and the defaults.
    ///
    /// # Errors
    /// If a value is wrong, or two contradict each other.
    pub fn options(self, file: Self, matches: &ArgMatches) -> Result<Options, SettingError> {
        let default = Options::default();
        Ok(Options {
            history: history(&self, &file, matches)?,
            // Without a home folder the list is forgotten at the end, and blocking says so.
            blocks: self
                .blocks
                .or(file.blocks)
                .or_else(|| folders::data_file("blocks.sqlite3")),
            registry: match self.registry.or(file.registry) {
                None => default.registry,
                Some(registry) => checked_registry(registry)?,
            },
            address: match self.address.or(file.address) {
                None => default.address,
                Some(text) => Some(checked_address(&text)?),
            },
            unprivileged: self
                .unprivileged
                .or(file.unprivileged)
                .unwrap_or(default.unprivileged),
            request_limit: match self.request_limit.or(file.request_limit) {
                None => default.request_limit,
                Some(seconds) => checked_request_limit(seconds)?,
            },
            hello_port: match self.hello_port.or(file.hello_port) {
                Some(0) => {
                    return Err(SettingError::value("--hello-port", "a port is 1 to 65535"));
                }
                port => port.unwrap_or(default.hello_port),
            },
        })
    }
}

fn history(
    given: &PeerArgs,
    file: &PeerArgs,
    matches: &ArgMatches,
) -> Result<Option<PathBuf>, SettingError> {
    let named = given.history.as_ref().map(|_| true);
    let keep = rank(matches, "history", named, file.history.is_some());
    let none = file.no_history == Some(true);
    let none = rank(matches, "no_history", given.no_history, none);
    match (keep, none) {
        (0, 0) => match folders::data_file("history.sqlite3") {
            Some(path) => Ok(Some(path)),
            None => Err(SettingError::NoHome),
        },
        _ if keep == none => Err(SettingError::Both("--history", "--no-history")),
        _ if none > keep => Ok(None),
        _ => Ok(given.history.clone().or(file.history.clone())),
    }
}

fn checked_registry(text: String) -> Result<String, SettingError> {
    match text.trim().is_empty() {
        true => Err(SettingError::value(
            "--registry",
            "a name or an address is needed",
        )),
        false => Ok(text),
    }
}

fn checked_address(text: &str) -> Result<PeerAddr, SettingError> {
    text.parse()
        .map_err(|error| SettingError::value("--address", format!("{text}: {error}")))
}

fn checked_request_limit(seconds: u64) -> Result<Duration, SettingError> {
    match seconds {
        1..=MAX_REQUEST_LIMIT => Ok(Duration::from_secs(seconds)),
        _ => Err(SettingError::value(
            "--request-limit",
            format!("1 to {MAX_REQUEST_LIMIT} seconds are possible"),
        )),
    }
}

#[cfg(test)]
mod tests;
