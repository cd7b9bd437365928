//! The command line and the environment, as they come. [`Settings`](crate::Settings)
//! checks them and adds what the config file says.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use p2pchat_settings::PeerArgs;

const AFTER_HELP: &str = "\
Each option can also be set by the environment variable or by the key of the section
[bridge] of the config file that stand beside it. The command line goes before the
environment, the environment before the file. RUST_LOG sets what is logged
(for instance RUST_LOG=p2pchat_bridge=debug).";

/// Chat from a browser: one p2pchat user, and the web page to chat with.
///
/// It prints a URL. Whoever has this URL is the user, so keep it to yourself. Closing the
/// page does not log out: the bridge goes on receiving until it is stopped.
#[derive(Debug, Parser)]
#[command(name = "p2pchat-bridge", version, after_help = AFTER_HELP, max_term_width = 100)]
// `PeerArgs` hides the values of its switches; here they stand beside those of the others.
#[command(mut_args(|arg| arg.hide_possible_values(false)))]
pub struct Cli {
    /// What to do instead.
    #[command(subcommand)]
    pub task: Option<Task>,
    /// How to run.
    #[command(flatten)]
    pub given: Given,
}

/// What to do instead of running.
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
    /// Where to listen for the browser [file: listen] [default: 127.0.0.1:7878]
    #[arg(long, env = "P2PCHAT_LISTEN", value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,

    /// Let --listen name an address that others can reach. Nothing is encrypted: whoever
    /// can listen to the network reads the secret and every text, and can chat as this
    /// user [file: expose-unencrypted]
    #[arg(long, env = "P2PCHAT_EXPOSE_UNENCRYPTED", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true",
          value_parser = BoolishValueParser::new())]
    pub expose_unencrypted: Option<bool>,

    /// Let in pages of this origin too, for development: that of `trunk serve` for instance.
    /// Can be given several times [file: allow-origin, a list]
    #[arg(
        long,
        env = "P2PCHAT_ALLOW_ORIGIN",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub allow_origin: Vec<String>,

    /// Open the page in the browser [file: open]
    #[arg(long, env = "P2PCHAT_OPEN", value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true",
          value_parser = BoolishValueParser::new())]
    pub open: Option<bool>,

    /// The file with the secret of the URL; it is made if it is not there
    /// [file: secret-file] [default: bridge-secret in the user's data folder]
    #[arg(long, env = "P2PCHAT_SECRET_FILE", value_name = "FILE")]
    pub secret_file: Option<PathBuf>,

    /// How many connections there may be at a time [file: max-browser-connections]
    /// [default: 64]
    #[arg(long, env = "P2PCHAT_MAX_BROWSER_CONNECTIONS", value_name = "NUMBER")]
    pub max_browser_connections: Option<NonZeroUsize>,

    /// Those of each program with a peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}
