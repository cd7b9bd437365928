//! What the program works with: the command line, the environment and the config file
//! in one, checked once.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ArgMatches;
use p2pchat_peer::Options;
use p2pchat_settings::{ConfigError, SettingError, config, folders};
use thiserror::Error;

use crate::cli::Given;
use crate::config::BridgeSection;
use crate::gate;
use crate::limits::Limits;
use crate::secret::SecretError;

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
    /// A value, or two that contradict each other.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Others could reach the page.
    #[error(
        "--listen {0}: others than this machine can reach that, and nothing is encrypted: whoever can listen to the network reads the secret and every text, and can chat as this user. If that is what you want, add --expose-unencrypted"
    )]
    Exposed(SocketAddr),
    /// There is no place for the secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl Settings {
    /// Where to listen for the browser unless said otherwise.
    pub const LISTEN: &str = "127.0.0.1:7878";

    /// Puts together what the command line and the environment say (`given`, of which
    /// `matches` knows the sources) and what the config file says.
    ///
    /// # Errors
    /// If the file or a value is wrong, or two contradict each other.
    pub fn new(given: Given, matches: &ArgMatches) -> Result<Self, SettingsError> {
        let mut file: BridgeSection = config::load(given.peer.config.as_deref())?;
        let peer = given.peer.options(file.shared(), matches)?;
        let exposed = given.expose_unencrypted.or(file.expose_unencrypted);
        let origins = match given.allow_origin.is_empty() {
            true => file.allow_origin,
            false => given.allow_origin,
        };
        let defaults = Limits::default();
        Ok(Self {
            peer,
            listen: checked_listen(given.listen.or(file.listen), exposed == Some(true))?,
            origins: checked_origins(&origins)?,
            open: given.open.or(file.open).unwrap_or(false),
            secret_file: match given.secret_file.or(file.secret_file) {
                Some(path) => path,
                None => folders::data_file("bridge-secret").ok_or(SecretError::NoHome)?,
            },
            limits: Limits {
                connections: given
                    .max_browser_connections
                    .or(file.max_browser_connections)
                    .unwrap_or(defaults.connections),
                ..defaults
            },
        })
    }
}

fn checked_listen(given: Option<SocketAddr>, exposed: bool) -> Result<SocketAddr, SettingsError> {
    let default = || Settings::LISTEN.parse().expect("the default is an address");
    let listen: SocketAddr = given.unwrap_or_else(default);
    match listen.ip().is_loopback() || exposed {
        true => Ok(listen),
        false => Err(SettingsError::Exposed(listen)),
    }
}

fn checked_origins(given: &[String]) -> Result<Vec<String>, SettingError> {
    let origins = given.iter().map(|text| gate::parse_origin(text));
    origins
        .collect::<Result<_, _>>()
        .map_err(|reason| SettingError::value("--allow-origin", reason))
}

#[cfg(test)]
mod tests;
