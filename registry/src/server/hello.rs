//! Receiving Hello datagrams. Nothing is ever answered, and nothing is allocated.

use std::sync::Arc;
use std::time::Duration;

use p2pchat_protocol::Hello;
use tokio::net::UdpSocket;
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;

use super::{Shared, peer_at};

/// One byte more than a Hello has, so that a longer datagram is seen to be longer.
const BUFFER: usize = Hello::LEN + 1;
/// How often the counters are logged, if they have moved.
const REPORT_INTERVAL: Duration = Duration::from_secs(300);
/// The pause after receiving failed, which has causes that need time (memory).
const PAUSE: Duration = Duration::from_millis(50);

/// What came since the start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counters {
    /// From users at the address they logged in from.
    counted: u64,
    /// About users who are not online, or from elsewhere.
    ignored: u64,
    /// Anything else.
    dropped: u64,
}

/// Receives until told to stop.
pub(super) async fn run(socket: UdpSocket, shared: Arc<Shared>, stop: CancellationToken) {
    let mut counters = Counters::default();
    let mut reported = counters;
    let mut reports = interval_at(Instant::now() + REPORT_INTERVAL, REPORT_INTERVAL);
    let mut buffer = [0; BUFFER];
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            received = socket.recv_from(&mut buffer) => match received {
                Ok((length, from)) => counters.take(&buffer[..length], from, &shared),
                Err(error) => {
                    // Some systems report a datagram that was too long here.
                    tracing::debug!(%error, "a datagram could not be received");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            _ = reports.tick() => counters.report(&mut reported),
        }
    }
    counters.report(&mut reported);
}

impl Counters {
    fn take(&mut self, datagram: &[u8], from: std::net::SocketAddr, shared: &Shared) {
        let (Ok(hello), Some(from)) = (Hello::decode(datagram), peer_at(from)) else {
            self.dropped += 1;
            return;
        };
        match shared.presence.hello(hello.username, from, shared.now()) {
            true => self.counted += 1,
            false => self.ignored += 1,
        }
    }

    fn report(self, reported: &mut Self) {
        if self != *reported {
            let Self {
                counted,
                ignored,
                dropped,
            } = self;
            tracing::info!(counted, ignored, dropped, "Hello datagrams since the start");
            *reported = self;
        }
    }
}
