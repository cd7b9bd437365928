//! The conversations as the machine meets them: two and three people over real connections.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod beginning;
mod groups;
mod live;
mod messages;
mod sessions;
mod world;
