//! One connection: bytes in, requests, responses out.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use p2pchat_protocol::RequestDecoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::answer::Reply;
use super::sessions::Sessions;

/// How long a connection may take to its first request.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a request may take from its first byte to its last.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a response may take to leave.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How much is read at a time: 151 requests. The next read waits until they are answered.
const READ_SIZE: usize = 4096;
/// How long, and how much, a refused client may go on sending: closing earlier would make
/// its system throw the answer away.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_READS: usize = 16;

/// Serves a connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    tracing::trace!(%address, "connected");
    let mut connection = Connection {
        stream,
        sessions: Sessions::new(address),
        decoder: RequestDecoder::default(),
        deadline: Some(Instant::now() + FIRST_REQUEST_TIMEOUT),
    };
    match connection.run(&shared, &stop).await {
        Ok(()) => tracing::trace!(%address, "closed"),
        Err(error) => tracing::debug!(%address, %error, "connection lost"),
    }
}

struct Connection {
    stream: TcpStream,
    sessions: Sessions,
    decoder: RequestDecoder,
    /// When the next request has to be whole; `None` between requests.
    deadline: Option<Instant>,
}

impl Connection {
    async fn run(&mut self, shared: &Shared, stop: &CancellationToken) -> io::Result<()> {
        let mut buffer = [0; READ_SIZE];
        loop {
            let reading = read(&mut self.stream, &mut buffer, self.deadline);
            let Some(read) = stop.run_until_cancelled(reading).await else {
                return self.stream.shutdown().await;
            };
            let read = read?;
            if read == 0 {
                return Ok(());
            }
            let goes_on = self.take(&buffer[..read], shared, stop).await?;
            buffer[..read].fill(0);
            if !goes_on {
                return self.refuse_more(&mut buffer).await;
            }
        }
    }

    /// Answers the requests in `bytes`. `false` when the connection has to be closed.
    async fn take(
        &mut self,
        mut bytes: &[u8],
        shared: &Shared,
        stop: &CancellationToken,
    ) -> io::Result<bool> {
        let was_partial = self.decoder.is_partial();
        let mut answered = 0;
        while let Some(request) = self.decoder.next(&mut bytes) {
            answered += 1;
            let (reply, goes_on) = match request {
                Ok(request) => (shared.answer(request, &mut self.sessions).await, true),
                Err(malformed) => {
                    let address = self.sessions.address();
                    tracing::debug!(%address, %malformed, "refused");
                    (Reply::from(malformed.response()), !malformed.is_fatal())
                }
            };
            self.send(reply.as_bytes()).await?;
            if !goes_on || stop.is_cancelled() {
                return Ok(false);
            }
        }
        if !self.decoder.is_partial() {
            self.deadline = None;
        } else if answered > 0 || !was_partial {
            self.deadline = Some(Instant::now() + REQUEST_TIMEOUT);
        }
        Ok(true)
    }

    async fn send(&mut self, response: &[u8]) -> io::Result<()> {
        timeout(WRITE_TIMEOUT, self.stream.write_all(response)).await?
    }

    /// Closes our side and waits a moment for the other.
    async fn refuse_more(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.stream.shutdown().await?;
        let until = Some(Instant::now() + LINGER);
        for _ in 0..LINGER_READS {
            if read(&mut self.stream, buffer, until).await? == 0 {
                break;
            }
        }
        Ok(())
    }
}

async fn read(
    stream: &mut TcpStream,
    buffer: &mut [u8],
    deadline: Option<Instant>,
) -> io::Result<usize> {
    match deadline {
        Some(deadline) => timeout_at(deadline, stream.read(buffer)).await?,
        None => stream.read(buffer).await,
    }
}
