//! The terminal front end of p2pchat: a full-screen chat, plain lines, or JSON lines.
//!
//! [`Settings`] come from the command line, the environment and the config file;
//! [`app::run`] opens the profile with them and joins its peer as one of three front ends:
//! [`tui`], [`plain`] and [`json`]. All three send [`Call`](p2pchat_model::Call)s and draw the
//! [`View`](p2pchat_model::View); what is typed is read by [`commands`] alone. A subcommand
//! ([`once`]) does one thing on the same peer.
//!
//! **Invariant:** no bytes of the wire protocol, and nothing decided that `peer` decides.
//! What others wrote reaches a terminal only by [`wrap`], which makes it printable.

// They panic where standard output or error cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod app;
mod calls;
mod chats;
mod client;
pub mod clock;
pub mod commands;
mod exit;
pub mod json;
pub mod login;
mod manual;
pub mod once;
pub mod options;
pub mod plain;
mod shown;
pub mod stdin;
pub mod tui;
pub mod wrap;

/// The name of the program, before what it says on standard error.
pub const NAME: &str = "p2pchat";

pub use exit::Exit;
pub use options::Settings;
