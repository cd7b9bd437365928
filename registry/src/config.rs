//! The file of options, and what wins: a flag over an environment variable, a variable
//! over the file, the file over the default.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use p2pchat_settings::{Program, config};
use serde::Deserialize;
use thiserror::Error;

use crate::cli::RawOptions;
use crate::options::{Limits, Options, StoreSpec, StoreSpecError};

/// Why there are no options, and what to do about it.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file.
    #[error(transparent)]
    File(#[from] config::ConfigError),
    /// There is no such store.
    #[error(transparent)]
    Store(#[from] StoreSpecError),
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

impl config::Section for Section {
    const PROGRAM: Program = Program::Registry;
    const FILE: &str = "the file of options";
}

/// The options of a registry: what was given, and the defaults for the rest.
///
/// # Errors
/// If the file cannot be read or holds an unknown key, or there is no such store.
pub fn resolve(raw: RawOptions) -> Result<Options, ConfigError> {
    let file: Section = config::load(raw.config.as_deref())?;
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn parsed(text: &str) -> Result<Section, String> {
        config::parse(Path::new("c.toml"), text).map_err(|error| error.to_string())
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
    }
}
