//! One p2pchat user on the network.
//!
//! [`machine`] makes all decisions of a peer, as a state machine without I/O: inputs and the
//! time go in, outputs come out. [`Peer`] is the shell of sockets, tasks and timers around it,
//! [`History`] keeps the messages, and [`conversations`] those of version 2.
//!
//! **Invariant:** nothing here knows a user interface, and the machine knows no socket,
//! clock or random source but those passed in: a whole network of them runs in one
//! deterministic test.

// They panic where standard output or error cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod blocks;
pub mod conversations;
mod history;
mod known;
pub mod machine;
mod options;
mod shell;

pub use blocks::ListError;
pub use history::{History, HistoryError, Page};
pub use known::{Known, KnownError, KnownFile, LastRegistry, Pin};
pub use options::Options;
pub use shell::{
    Calls, Chats, ChatsOptions, Handle, Peer, PeerFailed, StartError, Stopped, Updates,
};
