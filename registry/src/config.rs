//! The file of options, and what wins: a flag over an environment variable, a variable
//! over the file, the file over the default.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use p2pchat_settings::{Program, config};
use thiserror::Error;

use crate::cli::RawOptions;
use crate::options::{Guessing, Limits, Options, StoreSpec, StoreSpecError};

/// Why there are no options, and what to do about it.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file.
    #[error(transparent)]
    File(#[from] config::ConfigError),
    /// There is no such store.
    #[error(transparent)]
    Store(#[from] StoreSpecError),
    /// Others could read the metrics.
    #[error(
        "--metrics {0}: others than this machine can reach that, and read how many users there are and what fails. If that is what you want, add --expose-metrics"
    )]
    Exposed(SocketAddr),
}

/// The section `[registry]`: each option under the name of its flag.
impl config::Section for RawOptions {
    const PROGRAM: Program = Program::Registry;
    const FILE: &str = "the file of options";
}

/// The options of a registry: what was given, and the defaults for the rest.
///
/// # Errors
/// If the file cannot be read or holds an unknown key, or there is no such store.
pub fn resolve(raw: RawOptions) -> Result<Options, ConfigError> {
    let file = config::load(raw.config.as_deref())?;
    resolve_given(raw.or(file))
}

fn resolve_given(mut given: RawOptions) -> Result<Options, ConfigError> {
    let store = match given.store.take() {
        Some(store) => store.parse()?,
        None => StoreSpec::default_file()?,
    };
    let defaults = Options::new(store);
    Ok(Options {
        tcp: given.tcp.unwrap_or(defaults.tcp),
        udp: given.udp.unwrap_or(defaults.udp),
        metrics: metrics(&given)?,
        cluster: given.cluster,
        presence_timeout: seconds(given.presence_timeout, defaults.presence_timeout),
        limits: limits(&given, &defaults.limits),
        ..defaults
    })
}

fn metrics(given: &RawOptions) -> Result<Option<SocketAddr>, ConfigError> {
    let exposed = given.expose_metrics == Some(true);
    match given.metrics {
        Some(address) if !address.ip().is_loopback() && !exposed => {
            Err(ConfigError::Exposed(address))
        }
        metrics => Ok(metrics),
    }
}

fn limits(given: &RawOptions, defaults: &Limits) -> Limits {
    Limits {
        max_connections: given.max_connections.unwrap_or(defaults.max_connections),
        connections_per_address: given
            .connections_per_address
            .unwrap_or(defaults.connections_per_address),
        first_request_timeout: seconds(given.first_request_timeout, defaults.first_request_timeout),
        request_timeout: seconds(given.request_timeout, defaults.request_timeout),
        response_timeout: seconds(given.response_timeout, defaults.response_timeout),
        send_buffer: given.send_buffer.unwrap_or(defaults.send_buffer),
        hash_workers: given.hash_workers.unwrap_or(defaults.hash_workers),
        hash_queue: given.hash_queue.unwrap_or(defaults.hash_queue),
        registrations: given.registrations.unwrap_or(defaults.registrations),
        registration_interval: seconds(given.registration_interval, defaults.registration_interval),
        slow_answer: seconds(given.slow_answer, defaults.slow_answer),
        guessing: guessing(given, &defaults.guessing),
    }
}

fn guessing(given: &RawOptions, defaults: &Guessing) -> Guessing {
    Guessing {
        failed_logins: given.failed_logins.unwrap_or(defaults.failed_logins),
        failed_login_interval: seconds(given.failed_login_interval, defaults.failed_login_interval),
        failed_logins_by_name: given
            .failed_logins_by_name
            .unwrap_or(defaults.failed_logins_by_name),
        failed_login_by_name_interval: seconds(
            given.failed_login_by_name_interval,
            defaults.failed_login_by_name_interval,
        ),
        failed_logins_spare: given
            .failed_logins_spare
            .unwrap_or(defaults.failed_logins_spare),
        failed_login_spare_interval: seconds(
            given.failed_login_spare_interval,
            defaults.failed_login_spare_interval,
        ),
    }
}

fn seconds(given: Option<NonZeroU32>, default: Duration) -> Duration {
    given.map_or(default, |seconds| Duration::from_secs(seconds.get().into()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn parsed(text: &str) -> Result<RawOptions, String> {
        config::parse(Path::new("c.toml"), text).map_err(|error| error.to_string())
    }

    /// The flags that are options of the file, each with a value that none has by default.
    fn all_options() -> Vec<String> {
        let cli = Cli::command();
        let flags = cli.get_arguments().filter_map(clap::Arg::get_long);
        flags
            .filter(|flag| !["config", "help", "version", "store", "tcp", "udp"].contains(flag))
            // Of no consequence without another one.
            .filter(|flag| *flag != "expose-metrics")
            .enumerate()
            .map(|(n, flag)| match flag {
                "cluster" => format!("{flag} = true\n"),
                "metrics" => format!("{flag} = '127.0.0.1:{n}'\n"),
                _ => format!("{flag} = {}\n", n + 70_001),
            })
            .collect()
    }

    #[test]
    fn every_flag_has_a_place_in_the_file_and_makes_a_difference() {
        let base = "[peer]\nx = 1\n[registry]\nstore = 'a'\ntcp = '127.0.0.1:1'\n";
        let shown = |line: &str| {
            let section = parsed(&format!("{base}{line}")).unwrap();
            format!("{:?}", resolve_given(section).unwrap())
        };
        let options = all_options();
        assert!(options.len() >= 17, "{options:?}");
        let plain = shown("udp = '127.0.0.1:2'\n");
        assert_ne!(plain, shown(""));
        for option in options {
            assert_ne!(shown(&option), shown(""), "{option}");
        }
    }

    #[test]
    fn metrics_are_told_to_others_only_by_whoever_says_so() {
        let resolved = |line: &str| {
            let section = parsed(&format!("[registry]\nstore = 'a'\n{line}")).unwrap();
            resolve_given(section).map(|options| options.metrics)
        };
        assert_eq!(resolved("").unwrap(), None);
        for address in ["127.0.0.1:0", "127.9.9.9:9131", "[::1]:9131"] {
            let metrics = resolved(&format!("metrics = '{address}'")).unwrap();
            assert_eq!(metrics, Some(address.parse().unwrap()));
        }
        for address in ["0.0.0.0:0", "192.0.2.1:9131", "[::]:0"] {
            let line = format!("metrics = '{address}'\n");
            for line in [line.clone(), format!("{line}expose-metrics = false\n")] {
                let error = resolved(&line).unwrap_err().to_string();
                assert!(
                    error.contains(address) && error.contains("--expose-metrics"),
                    "{error}"
                );
            }
            let exposed = resolved(&format!("{line}expose-metrics = true\n")).unwrap();
            assert_eq!(exposed, Some(address.parse().unwrap()));
        }
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
