//! How front ends of one user reach the process that runs the peer: a Unix socket, in a folder
//! that no one else can enter. The system says which user is at the other end.

mod folder;

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::net::{UnixListener, UnixStream};

pub use crate::shared::ConnectError;

/// What is read from a connection.
pub type ReadHalf = tokio::net::unix::OwnedReadHalf;
/// What is written to it.
pub type WriteHalf = tokio::net::unix::OwnedWriteHalf;

/// The longest path that the address of a socket holds, in bytes; one more ends it with a
/// zero.
const MAX_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// Why no one can connect, and what to do about it.
#[derive(Debug, Error)]
pub enum BindError {
    /// The folder cannot be made or looked at.
    #[error("cannot make the folder {path} for p2pchat's socket: {reason}; {}", remedy(.reason))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// There is something else at its path.
    #[error(
        "{path}, where p2pchat's socket has to be, is no folder but a link or a file: remove it, or set XDG_RUNTIME_DIR to a folder of your own"
    )]
    NotAFolder {
        /// The folder.
        path: PathBuf,
    },
    /// It is not the user's own.
    #[error(
        "the folder {path}, where p2pchat's socket has to be, belongs to another user (uid {owner}): have it removed, or set XDG_RUNTIME_DIR to a folder of your own"
    )]
    OtherUser {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// The path of the socket does not fit into the address of a socket.
    #[error(
        "the path of p2pchat's socket, {path}, has {} bytes, and a socket's path may have {MAX_PATH}: set XDG_RUNTIME_DIR to a shorter one", .path.as_os_str().len()
    )]
    TooLong {
        /// The socket.
        path: PathBuf,
    },
    /// The socket cannot be made.
    #[error("cannot make p2pchat's socket {path}: {reason}; {}", remedy(.reason))]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
}

fn remedy(reason: &io::Error) -> &'static str {
    match reason.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space there, or set XDG_RUNTIME_DIR to a folder of your own on another disk"
        }
        _ => "set XDG_RUNTIME_DIR to a folder of your own that can be written",
    }
}

/// Where a process listens: the path of its socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(PathBuf);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// A listener for processes of the same user.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    address: Address,
}

/// A connection whose other end is not known yet.
#[derive(Debug)]
pub struct Caller(UnixStream);

impl Listener {
    /// Binds the socket of the profile in this folder, which has to be its canonical path, in
    /// place of one that a dead process left. Only the holder of the profile's lock may.
    ///
    /// # Errors
    /// If the folder of sockets cannot be made or is not the user's own, the path is too long, or
    /// the system refuses.
    pub fn bind(profile: &Path) -> Result<Self, BindError> {
        let path = folder::socket_path(profile)?;
        let bind = || {
            remove(&path)?;
            let socket = UnixListener::bind(&path)?;
            fs::set_permissions(&path, PermissionsExt::from_mode(0o600))?;
            Ok(socket)
        };
        match bind() {
            Ok(socket) => {
                let address = Address(path);
                Ok(Self { socket, address })
            }
            Err(reason) => Err(BindError::Socket { path, reason }),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Whether others can find it. The folder of a user's sockets is removed when they log out,
    /// and their programs may go on.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.address.0.exists()
    }

    /// The next connection. Cancel safe.
    ///
    /// # Errors
    /// If the system lacks something for it: no file descriptor is free.
    pub async fn accept(&self) -> io::Result<Caller> {
        let (stream, _) = self.socket.accept().await?;
        Ok(Caller(stream))
    }

    /// Removes the socket. Only the holder of the profile's lock may.
    pub fn remove(&self) {
        // If that fails, the next one to bind it says so.
        let _ = remove(&self.address.0);
    }
}

/// Removes a file, which may be gone already.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

impl Caller {
    /// The connection, if the other end is a process of the same user. The caller limits how
    /// long that may take.
    #[expect(clippy::unused_async, reason = "elsewhere the other end has to answer")]
    pub async fn check(self) -> Option<(ReadHalf, WriteHalf)> {
        is_ours(&self.0).then(|| self.0.into_split())
    }
}

/// Connects to a process of the same user. The caller limits how long that may take.
///
/// # Errors
/// If no process listens there, or one of another user.
pub async fn connect(to: &Address) -> Result<(ReadHalf, WriteHalf), ConnectError> {
    let connected = UnixStream::connect(&to.0).await;
    let stream = connected.map_err(|_| ConnectError::Absent)?;
    if is_ours(&stream) {
        Ok(stream.into_split())
    } else {
        Err(ConnectError::NotOurs)
    }
}

/// Whether the other end is a process of the same user.
fn is_ours(stream: &UnixStream) -> bool {
    let us = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|other| other.uid() == us)
}
