//! `cargo xtask`: the demo, the checks, and other tasks on the source of p2pchat.
//!
//! **Invariant:** the product needs nothing from here when it runs. Every process that is
//! started is held by a [`process::Group`], which ends it when it is dropped, on success and
//! on failure alike.

pub mod bench;
pub mod cargo;
pub mod check;
pub mod demo;
pub mod dev;
pub mod e2e;
pub mod fuzz;
pub mod mongod;
pub mod package;
mod paths;
pub mod process;
pub mod soak;
pub mod steps;
pub mod system;
pub mod tools;
pub mod web;
