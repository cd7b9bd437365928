//! What the programs of p2pchat share: reading their options, writing logs, waiting for
//! the signals that stop them, and the standard streams.
//!
//! | module | what it owns |
//! |---|---|
//! | [`options`] | options: from declarations to values, and which place wins |
//! | [`config`] | the config file, with a section for each program |
//! | [`service`] | a program as a service of systemd or launchd |
//! | [`signals`] | the signals that stop a program |
//! | [`logs`] | where logs go |
//! | [`man`] | the man pages |
//! | [`streams`] | standard input, output and error: waiting, closed, full |
//! | [`version`] | which version this is, and of which commit |
//! | `peer` | the options of every program that runs a peer |
//!
//! The last one needs the feature `peer`.
//!
//! **Invariant:** no option of a single program is declared here, and without the feature
//! `peer` nothing in here knows a peer.

// They panic where standard output or error cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod config;
pub mod logs;
pub mod man;
pub mod options;
#[cfg(feature = "peer")]
pub mod peer;
pub mod service;
pub mod signals;
pub mod streams;
pub mod version;

/// The error of a program that the system gives no threads and files to begin with.
pub const TOO_LITTLE: &str =
    "cannot start: the limits of open files or of threads may be too low (ulimit -n, ulimit -u)";

pub use config::{ConfigError, Section};
pub use man::{Manual, Page};
pub use options::{Given, OptionsError, Place, Places, Program, read};
#[cfg(feature = "peer")]
pub use peer::PeerArgs;
pub use signals::{Continued, Signals, Stop};
