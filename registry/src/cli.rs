//! The command line, as clap reads it. [`crate::config`] makes [`crate::Options`] of it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

mod raw;

pub use raw::RawOptions;

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
