//! The command line, as clap reads it. [`crate::config`] makes [`crate::Options`] of it.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// The registry of p2pchat: accounts, and who is online where.
///
/// Each option can be given as a flag, as an environment variable, or in the section
/// "registry" of one TOML file; a flag wins over a variable, a variable over the file.
#[derive(Debug, Parser)]
#[command(name = "p2pchat-registry", version, max_term_width = 100)]
pub struct Cli {
    /// What to do; without one, the registry runs.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options.
    #[command(flatten)]
    pub raw: RawOptions,
}

/// What else the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look after accounts, also while a registry runs on the same store.
    Users {
        /// What to do with them.
        #[command(subcommand)]
        command: UsersCommand,
    },
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// The operator commands. They take effect at the next login: somebody who is online
/// stays so.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Print the names of all accounts, one a line.
    List,
    /// Make an account.
    Add {
        /// Its name: 1 to 10 bytes, no white space.
        name: String,
        /// Where its password comes from.
        #[command(flatten)]
        source: PasswordSource,
    },
    /// Delete an account.
    Remove {
        /// Its name.
        name: String,
    },
    /// Set the password of an account.
    SetPassword {
        /// Its name.
        name: String,
        /// Where the new password comes from.
        #[command(flatten)]
        source: PasswordSource,
    },
}

/// Where a password comes from: never from the command line, which others can see.
#[derive(Debug, Args)]
pub struct PasswordSource {
    /// Read the password from the first line of FILE (- is standard input) instead of
    /// asking for it on the terminal.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// The options as given as flags or environment variables; the file and the defaults are
/// not in it yet.
#[derive(Debug, Args)]
pub struct RawOptions {
    /// The file of options. Default: p2pchat/config.toml in the user's configuration
    /// folder (~/.config), if it is there.
    #[arg(long, global = true, env = "P2PCHAT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where accounts are kept: the path of a file, or a mongodb:// URI. Default:
    /// p2pchat/registry.sqlite3 in the user's data folder (~/.local/share).
    /// [file: store]
    // The value may hold a password.
    #[arg(long, global = true, env = "P2PCHAT_STORE", hide_env_values = true)]
    #[arg(value_name = "PATH|mongodb://…")]
    pub store: Option<String>,

    /// Where to listen for sessions. Default: 0.0.0.0:3131. [file: tcp]
    #[arg(long, env = "P2PCHAT_TCP", value_name = "ADDR:PORT")]
    pub tcp: Option<SocketAddr>,

    /// Where to listen for Hello datagrams. Default: 0.0.0.0:5151. [file: udp]
    #[arg(long, env = "P2PCHAT_UDP", value_name = "ADDR:PORT")]
    pub udp: Option<SocketAddr>,

    /// How long a user stays online without a Hello. Default: 60.
    /// [file: presence-timeout]
    #[arg(long, env = "P2PCHAT_PRESENCE_TIMEOUT", value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub presence_timeout: Option<u32>,

    /// How many sessions there may be at a time; further ones wait. Default: 10000.
    /// [file: max-connections]
    #[arg(long, env = "P2PCHAT_MAX_CONNECTIONS", value_name = "NUMBER")]
    pub max_connections: Option<NonZeroUsize>,

    /// How many threads hash passwords, each with 19 MiB. Default: one a core, 2 at the
    /// most. [file: hash-workers]
    #[arg(long, env = "P2PCHAT_HASH_WORKERS", value_name = "NUMBER")]
    pub hash_workers: Option<NonZeroUsize>,

    /// How many passwords may wait for those threads. Default: 256. [file: hash-queue]
    #[arg(long, env = "P2PCHAT_HASH_QUEUE", value_name = "NUMBER")]
    pub hash_queue: Option<NonZeroUsize>,

    /// How many logins in a row may fail from one address. Default: 10.
    /// [file: failed-logins]
    #[arg(long, env = "P2PCHAT_FAILED_LOGINS", value_name = "NUMBER")]
    pub failed_logins: Option<NonZeroU32>,

    /// How long it then takes until one more may fail. Default: 2.
    /// [file: failed-login-interval]
    #[arg(long, env = "P2PCHAT_FAILED_LOGIN_INTERVAL", value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub failed_login_interval: Option<u32>,
}
