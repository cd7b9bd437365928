//! The config file: TOML, one section for each program of p2pchat. This one reads
//! `[bridge]` and ignores the others.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::Deserialize;
use thiserror::Error;

/// What the section `[bridge]` says. Every key may be absent; each is under the name of
/// its option in [`Given`](crate::cli::Given).
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BridgeSection {
    /// Where to listen for the browser.
    pub listen: Option<SocketAddr>,
    /// Whether others may reach that.
    pub expose_unencrypted: Option<bool>,
    /// Pages that are let in besides our own.
    #[serde(default)]
    pub allow_origin: Vec<String>,
    /// Whether to open the page.
    pub open: Option<bool>,
    /// Where the secret is.
    pub secret_file: Option<PathBuf>,
    /// How many connections there may be.
    pub max_browser_connections: Option<NonZeroUsize>,
    /// The registry.
    pub registry: Option<String>,
    /// Where it takes hellos.
    pub hello_port: Option<u16>,
    /// The address to be reached at.
    pub address: Option<String>,
    /// Whether to leave port 1010 alone.
    pub unprivileged: Option<bool>,
    /// How long a chat request waits, in seconds.
    pub request_limit: Option<u64>,
    /// Where to keep what was said.
    pub history: Option<PathBuf>,
    /// Whether to keep nothing.
    pub no_history: Option<bool>,
}

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    bridge: BridgeSection,
    #[serde(default, rename = "peer")]
    _peer: toml::Table,
    #[serde(default, rename = "registry")]
    _registry: toml::Table,
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
    #[error("the config file {}{place}: {reason}", path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// `", line N"`, or nothing.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

/// Reads the file that was named, else the one in the user's config folder, if there is one.
///
/// # Errors
/// If a file that was named cannot be read, or the file is wrong.
pub fn load(named: Option<&Path>) -> Result<BridgeSection, ConfigError> {
    let Some(path) = named.map(Path::to_owned).or_else(default_path) else {
        return Ok(BridgeSection::default());
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&path, &text),
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
            Ok(BridgeSection::default())
        }
        Err(source) => Err(ConfigError::Read { path, source }),
    }
}

fn default_path() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("p2pchat").join("config.toml"))
}

/// An error names the line and does not show it: a section of another program may hold
/// what is not for a log.
fn parse(path: &Path, text: &str) -> Result<BridgeSection, ConfigError> {
    let file: Result<File, toml::de::Error> = toml::from_str(text);
    file.map(|file| file.bridge).map_err(|error| {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let place = error
            .span()
            .map(|span| format!(", line {}", line(span.start)));
        ConfigError::Wrong {
            path: path.to_owned(),
            place: place.unwrap_or_default(),
            reason: error.message().replace('\n', " "),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<BridgeSection, String> {
        parse(Path::new("c.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_option_has_a_place_in_the_file() {
        let section = parsed(
            "[peer]\nx = 1\n[registry]\ny = 1\n[bridge]\nlisten = '127.0.0.1:1'\n\
             expose-unencrypted = true\nallow-origin = ['http://a']\nopen = true\n\
             secret-file = 's'\nmax-browser-connections = 2\nregistry = 'r'\nhello-port = 3\n\
             address = '127.0.0.2'\nunprivileged = true\nrequest-limit = 4\nhistory = 'h'\n\
             no-history = true\n",
        );
        let section = section.unwrap();
        assert_eq!(section.allow_origin, ["http://a"]);
        assert_eq!(section.no_history, Some(true));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = parsed("[bridge]\n\nregistri = \"x\"\n").unwrap_err();
        assert!(
            error.starts_with("the config file c.toml, line 3: "),
            "{error}"
        );
        assert!(error.contains("registri"), "{error}");
        assert!(parsed("[bridg]\n").unwrap_err().contains("bridg"));
    }

    #[test]
    fn a_file_that_was_named_has_to_be_there() {
        let missing = Path::new("/nonexistent/p2pchat.toml");
        assert!(matches!(load(Some(missing)), Err(ConfigError::Read { .. })));
    }
}
