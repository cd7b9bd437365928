//! What is done to the source of p2pchat: the demo and the checks.
//!
//! **Invariant:** nothing here is needed when the product runs. Every process that is
//! started is held by a [`process::Group`], which ends it when it is dropped, however
//! that comes about.

pub mod apt;
pub mod bench;
pub mod cache;
pub mod cargo;
pub mod check;
pub mod demo;
pub mod deny;
pub mod dev;
pub mod e2e;
pub mod fuzz;
pub mod mongod;
mod named;
pub mod network;
pub mod process;
pub mod sbom;
pub mod soak;
pub mod tools;
pub mod wasm;
pub mod web;
