//! Binding, with errors that say what to do, and what each accepted socket is set to.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

use super::BindError;

/// How many connections the system keeps ready while the server is busy. When they are
/// more, it lets clients knock again after a second; systems cut this to their own limit.
const BACKLOG: u32 = 4096;
/// How much the system holds of what a client sends while its requests are answered: 600
/// of them.
const RECEIVE_BUFFER: u32 = 16 * 1024;
/// How many bytes of Hello datagrams the system holds while the server is busy: a few
/// thousand datagrams, each with what the system needs for it. Systems cut this to their
/// own limit (`net.core.rmem_max`).
const HELLO_BUFFER: usize = 4 * 1024 * 1024;
/// A session may be silent for ever; a host that is gone must not keep its place. It is
/// noticed after 60 s + 3 × 10 s.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(60))
    .with_interval(Duration::from_secs(10))
    .with_retries(3);

/// Listens for sessions. Their sockets inherit the sizes of the buffers, which the system
/// then does not change any more.
pub(super) fn listen(
    address: SocketAddr,
    send_buffer: NonZeroU32,
) -> Result<TcpListener, BindError> {
    let listen = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // A restart must not wait for the old connections to time out.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(send_buffer.get())?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|error| bind_error("TCP", address, error))
}

/// Listens for Hello datagrams.
pub(super) async fn receive(address: SocketAddr) -> Result<UdpSocket, BindError> {
    let socket = UdpSocket::bind(address)
        .await
        .map_err(|error| bind_error("UDP", address, error))?;
    if let Err(error) = SockRef::from(&socket).set_recv_buffer_size(HELLO_BUFFER) {
        tracing::debug!(%error, "the buffer for Hello datagrams stays as it is");
    }
    Ok(socket)
}

/// Listens for those who watch the registry.
pub(super) async fn watchers(address: SocketAddr) -> Result<TcpListener, BindError> {
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

/// Sets an accepted socket up.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_keepalive(&KEEPALIVE)
}

/// Closes a connection without order: nothing of it stays in the system.
pub(super) fn reset(stream: TcpStream) {
    // If this fails, it is closed in order.
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop(stream);
}
