//! Options of sockets.

use std::io;
use std::time::Duration;

use tokio::net::TcpSocket;

/// After how long the system says that the other side refuses a connection: it tries two times
/// more, which takes two seconds.
pub const REFUSED_WITHIN: Duration = Duration::from_millis(2500);

/// Nothing: a listener can be bound beside old connections here anyway, and the option of that
/// name would let it take the port of another program.
///
/// # Errors
/// Never.
pub fn reuse_address(_: &TcpSocket) -> io::Result<()> {
    Ok(())
}
