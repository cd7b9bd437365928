//! How connections are made and how they are closed.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use p2pchat_model::PeerAddr;
use p2pchat_platform::net::{REFUSED_WITHIN, reuse_address};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// How long another peer may take to accept a connection. Where three packets of ten are
/// lost, every second SYN is answered: it takes a dozen of them to be sure that there is no
/// peer.
pub(super) const CONNECT_DEADLINE: Duration = Duration::from_secs(15);
/// How long the first attempts at it last, in milliseconds. Most end before the system sends
/// a second SYN, after 1 s: a connection that took two of them begins with a wrong round-trip
/// time, and waits for seconds wherever a packet is lost. Some are longer, for peers that are
/// that far away.
const FIRST_ATTEMPTS: [u64; 6] = [900, 1900, 900, 900, 1900, 900];
/// How long further attempts last.
const ATTEMPT: Duration = Duration::from_secs(4);
/// How long to wait after the network reported that there is no route: a packet of ARP may
/// have been lost.
const NO_ROUTE_PAUSE: Duration = Duration::from_millis(500);
/// How long the other side may take to accept the bytes of a packet.
pub(super) const WRITE_DEADLINE: Duration = Duration::from_secs(5);
/// How long to wait for a local port or socket when there is none free.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(50);
/// The ephemeral ports that connections are made from: they belong to no service (RFC 6335),
/// and systems assign them themselves.
const LOCAL_PORTS: RangeInclusive<u16> = 49_152..=60_999;
/// How many of them are tried before the system is asked for one.
const PORT_TRIES: usize = 8;
/// The size of a segment that every path carries (RFC 9293, the default of the maximum segment
/// size): what is no longer, and was written at once, arrives as a whole or not at all.
pub(super) const SMALLEST_SEGMENT: usize = 536;
/// How many unexpected bytes are read and discarded before a connection is closed.
const MAX_DRAINED: usize = 4096;

/// Connects from the peer's own address, by which the other side knows it. Fails at once if
/// the other side refuses, else after `deadline`.
pub(super) async fn dial(
    own: PeerAddr,
    to: SocketAddr,
    deadline: Duration,
) -> io::Result<TcpStream> {
    let mut reason = ErrorKind::TimedOut.into();
    let dialled = timeout(deadline, dial_with_retries(own, to, &mut reason)).await;
    dialled.unwrap_or(Err(reason))
}

/// Retries while the network has lost the SYN or its answer, with the system's last error in
/// `reason`; and while this machine lacks sockets or ports, which does not mean that the other
/// side is gone.
async fn dial_with_retries(
    own: PeerAddr,
    to: SocketAddr,
    reason: &mut io::Error,
) -> io::Result<TcpStream> {
    let mut attempts = FIRST_ATTEMPTS.map(Duration::from_millis).into_iter();
    loop {
        let socket = match socket(own) {
            Ok(socket) => socket,
            // The machine has left the network that the address belongs to.
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => return Err(error),
            Err(_) => {
                sleep(SHORTAGE_PAUSE).await;
                continue;
            }
        };
        let attempt = attempts.next().unwrap_or(ATTEMPT).max(REFUSED_WITHIN);
        let Ok(connected) = timeout(attempt, socket.connect(to)).await else {
            continue;
        };
        match connected {
            // The port is still taken towards this address; the second is how Windows says it.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse
                ) =>
            {
                sleep(SHORTAGE_PAUSE).await;
            }
            Err(error) if is_unreachable(&error) => {
                *reason = error;
                sleep(NO_ROUTE_PAUSE).await;
            }
            result => return result,
        }
    }
}

/// Whether the error comes from the network and not from the other side.
pub(super) fn is_unreachable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::TimedOut
    )
}

fn socket(own: PeerAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // A port that was used a moment ago towards one peer can be used towards another.
    reuse_address(&socket)?;
    bind(&socket, own)?;
    Ok(socket)
}

/// Binds to an address and a random ephemeral port.
///
/// The system would look for a port that no connection of the last minute has had, to any
/// address: after a text to some thousands of peers that takes a millisecond each time, and
/// after some 28,000 there is none left.
fn bind(socket: &TcpSocket, own: PeerAddr) -> io::Result<()> {
    let at = |port| SocketAddr::new(own.ip().into(), port);
    for _ in 0..PORT_TRIES {
        match socket.bind(at(rand::random_range(LOCAL_PORTS))) {
            // Another program uses the port, or Windows keeps it for one.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::AddrInUse | ErrorKind::PermissionDenied
                ) => {}
            result => return result,
        }
    }
    socket.bind(at(0))
}

/// Writes all of it, within [`WRITE_DEADLINE`].
pub(super) async fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    timeout(WRITE_DEADLINE, stream.write_all(bytes))
        .await
        .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

/// Makes the connection end with a reset from now on, however it ends, unless
/// [`close_in_order`] is called.
pub(super) fn reset_on_close(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "cannot make a connection end with a reset");
    }
}

/// Closes a connection so that the other side reads an end and not a reset: shuts down the
/// sending half, and reads and discards what still arrives, since the system answers unread
/// bytes with a reset.
pub(super) async fn close_in_order(mut stream: TcpStream, patience: Duration) {
    if SockRef::from(&stream).set_linger(None).is_err() || stream.shutdown().await.is_err() {
        return;
    }
    // However this ends, the connection does too.
    let _ = timeout(patience, wait_for_end(&mut stream)).await;
}

/// Reads until the other side closes, which is `Ok`, or breaks the connection.
pub(super) async fn wait_for_end(stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 512];
    let mut read = 0;
    while read < MAX_DRAINED {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            bytes => read += bytes,
        }
    }
    Err(ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::testing::own_address;

    #[test]
    fn a_port_is_found_whichever_are_taken() {
        let own = own_address();
        let services: Vec<_> = LOCAL_PORTS
            .step_by(40)
            .filter_map(|port| std::net::TcpListener::bind((own.ip(), port)).ok())
            .collect();
        assert!(!services.is_empty());
        for _ in 0..300 {
            let bound = socket(own).unwrap().local_addr().unwrap();
            assert_eq!(bound.ip(), own.ip());
            assert_ne!(bound.port(), 0);
        }
    }
}
