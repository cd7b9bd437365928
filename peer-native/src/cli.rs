//! The command line and the environment, as they come. [`Settings`](crate::Settings)
//! checks them and adds what the config file says.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Arg, Args, Parser, Subcommand};
use clap_complete::Shell;
use p2pchat_settings::PeerArgs;

use crate::exit;

/// The options in the order of `--help`: those most asked for come first.
const ORDER: [&str; 16] = [
    "registry",
    "address",
    "user",
    "password_file",
    "register",
    "plain",
    "json",
    "history",
    "no_history",
    "request_limit",
    "hello_port",
    "unprivileged",
    "mouse",
    "bell",
    "log_file",
    "config",
];

fn in_order(arg: Arg) -> Arg {
    match ORDER.iter().position(|id| arg.get_id() == *id) {
        Some(place) => arg.display_order(place),
        None => arg,
    }
}

/// Chat with people on a p2pchat registry, from a terminal.
///
/// On a terminal it fills the screen; elsewhere it reads and writes plain lines.
#[derive(Debug, Parser)]
#[command(name = "p2pchat", version, after_help = exit::HELP, max_term_width = 100)]
#[command(mut_args(in_order))]
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
    /// Those of each program with a peer.
    #[command(flatten)]
    pub peer: PeerArgs,

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
}
