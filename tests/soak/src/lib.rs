//! Long and hostile runs of the *built* programs.
//!
//! A run has options (how long, how many, which seed), does its harm, and returns a
//! [`Report`]: figures, and checks that hold or do not. `cargo xtask soak` runs them at
//! full length; the tests of this crate run each of them small.

pub mod accounts;
pub mod chat;
pub mod cluster;
pub mod crash;
pub mod durations;
pub mod floods;
pub mod guessing;
pub mod hostile;
pub mod network;
mod person;
pub mod presence;
mod record;
pub mod report;
pub mod watchers;

pub use durations::Durations;
pub use report::Report;
