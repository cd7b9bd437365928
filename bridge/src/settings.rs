//! What the program works with: the command line, the environment and the config file
//! in one, checked once.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;
use etcetera::BaseStrategy;
use p2pchat_model::PeerAddr;
use p2pchat_peer::Options;
use thiserror::Error;

use crate::cli::Given;
use crate::config::{self, BridgeSection, ConfigError};
use crate::gate;
use crate::limits::Limits;
use crate::secret::{Secret, SecretError};

/// What the program works with.
#[derive(Debug)]
pub struct Settings {
    /// For the peer.
    pub peer: Options,
    /// Where to listen for the browser.
    pub listen: SocketAddr,
    /// Pages that are let in besides our own, by their origin.
    pub origins: Vec<String>,
    /// Whether to open the page.
    pub open: bool,
    /// Where the secret is.
    pub secret_file: PathBuf,
    /// How much anybody may ask.
    pub limits: Limits,
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
    /// Others could reach the page.
    #[error(
        "--listen {0}: others than this machine can reach that, and nothing is encrypted: whoever can listen to the network reads the secret and every text, and can chat as this user. If that is what you want, add --expose-unencrypted"
    )]
    Exposed(SocketAddr),
    /// Two that cannot both be.
    #[error("{0} and {1} exclude each other: give one of them")]
    Both(&'static str, &'static str),
    /// There is no place for the secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// There is no place for the history.
    #[error(
        "this user has no home folder to keep the history in: name a file with --history FILE, or give --no-history"
    )]
    NoHome,
}

impl Settings {
    /// Where to listen for the browser unless said otherwise.
    pub const LISTEN: &str = "127.0.0.1:7878";
    /// The longest time a chat request may wait: a day.
    pub const MAX_REQUEST_LIMIT: u64 = 24 * 60 * 60;

    /// Puts together what the command line and the environment say (`given`, of which
    /// `matches` knows the sources) and what the config file says.
    ///
    /// # Errors
    /// If the file or a value is wrong, or two contradict each other.
    pub fn new(given: Given, matches: &ArgMatches) -> Result<Self, SettingsError> {
        let file = config::load(given.config.as_deref())?;
        let history = history(&given, &file, matches)?;
        let merged = merged(given, file);
        let defaults = Limits::default();
        Ok(Self {
            listen: listen(&merged)?,
            origins: origins(&merged.allow_origin)?,
            open: merged.open.unwrap_or(false),
            limits: Limits {
                connections: merged
                    .max_browser_connections
                    .unwrap_or(defaults.connections),
                ..defaults
            },
            peer: peer_options(&merged, history)?,
            secret_file: match merged.secret_file {
                Some(path) => path,
                None => Secret::default_path()?,
            },
        })
    }
}

fn wrong(option: &'static str, reason: impl Into<String>) -> SettingsError {
    SettingsError::Value {
        option,
        reason: reason.into(),
    }
}

/// The options that exclude no other, from where they are given first.
fn merged(given: Given, file: BridgeSection) -> BridgeSection {
    BridgeSection {
        listen: given.listen.or(file.listen),
        expose_unencrypted: given.expose_unencrypted.or(file.expose_unencrypted),
        allow_origin: match given.allow_origin.is_empty() {
            true => file.allow_origin,
            false => given.allow_origin,
        },
        open: given.open.or(file.open),
        secret_file: given.secret_file.or(file.secret_file),
        max_browser_connections: given
            .max_browser_connections
            .or(file.max_browser_connections),
        registry: given.registry.or(file.registry),
        hello_port: given.hello_port.or(file.hello_port),
        address: given.address.or(file.address),
        unprivileged: given.unprivileged.or(file.unprivileged),
        request_limit: given.request_limit.or(file.request_limit),
        ..BridgeSection::default()
    }
}

fn listen(merged: &BridgeSection) -> Result<SocketAddr, SettingsError> {
    let default = || Settings::LISTEN.parse().expect("the default is an address");
    let listen: SocketAddr = merged.listen.unwrap_or_else(default);
    match listen.ip().is_loopback() || merged.expose_unencrypted == Some(true) {
        true => Ok(listen),
        false => Err(SettingsError::Exposed(listen)),
    }
}

fn origins(given: &[String]) -> Result<Vec<String>, SettingsError> {
    let origins = given.iter().map(|text| gate::parse_origin(text));
    origins
        .collect::<Result<_, _>>()
        .map_err(|reason| wrong("--allow-origin", reason))
}

/// How much an option counts: 0 where it is given nowhere, then file, environment,
/// command line.
fn rank(matches: &ArgMatches, id: &str, is_given: bool, is_filed: bool) -> u8 {
    match (is_given, matches.value_source(id)) {
        (true, Some(ValueSource::CommandLine)) => 3,
        (true, _) => 2,
        (false, Some(_)) => 0,
        (false, None) => u8::from(is_filed),
    }
}

fn history(
    given: &Given,
    file: &BridgeSection,
    matches: &ArgMatches,
) -> Result<Option<PathBuf>, SettingsError> {
    let keep = rank(
        matches,
        "history",
        given.history.is_some(),
        file.history.is_some(),
    );
    let none = given.no_history == Some(true);
    let none = rank(matches, "no_history", none, file.no_history == Some(true));
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

fn peer_options(
    merged: &BridgeSection,
    history: Option<PathBuf>,
) -> Result<Options, SettingsError> {
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

#[cfg(test)]
mod tests;
