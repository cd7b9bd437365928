//! Taking connections, as many at a time as may be.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{FINISH_TIMEOUT, Shared, connection, socket};

/// The first pause after accepting failed; it doubles up to [`MAX_PAUSE`]. What fails
/// (file descriptors, memory) needs time to come back.
const MIN_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Accepts until told to stop, then lets the connections finish.
pub(super) async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    max_connections: NonZeroUsize,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(
        max_connections.get().min(Semaphore::MAX_PERMITS),
    ));
    let mut connections = JoinSet::new();
    let accepting = async {
        loop {
            let place = Arc::clone(&places).acquire_owned().await;
            let place = place.expect("the semaphore is never closed");
            let (stream, address) = accept(&listener).await;
            let serving = connection::serve(stream, address, Arc::clone(&shared), stop.clone());
            connections.spawn(async move {
                serving.await;
                drop(place);
            });
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
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut pause = MIN_PAUSE;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => match socket::prepare(&stream) {
                Ok(()) => return (stream, address),
                Err(error) => tracing::debug!(%address, %error, "a connection was gone at once"),
            },
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection; next try in {pause:?}");
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
