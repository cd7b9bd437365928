//! Binding, with errors that say what to do, and what each accepted socket is set to.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

use super::BindError;

/// How many connections the system keeps ready while the server is busy or full.
const BACKLOG: u32 = 1024;
/// A session may be silent for ever; a host that is gone must not keep its place. It is
/// noticed after 60 s + 3 × 10 s.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(60))
    .with_interval(Duration::from_secs(10))
    .with_retries(3);

/// Listens for sessions.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, BindError> {
    let listen = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // A restart must not wait for the old connections to time out.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|error| bind_error("TCP", address, error))
}

/// Listens for Hello datagrams.
pub(super) async fn receive(address: SocketAddr) -> Result<UdpSocket, BindError> {
    UdpSocket::bind(address)
        .await
        .map_err(|error| bind_error("UDP", address, error))
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
