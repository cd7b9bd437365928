//! One peer a profile, and any number of front ends that share it.
//!
//! A profile is a folder.

// They panic where standard output or error cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod lock;
mod owner;
#[cfg(unix)]
mod runtime;

pub use owner::{Owner, OwnerSilent};
#[cfg(unix)]
pub use runtime::RuntimeError;
