//! How front ends of one user reach the process that runs the peer: TCP on loopback.
//!
//! Anyone on this machine can connect to a port, or listen at one that is no longer in use. So
//! each end shows that it has read the lock, which has a secret for each: first the one that
//! connects, then the one that listens. The lock is in the profile's folder, and who can read
//! that is the same user. A stranger takes up a place until the greeting is late, and learns
//! nothing.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub use crate::shared::ConnectError;

/// What is read from a connection.
pub type ReadHalf = tokio::net::tcp::OwnedReadHalf;
/// What is written to it.
pub type WriteHalf = tokio::net::tcp::OwnedWriteHalf;

/// Why no one can connect, and what to do about it.
#[derive(Debug, Error)]
pub enum BindError {
    /// The system refuses.
    #[error("cannot listen on loopback for other front ends: {0}; a firewall may forbid it")]
    Listen(io::Error),
}

/// Where a process listens. All who know it may connect, so it is for files that only the
/// user can read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Address {
    at: SocketAddr,
    /// What one that connects shows.
    caller: Secret,
    /// What the listener shows then.
    listener: Secret,
}

/// 256 random bits, as hex digits. Hidden in `Debug`.
#[derive(Clone, Serialize, Deserialize)]
struct Secret(String);

impl Secret {
    const DIGITS: usize = 64;

    fn random() -> Self {
        Self(HEXLOWER.encode(&rand::random::<[u8; Self::DIGITS / 2]>()))
    }

    /// Whether the other end sends it. Takes the same time however much of it is right.
    async fn is_shown(&self, stream: &mut TcpStream) -> bool {
        let mut shown = [0; Self::DIGITS];
        let read = stream.read_exact(&mut shown).await;
        read.is_ok() && bool::from(shown.ct_eq(self.0.as_bytes()))
    }

    async fn show(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(self.0.as_bytes()).await
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl fmt::Display for Address {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.fmt(f)
    }
}

/// A listener for processes of the same user.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: Address,
}

/// A connection whose other end is not known yet.
#[derive(Debug)]
pub struct Caller {
    stream: TcpStream,
    address: Address,
}

impl Listener {
    /// Listens, with new secrets. The folder of the profile is not needed here.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn bind(_: &Path) -> Result<Self, BindError> {
        let bind = || {
            let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.set_nonblocking(true)?;
            let address = Address {
                at: socket.local_addr()?,
                caller: Secret::random(),
                listener: Secret::random(),
            };
            let socket = TcpListener::from_std(socket)?;
            Ok(Self { socket, address })
        };
        bind().map_err(BindError::Listen)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Whether others can find it: always, no file is needed for that.
    #[must_use]
    pub fn is_there(&self) -> bool {
        true
    }

    /// The next connection. Cancel safe.
    ///
    /// # Errors
    /// If the system lacks something for it.
    pub async fn accept(&self) -> io::Result<Caller> {
        let (stream, _) = self.socket.accept().await?;
        let address = self.address.clone();
        Ok(Caller { stream, address })
    }

    /// Leaves nothing behind: the port is free once this is dropped.
    pub fn remove(&self) {}
}

impl Caller {
    /// The connection, if the other end is a process of the same user. The caller limits how
    /// long that may take.
    pub async fn check(mut self) -> Option<(ReadHalf, WriteHalf)> {
        if !self.address.caller.is_shown(&mut self.stream).await {
            return None;
        }
        self.address.listener.show(&mut self.stream).await.ok()?;
        // Lines are short, and each is waited for.
        self.stream.set_nodelay(true).ok()?;
        Some(self.stream.into_split())
    }
}

/// Connects to a process of the same user. The caller limits how long that may take: a process
/// that is busy answers later.
///
/// # Errors
/// If no process listens there, or one of another user.
pub async fn connect(to: &Address) -> Result<(ReadHalf, WriteHalf), ConnectError> {
    let connected = TcpStream::connect(to.at).await;
    let mut stream = connected.map_err(|_| ConnectError::Absent)?;
    let shown = to.caller.show(&mut stream).await;
    shown.map_err(|_| ConnectError::Absent)?;
    if !to.listener.is_shown(&mut stream).await {
        // One that has ended shows nothing, and another program something else.
        return Err(ConnectError::Absent);
    }
    stream.set_nodelay(true).map_err(|_| ConnectError::Absent)?;
    Ok(stream.into_split())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn listener() -> Listener {
        Listener::bind(Path::new("/a")).unwrap()
    }

    #[tokio::test]
    async fn who_has_read_the_lock_connects() {
        let listener = listener();
        let lock = serde_json::to_string(listener.address()).unwrap();
        let address: Address = serde_json::from_str(&lock).unwrap();
        let check = async { listener.accept().await.unwrap().check().await.unwrap() };
        let (near, far) = tokio::join!(connect(&address), check);
        let ((mut read, mut write), (mut far_read, mut far_write)) = (near.unwrap(), far);
        write.write_all(b"call\n").await.unwrap();
        far_write.write_all(b"update\n").await.unwrap();
        let (mut call, mut update) = ([0; 5], [0; 7]);
        far_read.read_exact(&mut call).await.unwrap();
        read.read_exact(&mut update).await.unwrap();
        assert_eq!((&call, &update), (b"call\n", b"update\n"));
    }

    #[tokio::test]
    async fn a_stranger_is_told_nothing() {
        let listener = listener();
        let mut stranger = TcpStream::connect(listener.address().at).await.unwrap();
        let wrong = Secret::random();
        wrong.show(&mut stranger).await.unwrap();
        assert!(listener.accept().await.unwrap().check().await.is_none());
        let mut told = Vec::new();
        // Ended, or reset.
        let _ = stranger.read_to_end(&mut told).await;
        assert_eq!(told, b"");
    }

    #[tokio::test]
    async fn one_that_took_the_port_of_another_is_not_taken_for_it() {
        let listener = listener();
        let mut stale = listener.address().clone();
        stale.listener = Secret::random();
        let check = async { listener.accept().await.unwrap().check().await };
        let (connected, _) = tokio::join!(connect(&stale), check);
        assert_eq!(connected.unwrap_err(), ConnectError::Absent);
        drop(listener);
        let connected = tokio::time::timeout(Duration::from_secs(30), connect(&stale)).await;
        assert_eq!(connected.unwrap().unwrap_err(), ConnectError::Absent);
    }

    #[test]
    fn no_secret_is_shown() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _entered = runtime.enter();
        let listener = listener();
        let shown = format!("{listener:?} {}", listener.address());
        assert!(!shown.contains(&listener.address().caller.0), "{shown}");
        assert!(!shown.contains(&listener.address().listener.0), "{shown}");
    }
}
