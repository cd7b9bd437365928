//! The command line and the environment, as they come. [`Settings`](crate::Settings)
//! checks them and adds what the config file says.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::exit;

/// Chat with people on a p2pchat registry, from a terminal.
///
/// On a terminal it fills the screen; elsewhere it reads and writes plain lines.
#[derive(Debug, Parser)]
#[command(name = "p2pchat", version, after_help = exit::HELP, max_term_width = 100)]
pub struct Cli {
    /// What to do instead of chatting.
    #[command(subcommand)]
    pub task: Option<Task>,
    /// How to chat.
    #[command(flatten)]
    pub given: Given,
}

/// What to do instead of chatting.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// The options, where they are given. `None` means: look into the config file.
#[derive(Debug, Default, Args)]
pub struct Given {
    /// The registry: a name or an address [file: registry] [default: 127.0.0.1:3131]
    #[arg(long, env = "P2PCHAT_REGISTRY", value_name = "HOST[:PORT]")]
    pub registry: Option<String>,

    /// The address to be reached at; each peer on a machine needs one of its own
    /// [file: address] [default: the one this machine reaches the registry from]
    #[arg(long, env = "P2PCHAT_ADDRESS", value_name = "IPV4")]
    pub address: Option<String>,

    /// The account to log in with [file: user]
    #[arg(long, env = "P2PCHAT_USER", value_name = "NAME")]
    pub user: Option<String>,

    /// Log in as --user by the password in the first line of this file [file: password-file]
    #[arg(long, env = "P2PCHAT_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// Make the account of --user and --password-file first; one that is there is used
    /// as it is [file: register]
    #[arg(long, env = "P2PCHAT_REGISTER", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true",
          value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub register: Option<bool>,

    /// Read and write plain lines: for pipes and screen readers [file: plain]
    #[arg(long, env = "P2PCHAT_PLAIN", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true",
          value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub plain: Option<bool>,

    /// Read a command as JSON a line and write an event as JSON a line: for programs
    /// [file: json]
    #[arg(long, env = "P2PCHAT_JSON", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true",
          value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub json: Option<bool>,

    /// The file to keep what was said in [file: history] [default: history.sqlite3 in the
    /// user's data folder]
    #[arg(long, env = "P2PCHAT_HISTORY", value_name = "FILE")]
    pub history: Option<PathBuf>,

    /// Keep nothing of what was said [file: no-history]
    #[arg(long, env = "P2PCHAT_NO_HISTORY", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true",
          value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub no_history: Option<bool>,

    /// How long a chat request waits for an answer [file: request-limit] [default: 60]
    #[arg(long, env = "P2PCHAT_REQUEST_LIMIT", value_name = "SECONDS")]
    pub request_limit: Option<u64>,

    /// Where the registry takes hellos, by UDP [file: hello-port] [default: 5151]
    #[arg(long, env = "P2PCHAT_HELLO_PORT", value_name = "PORT")]
    pub hello_port: Option<u16>,

    /// Take messages at port 5859 without trying 1010, which needs a privilege on most
    /// systems [file: unprivileged]
    #[arg(long, env = "P2PCHAT_UNPRIVILEGED", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true",
          value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub unprivileged: Option<bool>,

    /// Scroll with the mouse wheel; marking text then takes the Shift key [file: mouse]
    #[arg(long, env = "P2PCHAT_MOUSE", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true",
          value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub mouse: Option<bool>,

    /// Ring the terminal's bell when somebody asks for a chat [file: bell] [default: true]
    #[arg(long, env = "P2PCHAT_BELL", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true",
          value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub bell: Option<bool>,

    /// The file to write logs to, instead of standard error [file: log-file]
    #[arg(long, env = "P2PCHAT_LOG_FILE", value_name = "FILE")]
    pub log_file: Option<PathBuf>,

    /// The config file [default: p2pchat/config.toml in the user's config folder]
    #[arg(long, env = "P2PCHAT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}
