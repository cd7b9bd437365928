//! The options of a registry as they are given.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;
use serde::Deserialize;

/// The options as given by flags and environment variables, or by the file; the defaults
/// are not in it yet. In the file each has the name of its flag.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawOptions {
    /// The file of options. Default: p2pchat/config.toml in the user's configuration
    /// folder (~/.config), if it is there.
    #[arg(long, global = true, env = "P2PCHAT_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Where accounts are kept: the path of a file, or a mongodb:// URI. Default:
    /// p2pchat/registry.sqlite3 in the user's data folder (~/.local/share).
    /// [file: store]
    // The value may hold a password.
    #[arg(long, global = true, env = "P2PCHAT_STORE", hide_env_values = true)]
    #[arg(value_name = "PATH|mongodb://…")]
    pub store: Option<String>,

    /// Be one of several registries over the same MongoDB replica set or sharded cluster,
    /// which all show the same users. [file: cluster]
    #[arg(long, env = "P2PCHAT_CLUSTER")]
    pub cluster: bool,

    /// Where to listen for sessions. Default: 0.0.0.0:3131. [file: tcp]
    #[arg(long, env = "P2PCHAT_TCP", value_name = "ADDR:PORT")]
    pub tcp: Option<SocketAddr>,

    /// Where to listen for Hello datagrams. Default: 0.0.0.0:5151. [file: udp]
    #[arg(long, env = "P2PCHAT_UDP", value_name = "ADDR:PORT")]
    pub udp: Option<SocketAddr>,

    /// Where to listen for those who watch this registry, by HTTP: /healthz, /readyz and
    /// /metrics (for Prometheus). An address of this machine alone, such as 127.0.0.1:9131;
    /// port 0 takes a free one. Default: nowhere. [file: metrics]
    #[arg(long, env = "P2PCHAT_METRICS", value_name = "ADDR:PORT")]
    pub metrics: Option<SocketAddr>,

    /// Let --metrics name an address that others can reach: whoever can reach it reads how
    /// many users there are, and what fails. [file: expose-metrics]
    #[arg(long, env = "P2PCHAT_EXPOSE_METRICS", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true",
          value_parser = BoolishValueParser::new())]
    pub expose_metrics: Option<bool>,

    /// How long a user stays online without a Hello. Default: 60.
    /// [file: presence-timeout]
    #[arg(long, env = "P2PCHAT_PRESENCE_TIMEOUT", value_name = "SECONDS")]
    pub presence_timeout: Option<NonZeroU32>,

    /// How many connections there may be at a time. When all places are taken, one that has
    /// nobody logged in gives up its place. Default: 10000. [file: max-connections]
    #[arg(long, env = "P2PCHAT_MAX_CONNECTIONS", value_name = "NUMBER")]
    #[arg(help_heading = "Limits")]
    pub max_connections: Option<NonZeroUsize>,

    /// How many of them may come from one address. Default: 500.
    /// [file: connections-per-address]
    #[arg(long, env = "P2PCHAT_CONNECTIONS_PER_ADDRESS", value_name = "NUMBER")]
    #[arg(help_heading = "Limits")]
    pub connections_per_address: Option<NonZeroUsize>,

    /// How long a connection may take to its first request. Default: 60.
    /// [file: first-request-timeout]
    #[arg(long, env = "P2PCHAT_FIRST_REQUEST_TIMEOUT", value_name = "SECONDS")]
    #[arg(help_heading = "Limits")]
    pub first_request_timeout: Option<NonZeroU32>,

    /// How long a request may take from its first byte to its last. Default: 10.
    /// [file: request-timeout]
    #[arg(long, env = "P2PCHAT_REQUEST_TIMEOUT", value_name = "SECONDS")]
    #[arg(help_heading = "Limits")]
    pub request_timeout: Option<NonZeroU32>,

    /// How long a client may take to read a response. Default: 10. [file: response-timeout]
    #[arg(long, env = "P2PCHAT_RESPONSE_TIMEOUT", value_name = "SECONDS")]
    #[arg(help_heading = "Limits")]
    pub response_timeout: Option<NonZeroU32>,

    /// How much the system holds for a client that does not read. Default: 65536.
    /// [file: send-buffer]
    #[arg(long, env = "P2PCHAT_SEND_BUFFER", value_name = "BYTES")]
    #[arg(help_heading = "Limits")]
    pub send_buffer: Option<NonZeroU32>,

    /// How many threads hash passwords, each with 19 MiB. Default: one a core, 2 at the
    /// most. [file: hash-workers]
    #[arg(long, env = "P2PCHAT_HASH_WORKERS", value_name = "NUMBER")]
    #[arg(help_heading = "Limits")]
    pub hash_workers: Option<NonZeroUsize>,

    /// How many passwords may wait for those threads, of users who were logged in at the
    /// same address before, and of all others. Default: 256. [file: hash-queue]
    #[arg(long, env = "P2PCHAT_HASH_QUEUE", value_name = "NUMBER")]
    #[arg(help_heading = "Limits")]
    pub hash_queue: Option<NonZeroUsize>,

    /// How many accounts may be made in a row from one address. Default: 100.
    /// [file: registrations]
    #[arg(long, env = "P2PCHAT_REGISTRATIONS", value_name = "NUMBER")]
    #[arg(help_heading = "Limits")]
    pub registrations: Option<NonZeroU32>,

    /// How long it then takes until one more may be made. Default: 60.
    /// [file: registration-interval]
    #[arg(long, env = "P2PCHAT_REGISTRATION_INTERVAL", value_name = "SECONDS")]
    #[arg(help_heading = "Limits")]
    pub registration_interval: Option<NonZeroU32>,

    /// How long whoever asks for too much waits for the answer that says so. Default: 1.
    /// [file: slow-answer]
    #[arg(long, env = "P2PCHAT_SLOW_ANSWER", value_name = "SECONDS")]
    #[arg(help_heading = "Limits")]
    pub slow_answer: Option<NonZeroU32>,

    /// How many logins in a row may fail from one address. Default: 10.
    /// [file: failed-logins]
    #[arg(long, env = "P2PCHAT_FAILED_LOGINS", value_name = "NUMBER")]
    #[arg(help_heading = "Failed logins")]
    pub failed_logins: Option<NonZeroU32>,

    /// How long it then takes until one more may fail. Default: 2.
    /// [file: failed-login-interval]
    #[arg(long, env = "P2PCHAT_FAILED_LOGIN_INTERVAL", value_name = "SECONDS")]
    #[arg(help_heading = "Failed logins")]
    pub failed_login_interval: Option<NonZeroU32>,

    /// How many logins in a row may fail of one name, from all addresses where it was not
    /// logged in before. Default: 20. [file: failed-logins-by-name]
    #[arg(long, env = "P2PCHAT_FAILED_LOGINS_BY_NAME", value_name = "NUMBER")]
    #[arg(help_heading = "Failed logins")]
    pub failed_logins_by_name: Option<NonZeroU32>,

    /// How long it then takes until one more may fail. Default: 30.
    /// [file: failed-login-by-name-interval]
    #[arg(
        long,
        env = "P2PCHAT_FAILED_LOGIN_BY_NAME_INTERVAL",
        value_name = "SECONDS"
    )]
    #[arg(help_heading = "Failed logins")]
    pub failed_login_by_name_interval: Option<NonZeroU32>,

    /// How many logins in a row may fail of one name from one address, while those of the
    /// name are used up. Default: 3. [file: failed-logins-spare]
    #[arg(long, env = "P2PCHAT_FAILED_LOGINS_SPARE", value_name = "NUMBER")]
    #[arg(help_heading = "Failed logins")]
    pub failed_logins_spare: Option<NonZeroU32>,

    /// How long it then takes until one more may fail. Default: 1200.
    /// [file: failed-login-spare-interval]
    #[arg(
        long,
        env = "P2PCHAT_FAILED_LOGIN_SPARE_INTERVAL",
        value_name = "SECONDS"
    )]
    #[arg(help_heading = "Failed logins")]
    pub failed_login_spare_interval: Option<NonZeroU32>,
}

