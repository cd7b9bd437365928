//! p2pchat in a browser: one profile, the built web UI, and a WebSocket between them, all on
//! one loopback port. The peer of the profile runs here or in another program.
//!
//! | module | what it does |
//! |---|---|
//! | [`options`] | the options: [`Settings`] |
//! | [`secret`] | the secret that lets a page in, and its file |
//! | [`gate`] | which requests are answered at all: `Host` and `Origin`, without a socket |
//! | [`assets`] | the files of the web UI |
//! | [`limits`] | the limits on connections and frames |
//! | [`server`], `slots` | the port: accepts connections, and evicts one for another |
//! | `http` | the answer to a request: a file, or the WebSocket `/ws` |
//! | `socket` | the WebSocket: the secret first, then updates out and calls in |
//! | `shared` | the state that all connections share |
//! | [`service`] | the bridge as a service of its user |
//! | [`open`] | shows the page in the user's browser |
//! | [`running`] | which bridge runs already |
//!
//! Any web page that the user visits and any user of the machine can reach a loopback
//! port. So nothing is sent or carried out before `Host`, `Origin` and the secret are right.
//!
//! **Invariant:** nothing here knows the wire protocol, and nothing decides what a
//! [`Command`](p2pchat_model::Command) does: that is the peer.

// They panic where standard output or error cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod assets;
pub mod gate;
mod http;
pub mod limits;
pub mod open;
pub mod options;
pub mod running;
pub mod secret;
pub mod server;
pub mod service;
mod shared;
mod slots;
mod socket;

pub use assets::Assets;
pub use limits::Limits;
pub use options::Settings;
pub use running::Running;
pub use secret::Secret;
pub use server::{ProfileEnded, Server, Service, Setup};
