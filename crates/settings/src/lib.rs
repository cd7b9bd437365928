//! What the programs of p2pchat share about how they are told what to do: by a file, by
//! flags and variables, and by signals.
//!
//! | module | what it owns |
//! |---|---|
//! | [`config`] | the config file, a section for each program |
//! | [`folders`] | where files are unless said otherwise |
//! | [`signals`] | the signals that end a program |
//! | [`logs`] | logs on standard error |
//! | `peer` | a peer's options: flags and variables, what wins, the checks |
//! | `command` | what is wrong with JSON that is no command |
//!
//! The last two come with the feature `peer`.
//!
//! **Invariant:** what only one of the programs can be told is not in here, and without
//! the feature `peer` nothing of a peer is.

#[cfg(feature = "peer")]
pub mod command;
pub mod config;
pub mod folders;
pub mod logs;
#[cfg(feature = "peer")]
pub mod peer;
pub mod signals;

pub use config::{ConfigError, Program, Section};
#[cfg(feature = "peer")]
pub use peer::{PeerArgs, SettingError};
pub use signals::{Signals, Stop};
