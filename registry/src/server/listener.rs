//! Binding sockets, with errors that say what to do, and accepting connections.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use p2pchat_platform::net::reuse_address;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;

use super::connection::{self, Connection};
use super::{BindError, FINISH_TIMEOUT, Shared};
use crate::metrics::DropReason;

/// How many connections the system keeps ready while the server is busy. When they are
/// more, clients try again after a second; systems cut this to their own limit.
const BACKLOG: u32 = 4096;
/// How much the system holds of what a client sends while its requests are answered: 600
/// of them.
const RECEIVE_BUFFER: u32 = 16 * 1024;
/// How many bytes of Hello datagrams the system holds while the server is busy: a few
/// thousand datagrams, each with what the system needs for it. Systems cut this to their
/// own limit (`net.core.rmem_max`).
const HELLO_BUFFER: usize = 4 * 1024 * 1024;
/// The first pause after accepting failed; it doubles up to [`MAX_PAUSE`]. What fails
/// (file descriptors, memory) needs time to come back.
const MIN_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Binds the listener for sessions. Their sockets inherit the sizes of the buffers, which the system
/// then does not change any more.
pub(super) fn bind_tcp(
    address: SocketAddr,
    send_buffer: NonZeroU32,
) -> Result<TcpListener, BindError> {
    let listen = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // A restart must not wait for the old connections to time out.
        reuse_address(&socket)?;
        socket.set_send_buffer_size(send_buffer.get())?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|error| bind_error("TCP", address, error))
}

/// Binds the socket for Hello datagrams.
pub(super) async fn bind_udp(address: SocketAddr) -> Result<UdpSocket, BindError> {
    let socket = UdpSocket::bind(address)
        .await
        .map_err(|error| bind_error("UDP", address, error))?;
    if let Err(error) = SockRef::from(&socket).set_recv_buffer_size(HELLO_BUFFER) {
        tracing::debug!(%error, "the buffer for Hello datagrams stays as it is");
    }
    Ok(socket)
}

/// Binds the HTTP listener for monitoring.
pub(super) async fn bind_monitoring(address: SocketAddr) -> Result<TcpListener, BindError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| bind_error("metrics", address, error))
}

fn bind_error(protocol: &'static str, address: SocketAddr, source: io::Error) -> BindError {
    match source.kind() {
        io::ErrorKind::AddrInUse => BindError::Taken { protocol, address },
        io::ErrorKind::PermissionDenied => BindError::Permission { protocol, address },
        _ => BindError::Socket {
            protocol,
            address,
            source,
        },
    }
}

/// Accepts connections until told to stop, then lets them finish.
pub(super) async fn accept_connections(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let accepting = async {
        loop {
            let (stream, address) = accept(&listener, &shared).await;
            match shared.slots.take(address.into()).await {
                Ok((slot, evicted)) => {
                    let span = tracing::debug_span!("connection", peer = %address);
                    let shared = Arc::clone(&shared);
                    let connection = Connection::new(stream, address.into(), slot, shared);
                    let serving = connection.serve(evicted);
                    connections.spawn(serving.instrument(span));
                }
                Err(reason) => {
                    shared.metrics.drops.count(reason);
                    connection::reset(stream);
                }
            }
            while let Some(ended) = connections.try_join_next() {
                report(ended);
            }
        }
    };
    shared.stop.run_until_cancelled(accepting).await;
    drop(listener);
    shared.live.stop();
    finish(connections).await;
}

/// The next connection.
async fn accept(listener: &TcpListener, shared: &Shared) -> (TcpStream, SocketAddr) {
    let mut pause = MIN_PAUSE;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (stream, address),
            Err(error) => {
                shared.metrics.drops.count(DropReason::NotAccepted);
                if shared.accept_failures.is_due(shared.now()) {
                    tracing::warn!(%error, "cannot accept connections; next try in {pause:?}");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    }
}

/// Waits for the connections to end by themselves, and ends those that do not.
async fn finish(mut connections: JoinSet<()>) {
    let ending = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    if tokio::time::timeout(FINISH_TIMEOUT, ending).await.is_err() {
        tracing::warn!("{} connections did not finish in time", connections.len());
        connections.shutdown().await;
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}
