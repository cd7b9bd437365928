//! Conversations of nodes in one process, over real connections and files.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod age;
mod delivery;
mod hostile;
mod restored;
mod world;
