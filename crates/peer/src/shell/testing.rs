//! Helpers of the shell's tests.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use p2pchat_model::PeerAddr;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Longer than anything takes that a test waits for, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The first address of a loopback network that no other test uses, in this process or
/// in one that runs beside it.
pub(super) fn own_network() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    let pid = std::process::id();
    let own = NEXT.fetch_add(1, Ordering::Relaxed);
    // 127.0.x.x is left to people.
    Ipv4Addr::new(127, 1 + (pid % 199) as u8, own, 1)
}

/// An address that no other test uses.
pub(super) fn own_address() -> PeerAddr {
    PeerAddr::new(own_network()).unwrap()
}

/// A listener at some port of this address.
pub(super) async fn listener(at: PeerAddr) -> (TcpListener, u16) {
    let listener = TcpListener::bind((at.ip(), 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Waits for something that has to happen.
pub(super) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not come"))
}
