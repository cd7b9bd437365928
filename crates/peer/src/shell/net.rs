//! What all connections have in common: how they are made and how they are closed.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use p2pchat_model::PeerAddr;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// How long another peer may take to accept a connection. Where three packets of ten are
/// lost, every second SYN is answered: it takes a dozen of them to be sure that nobody is
/// there.
pub(super) const CONNECT_DEADLINE: Duration = Duration::from_secs(15);
/// How long the first attempts at it last, in milliseconds. Most end before the second is
/// over after which the system sends another SYN: a connection that took two of them
/// begins with a wrong idea of how far the other side is, and waits for seconds wherever
/// a packet is lost. Some are longer, for those who are that far.
const FIRST_ATTEMPTS: [u64; 6] = [900, 1900, 900, 900, 1900, 900];
/// How long further attempts last.
const ATTEMPT: Duration = Duration::from_secs(4);
/// How long to wait where the network says that there is no way: the word for it may
/// have been lost, as ARP's are.
const NO_WAY_PAUSE: Duration = Duration::from_millis(500);
/// How long the other side may take to make room for a packet.
pub(super) const WRITE_DEADLINE: Duration = Duration::from_secs(5);
/// How long to wait for a local port or socket when there is none.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(50);
/// From which local ports connections are made: such as belong to no service (RFC 6335), and
/// as systems give out themselves.
const LOCAL_PORTS: RangeInclusive<u16> = 49_152..=60_999;
/// How many of them are tried before the system is asked for one.
const PORT_TRIES: usize = 8;
/// How many bytes that nobody asked for are read away before a connection is closed.
const MAX_DRAINED: usize = 4096;

/// Makes a connection from an address of one's own, from which the other side learns
/// who is speaking. Fails at once where the other side refuses, else after `deadline`.
pub(super) async fn dial(
    own: PeerAddr,
    to: SocketAddr,
    deadline: Duration,
) -> io::Result<TcpStream> {
    let mut reason = ErrorKind::TimedOut.into();
    let dialled = timeout(deadline, dial_patiently(own, to, &mut reason)).await;
    dialled.unwrap_or(Err(reason))
}

/// Tries again while the network has lost the question or the answer, for which `reason`
/// is the last word of the system; and while it is this machine that lacks something: a
/// want of sockets here does not mean that the other side is gone.
async fn dial_patiently(
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
        let attempt = attempts.next().unwrap_or(ATTEMPT);
        let Ok(connected) = timeout(attempt, socket.connect(to)).await else {
            continue;
        };
        match connected {
            // The port that the system chose is still taken towards this address.
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
                sleep(SHORTAGE_PAUSE).await;
            }
            Err(error) if is_no_way(&error) => {
                *reason = error;
                sleep(NO_WAY_PAUSE).await;
            }
            result => return result,
        }
    }
}

/// Whether the network, and not the other side, made this error.
pub(super) fn is_no_way(error: &io::Error) -> bool {
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
    // Towards another peer, a port that was used for one a moment ago is as good as any.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    bind(&socket, own)?;
    Ok(socket)
}

/// Binds to an address, and a port by chance.
///
/// The system would look for one that no connection of the last minute has had, to
/// whomever: after a text to some thousands that takes it a millisecond each time, and
/// after some 28,000 there is none.
fn bind(socket: &TcpSocket, own: PeerAddr) -> io::Result<()> {
    let at = |port| SocketAddr::new(own.ip().into(), port);
    for _ in 0..PORT_TRIES {
        match socket.bind(at(rand::random_range(LOCAL_PORTS))) {
            // A service listens there, or another program.
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
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

/// From now on the connection ends with a reset, however it ends, until
/// [`close_in_order`].
pub(super) fn reset_on_close(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "cannot make a connection end with a reset");
    }
}

/// Closes a connection so that the other side reads an end and no reset: says that
/// nothing more comes, and reads away what came unasked, since the system answers
/// unread bytes with a reset.
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
    use super::super::testing::own_address;
    use super::*;

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
