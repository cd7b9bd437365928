//! The lines to the registry: a TCP proxy between it and the users, whose connections can
//! be cut.
//!
//! It connects from the address that it was connected from, which any program may on
//! loopback, so the registry sees each user at their own address.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long a dead line stays before it is reset: longer than any program waits for an answer.
const DEAD: Duration = Duration::from_secs(40);
/// How long the registry may take to accept.
const CONNECT: Duration = Duration::from_secs(5);

/// How a line is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Both sides read a reset.
    Reset,
    /// Nothing comes through any more, and neither side is told.
    Dead,
}

/// The newest line of each user.
type Lines = Arc<Mutex<HashMap<IpAddr, oneshot::Sender<Cut>>>>;

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    /// Where users find it.
    pub(super) address: SocketAddr,
    lines: Lines,
    _accepting: JoinSet<()>,
}

impl Proxy {
    /// Starts one on a free port of 127.0.0.1.
    pub(super) async fn start(registry: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let lines = Lines::default();
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, registry, Arc::clone(&lines)));
        Ok(Self {
            address,
            lines,
            _accepting: accepting,
        })
    }

    /// Cuts the line of the user at an address. `false` if there is none.
    pub(super) fn cut(&self, address: Ipv4Addr, cut: Cut) -> bool {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.remove(&address.into());
        line.is_some_and(|line| line.send(cut).is_ok())
    }
}

async fn accept(listener: TcpListener, registry: SocketAddr, lines: Lines) {
    let mut carrying = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((user, from)) => {
                let (line, cut) = oneshot::channel();
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                lines.insert(from.ip(), line);
                carrying.spawn(carry(user, from.ip(), registry, cut));
            }
            // No file descriptor is free: one will be.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
        while carrying.try_join_next().is_some() {}
    }
}

/// Carries bytes to and fro until one side has ended, or the line is cut.
async fn carry(
    mut user: TcpStream,
    from: IpAddr,
    registry: SocketAddr,
    mut cut: oneshot::Receiver<Cut>,
) {
    // Dropped, it tells the user as the registry's absence would: by a closed connection.
    let Ok(mut server) = dial(from, registry).await else {
        return;
    };
    // The system's word for "small packets at once", which both sides have.
    let _ = (user.set_nodelay(true), server.set_nodelay(true));
    let carried = tokio::select! {
        carried = copy_bidirectional(&mut user, &mut server) => carried.map(|_| ()),
        cut = wait_for(&mut cut) => {
            if cut == Cut::Dead {
                sleep(DEAD).await;
            }
            Err(io::ErrorKind::ConnectionReset.into())
        }
    };
    if carried.is_err() {
        // A reset for both; of a side that is gone already, it does not matter.
        let _ = (user.set_zero_linger(), server.set_zero_linger());
    }
}

/// A newer line of the same user takes the place of this one, which is then not cut.
async fn wait_for(cut: &mut oneshot::Receiver<Cut>) -> Cut {
    match cut.await {
        Ok(cut) => cut,
        Err(_) => std::future::pending().await,
    }
}

async fn dial(from: IpAddr, registry: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((from, 0).into())?;
    timeout(CONNECT, socket.connect(registry)).await?
}
