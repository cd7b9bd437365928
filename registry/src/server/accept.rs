//! Taking connections, as many at a time as may be.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{FINISH_TIMEOUT, Shared, connection, listener as socket};
use crate::metrics::DropReason;

/// The first pause after accepting failed; it doubles up to [`MAX_PAUSE`]. What fails
/// (file descriptors, memory) needs time to come back.
const MIN_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Accepts until told to stop, then lets the connections finish.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    let accepting = async {
        loop {
            let (stream, address) = accept(&listener, &shared).await;
            match shared.places.take(address.into()).await {
                Ok(place) => {
                    let (shared, stop) = (Arc::clone(&shared), stop.clone());
                    connections.spawn(connection::serve(stream, address, place, shared, stop));
                }
                Err(reason) => {
                    shared.metrics.drops.count(reason);
                    socket::reset(stream);
                }
            }
            while let Some(ended) = connections.try_join_next() {
                report(ended);
            }
        }
    };
    stop.run_until_cancelled(accepting).await;
    drop(listener);
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

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}
