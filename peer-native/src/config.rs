//! The config file: TOML, one section for each program of p2pchat. This one reads
//! `[peer]` and leaves `[registry]` and `[bridge]` alone.

use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::Deserialize;
use thiserror::Error;

/// What the section `[peer]` says. Every key may be absent.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PeerSection {
    /// See [`Given::registry`](crate::cli::Given::registry); so for all that follow.
    pub registry: Option<String>,
    /// The address to be reached at.
    pub address: Option<String>,
    /// The account to log in with.
    pub user: Option<String>,
    /// Where its password is.
    pub password_file: Option<PathBuf>,
    /// Whether to make the account first.
    pub register: Option<bool>,
    /// Whether to read and write plain lines.
    pub plain: Option<bool>,
    /// Whether to read and write JSON lines.
    pub json: Option<bool>,
    /// Where to keep what was said.
    pub history: Option<PathBuf>,
    /// Whether to keep nothing.
    pub no_history: Option<bool>,
    /// How long a chat request waits, in seconds.
    pub request_limit: Option<u64>,
    /// Where the registry takes hellos.
    pub hello_port: Option<u16>,
    /// Whether to leave port 1010 alone.
    pub unprivileged: Option<bool>,
    /// Whether the mouse wheel scrolls.
    pub mouse: Option<bool>,
    /// Whether a chat request rings the bell.
    pub bell: Option<bool>,
    /// Where logs go.
    pub log_file: Option<PathBuf>,
}

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    peer: PeerSection,
    #[serde(default, rename = "registry")]
    _registry: toml::Table,
    #[serde(default, rename = "bridge")]
    _bridge: toml::Table,
}

/// Why a config file cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file that was named is not there, or cannot be read.
    #[error("cannot read the config file {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not TOML, or has a key or value that means nothing.
    #[error("the config file {} is wrong: {message}", path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
}

/// Reads the file that was named, else the one in the user's config folder, if there is one.
///
/// # Errors
/// If a file that was named cannot be read, or the file is wrong.
pub fn load(named: Option<&Path>) -> Result<PeerSection, ConfigError> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => match default_path() {
            Some(path) => path,
            None => return Ok(PeerSection::default()),
        },
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text).map_err(|message| ConfigError::Wrong { path, message }),
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
            Ok(PeerSection::default())
        }
        Err(source) => Err(ConfigError::Read { path, source }),
    }
}

fn default_path() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("p2pchat").join("config.toml"))
}

fn parse(text: &str) -> Result<PeerSection, String> {
    toml::from_str::<File>(text)
        .map(|file| file.peer)
        .map_err(|error| error.to_string().trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sections_of_other_programs_are_left_alone() {
        let section = parse("[registry]\ntcp = 1\n[peer]\nuser = \"alice\"\n").unwrap();
        assert_eq!(section.user.as_deref(), Some("alice"));
    }

    #[test]
    fn an_unknown_key_is_named() {
        let message = parse("[peer]\nregistri = \"x\"\n").unwrap_err();
        assert!(message.contains("registri"), "{message}");
        assert!(message.contains("line 2"), "{message}");
    }

    #[test]
    fn a_file_that_was_named_has_to_be_there() {
        let missing = Path::new("/nonexistent/p2pchat.toml");
        assert!(matches!(load(Some(missing)), Err(ConfigError::Read { .. })));
    }
}
