//! One peer a profile, and any number of front ends that share it.
//!
//! A profile is a folder: the history, the block list, the lock. The process that holds the
//! lock is the owner: it runs the peer and a socket. Others attach to it. For a front end
//! it makes no difference which of them its process is, nor that this changes: when the owner
//! ends, one of those who are attached takes over.
//!
//! | module | what it owns |
//! |---|---|
//! | `profile` | [`Profile`]: opened, joined, closed |
//! | `keeper` | the task that runs the peer or is attached, and takes over |
//! | `front_end` | [`FrontEnd`], and the task that serves it wherever the peer is |
//! | `place`, `connection` | where the peer is, and a connection to it |
//! | `lock`, `owner` | the lock of the profile, and who holds it |
//! | `wire`, `hub`, `socket` | lines of JSON over the socket; its server; its client |
//!
//! **Invariant:** only the holder of the lock removes and binds the socket, or starts a peer.

// They panic where standard output or error cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod clock;
mod connection;
mod error;
mod front_end;
mod hub;
mod keeper;
mod lock;
mod owner;
mod place;
mod profile;
mod socket;
mod wire;

pub use error::{Ended, OpenError};
pub use front_end::{Calls, FrontEnd, Updates};
pub use owner::{Owner, OwnerSilent};
pub use profile::{Login, Options, Profile};