impl RawOptions {
    /// What is given here, and where nothing is, what is given there.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            config: self.config.or(other.config),
            store: self.store.or(other.store),
            tcp: self.tcp.or(other.tcp),
            udp: self.udp.or(other.udp),
            metrics: self.metrics.or(other.metrics),
            expose_metrics: self.expose_metrics.or(other.expose_metrics),
            cluster: self.cluster || other.cluster,
            presence_timeout: self.presence_timeout.or(other.presence_timeout),
            max_connections: self.max_connections.or(other.max_connections),
            connections_per_address: self
                .connections_per_address
                .or(other.connections_per_address),
            first_request_timeout: self.first_request_timeout.or(other.first_request_timeout),
            request_timeout: self.request_timeout.or(other.request_timeout),
            response_timeout: self.response_timeout.or(other.response_timeout),
            send_buffer: self.send_buffer.or(other.send_buffer),
            hash_workers: self.hash_workers.or(other.hash_workers),
            hash_queue: self.hash_queue.or(other.hash_queue),
            registrations: self.registrations.or(other.registrations),
            registration_interval: self.registration_interval.or(other.registration_interval),
            slow_answer: self.slow_answer.or(other.slow_answer),
            failed_logins: self.failed_logins.or(other.failed_logins),
            failed_login_interval: self.failed_login_interval.or(other.failed_login_interval),
            failed_logins_by_name: self.failed_logins_by_name.or(other.failed_logins_by_name),
            failed_login_by_name_interval: self
                .failed_login_by_name_interval
                .or(other.failed_login_by_name_interval),
            failed_logins_spare: self.failed_logins_spare.or(other.failed_logins_spare),
            failed_login_spare_interval: self
                .failed_login_spare_interval
                .or(other.failed_login_spare_interval),
        }
    }
}
