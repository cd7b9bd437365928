//! The web front end of p2pchat: it renders [`p2pchat_model::View`] and sends
//! [`p2pchat_model::Command`]s.
//!
//! | module | what it is |
//! |---|---|
//! | [`bridge`] | the WebSocket to the bridge, as one hook |
//! | [`state`] | the view and what only the page knows, in one pure reducer |
//! | [`context`] | how components reach both |
//! | [`components`] | what is seen, one component a file |
//! | [`logic`] | what needs no browser: rows, windowing, links, days |
//! | [`browser`] | storage, notifications, sound, title: the browser behind plain functions |
//!
//! **Invariants:** what others say is text and goes through [`p2pchat_model::printable`];
//! no `style` attribute and no inline script, so that the strictest content security
//! policy holds; nothing is loaded from anywhere but the bridge.

pub mod app;
pub mod bridge;
pub mod browser;
pub mod components;
pub mod context;
pub mod logic;
pub mod state;

pub use app::App;
