//! What the modules of all systems tell in the same words.

use thiserror::Error;

/// Why a program has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ctrl-C, or SIGINT.
    Interrupt,
    /// SIGTERM; on Windows Ctrl-Break, or the session or the system ends.
    Terminate,
    /// SIGHUP, or the terminal is gone.
    HangUp,
}

/// What a stream is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// There is something to read, or it has ended.
    ToRead,
    /// There is room, or nobody reads.
    ToWrite,
}

/// Why there is no connection to a process of the same user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ConnectError {
    /// No process listens there.
    #[error("no process listens there")]
    Absent,
    /// One of another user does.
    #[error("a process of another user listens there")]
    NotOurs,
}
