//! The terminal front end of p2pchat: a full-screen chat, plain lines, or JSON lines.
//!
//! [`Settings`] come from the command line, the environment and the config file;
//! [`app::run`] starts a peer with them and hands it to one of three front ends:
//! [`tui`], [`plain`] and [`json`]. All three send [`Command`](p2pchat_model::Command)s
//! and draw the [`View`](p2pchat_model::View); what is typed is read by [`input`] alone.
//!
//! **Invariant:** no bytes of the wire protocol, and nothing decided that `peer` decides.
//! What others wrote reaches a terminal only by [`wrap`], which makes it printable.

pub mod app;
pub mod clock;
mod console;
mod exit;
pub mod feed;
pub mod input;
pub mod json;
pub mod lines;
pub mod login;
pub mod options;
pub mod pending;
pub mod plain;
pub mod tui;
pub mod words;
pub mod wrap;

pub use exit::Exit;
pub use options::Settings;
