//! p2pchat in a browser: one peer, the built web UI, and a WebSocket between them, all on
//! one loopback port.
//!
//! | module | what it does |
//! |---|---|
//! | [`options`] | the options: [`Settings`] |
//! | [`secret`] | the word that lets a page in, and its file |
//! | [`gate`] | which requests are answered at all: `Host` and `Origin`, without a socket |
//! | [`assets`] | the web UI, as it was embedded |
//! | [`limits`] | how much anybody may ask |
//! | [`server`] | the port: HTTP, and the WebSocket `/ws` |
//! | [`open`] | shows the page in the user's browser |
//!
//! Any web page that the user visits and any user of the machine can reach a loopback
//! port. So nothing is told or taken before `Host`, `Origin` and the secret are right.
//!
//! **Invariant:** nothing here knows the wire protocol, and nothing decides what a
//! [`Command`](p2pchat_model::Command) does: that is the peer.

pub mod assets;
pub mod gate;
mod http;
pub mod limits;
pub mod open;
pub mod options;
mod places;
pub mod secret;
pub mod server;
mod socket;

pub use assets::Assets;
pub use limits::Limits;
pub use options::Settings;
pub use secret::Secret;
pub use server::{Server, Service, Setup};
