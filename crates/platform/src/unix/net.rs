//! Options of sockets.

use std::io;
use std::time::Duration;

use tokio::net::TcpSocket;

/// After how long the system says that the other side refuses a connection: at once.
pub const REFUSED_WITHIN: Duration = Duration::ZERO;

/// Lets a socket be bound where connections of a moment ago still are, of a program that was
/// started again. Another listener is still an error: two of them cannot share a port.
///
/// # Errors
/// If the system refuses.
pub fn reuse_address(socket: &TcpSocket) -> io::Result<()> {
    socket.set_reuseaddr(true)
}
