//! The file of options, and what wins: a flag over an environment variable, a variable
//! over the file, the file over the default.

use std::io;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use serde::Deserialize;
use thiserror::Error;

use crate::cli::RawOptions;
use crate::options::{Limits, Options, StoreSpec, StoreSpecError};

/// Why there are no options, and what to do about it.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the file of options {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not what it has to be.
    #[error("the file of options {}{place}: {reason}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// `", line N"`, or nothing.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such store.
    #[error(transparent)]
    Store(#[from] StoreSpecError),
}

/// The whole file. The other programs of p2pchat have sections of their own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    registry: Section,
    #[serde(default, rename = "peer")]
    _peer: toml::Table,
    #[serde(default, rename = "bridge")]
    _bridge: toml::Table,
}

/// The section `[registry]`: each option under the name of its flag.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Section {
    store: Option<String>,
    tcp: Option<SocketAddr>,
    udp: Option<SocketAddr>,
    presence_timeout: Option<NonZeroU32>,
    max_connections: Option<NonZeroUsize>,
    hash_workers: Option<NonZeroUsize>,
    hash_queue: Option<NonZeroUsize>,
    failed_logins: Option<NonZeroU32>,
    failed_login_interval: Option<NonZeroU32>,
}

/// The options of a registry: what was given, and the defaults for the rest.
///
/// # Errors
/// If the file cannot be read or holds an unknown key, or there is no such store.
pub fn resolve(raw: RawOptions) -> Result<Options, ConfigError> {
    let file = load(raw.config.as_deref())?;
    let store = match raw.store.or(file.store) {
        Some(store) => store.parse()?,
        None => StoreSpec::default_file()?,
    };
    let seconds = |given: Option<u32>, filed: Option<NonZeroU32>, default: Duration| {
        let seconds = given.or(filed.map(NonZeroU32::get));
        seconds.map_or(default, |seconds| Duration::from_secs(seconds.into()))
    };
    let defaults = Options::new(store);
    let limits = Limits {
        max_connections: raw
            .max_connections
            .or(file.max_connections)
            .unwrap_or(defaults.limits.max_connections),
        hash_workers: raw
            .hash_workers
            .or(file.hash_workers)
            .unwrap_or(defaults.limits.hash_workers),
        hash_queue: raw
            .hash_queue
            .or(file.hash_queue)
            .unwrap_or(defaults.limits.hash_queue),
        failed_logins: raw
            .failed_logins
            .or(file.failed_logins)
            .unwrap_or(defaults.limits.failed_logins),
        failed_login_interval: seconds(
            raw.failed_login_interval,
            file.failed_login_interval,
            defaults.limits.failed_login_interval,
        ),
    };
    Ok(Options {
        tcp: raw.tcp.or(file.tcp).unwrap_or(defaults.tcp),
        udp: raw.udp.or(file.udp).unwrap_or(defaults.udp),
        presence_timeout: seconds(
            raw.presence_timeout,
            file.presence_timeout,
            defaults.presence_timeout,
        ),
        limits,
        ..defaults
    })
}

/// The section of the file that was named, which has to be there, or of the one in the
/// user's configuration folder, which does not.
fn load(named: Option<&Path>) -> Result<Section, ConfigError> {
    let default = || {
        let folders = etcetera::choose_base_strategy().ok()?;
        Some(folders.config_dir().join("p2pchat").join("config.toml"))
    };
    let Some(path) = named.map(Path::to_owned).or_else(default) else {
        return Ok(Section::default());
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {
            Ok(Section::default())
        }
        Err(source) => Err(ConfigError::Read { path, source }),
    }
}

/// The error names the line and not its content: a store's URI may hold a password.
fn parse(path: &Path, text: &str) -> Result<Section, ConfigError> {
    let file: Result<File, toml::de::Error> = toml::from_str(text);
    file.map(|file| file.registry).map_err(|error| {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        ConfigError::Content {
            path: path.to_owned(),
            place: error
                .span()
                .map_or(String::new(), |span| format!(", line {}", line(span.start))),
            reason: error.message().replace('\n', " "),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Section, String> {
        parse(Path::new("c.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_option_has_a_place_in_the_file() {
        let section = parsed(
            "[peer]\nx = 1\n[registry]\nstore = 'a'\ntcp = '127.0.0.1:1'\nudp = '127.0.0.1:2'\n\
             presence-timeout = 3\nmax-connections = 4\nhash-workers = 5\nhash-queue = 6\n\
             failed-logins = 7\nfailed-login-interval = 8\n",
        )
        .unwrap();
        assert_eq!(section.failed_login_interval.map(NonZeroU32::get), Some(8));
        assert_eq!(section.tcp, Some("127.0.0.1:1".parse().unwrap()));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = parsed("[registry]\n\nprecense-timeout = 3\n").unwrap_err();
        assert!(
            error.starts_with("the file of options c.toml, line 3: "),
            "{error}"
        );
        assert!(error.contains("`precense-timeout`"), "{error}");
        assert!(parsed("[regsitry]\n").unwrap_err().contains("`regsitry`"));
    }

    #[test]
    fn an_error_does_not_show_what_the_file_holds() {
        let error = parsed("[registry]\nstore = 'mongodb://u:hush@h\n").unwrap_err();
        assert!(!error.contains("hush") && !error.contains('\n'), "{error}");
        let error = parsed("[registry]\nmax-connections = 'hush'\n").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
    }
}
