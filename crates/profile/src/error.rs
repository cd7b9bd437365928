//! Why a profile cannot be opened, and why it ends.

use std::io;
use std::path::{Path, PathBuf};

use p2pchat_peer::{PeerFailed, StartError};
use p2pchat_platform::local::BindError;
use thiserror::Error;

use crate::lock;
use crate::owner::{Owner, OwnerSilent};

/// Why a profile cannot be opened, and what to do about it.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The profile's folder cannot be made.
    #[error(
        "cannot make the profile's folder {path}: {reason}; choose another one that can be written, with --profile"
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The profile cannot be locked.
    #[error(
        "cannot write {path}, the lock of the profile: {reason}; choose another profile that can be written, with --profile"
    )]
    Lock {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// Other front ends could not attach.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Another process has the profile and cannot be reached.
    #[error(transparent)]
    Silent(#[from] OwnerSilent),
    /// Another process has the profile and does not let this one attach.
    #[error("{0}")]
    Refused(String),
    /// This process has the profile, and its peer cannot start.
    #[error(transparent)]
    Peer(#[from] StartError),
}

impl OpenError {
    /// Wraps an error of the lock in this folder.
    pub(crate) fn locking(folder: &Path) -> impl Fn(io::Error) -> Self {
        let path = lock::path_in(folder);
        move |reason| Self::Lock {
            path: path.clone(),
            reason,
        }
    }
}

/// Why a profile or a front end has ended.
#[derive(Debug, Clone, Error)]
pub enum Ended {
    /// This process closed the profile.
    #[error("the profile is closed")]
    Closed,
    /// The peer in this process stopped by itself.
    #[error(transparent)]
    Peer(#[from] PeerFailed),
    /// The task that keeps the profile has failed.
    #[error("the profile has failed, which must not happen; RUST_LOG=info may say why")]
    Failed,
    /// The process that ran the peer has ended, and this one does not take over.
    #[error("{0}, which ran the peer, has ended")]
    OwnerGone(Owner),
    /// The process that runs the peer does not let this front end attach.
    #[error("{0}")]
    Refused(String),
}
