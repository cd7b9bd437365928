//! Long and hostile runs of the *built* programs, and what they are made of.
//!
//! A run has options (how long, how many, which seed), does its harm, and returns a
//! [`Report`]: figures, and checks that hold or do not. `cargo xtask soak` runs them at
//! full length; the tests of this crate run each of them small.

pub mod chat;
pub mod chatter;
pub mod cluster;
pub mod crash;
pub mod floods;
pub mod guessing;
pub mod mongod;
pub mod namespace;
pub mod network;
pub mod programs;
pub mod registry;
pub mod report;
pub mod session;
pub mod spread;
pub mod wait;

pub use chatter::Chatter;
pub use mongod::{Mongod, ReplicaSet};
pub use programs::Programs;
pub use registry::Registry;
pub use report::Report;
pub use session::Session;
pub use spread::Spread;
