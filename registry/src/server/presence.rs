//! Receiving Hello datagrams. Nothing is ever answered, and nothing is allocated.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use p2pchat_protocol::Hello;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use super::{Shared, peer_at};
use crate::metrics::DropReason;

/// One byte more than a Hello has, so that a longer datagram is seen to be longer.
const BUFFER: usize = Hello::LEN + 1;
/// After how many datagrams the sessions get their turn: some 50 µs of a flood.
const BATCH: usize = 32;
/// The pause after receiving failed, which has causes that need time (memory).
const PAUSE: Duration = Duration::from_millis(50);

/// Receives until told to stop.
pub(super) async fn run(socket: UdpSocket, shared: Arc<Shared>, stop: CancellationToken) {
    let receiving = async {
        let mut buffer = [0; BUFFER];
        loop {
            for _ in 0..BATCH {
                match socket.recv_from(&mut buffer).await {
                    Ok((length, from)) => shared.hello(&buffer[..length], from),
                    Err(error) => {
                        // Some systems report a datagram that was too long here.
                        tracing::debug!(%error, "a datagram could not be received");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
            tokio::task::yield_now().await;
        }
    };
    stop.run_until_cancelled(receiving).await;
}

impl Shared {
    fn hello(&self, datagram: &[u8], from: SocketAddr) {
        let (Ok(hello), Some(peer)) = (Hello::decode(datagram), peer_at(from)) else {
            return self.metrics.drops.count(DropReason::NoHello);
        };
        match self.presence.hello(hello.username, peer, self.now()) {
            true => drop(self.metrics.hellos.inc()),
            false => self.metrics.drops.count(DropReason::ForeignHello),
        }
    }
}
