//! One connection: bytes in, requests, responses out.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use p2pchat_protocol::RequestDecoder;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::answer::Reply;
use super::sessions::Sessions;

/// How long a connection may keep the server waiting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    /// From its start to its first request. A session may then be silent for ever.
    first_request: Duration,
    /// From the first byte of a request to its last.
    request: Duration,
    /// For a response to leave.
    write: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            first_request: Duration::from_secs(60),
            request: Duration::from_secs(10),
            write: Duration::from_secs(10),
        }
    }
}

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
    let mut connection = Connection::new(stream, address, Deadlines::default());
    match connection.run(&shared, &stop).await {
        Ok(()) => tracing::trace!(%address, "closed"),
        Err(error) => tracing::debug!(%address, %error, "connection lost"),
    }
}

struct Connection<S> {
    stream: S,
    sessions: Sessions,
    decoder: RequestDecoder,
    deadlines: Deadlines,
    /// When the next request has to be whole; `None` between requests.
    until: Option<Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn new(stream: S, address: SocketAddr, deadlines: Deadlines) -> Self {
        Self {
            stream,
            sessions: Sessions::new(address),
            decoder: RequestDecoder::default(),
            deadlines,
            until: Some(Instant::now() + deadlines.first_request),
        }
    }

    async fn run(&mut self, shared: &Shared, stop: &CancellationToken) -> io::Result<()> {
        let mut buffer = [0; READ_SIZE];
        loop {
            let reading = read(&mut self.stream, &mut buffer, self.until);
            let Some(read) = stop.run_until_cancelled(reading).await else {
                return self.stream.shutdown().await;
            };
            let read = read?;
            if read == 0 {
                return Ok(());
            }
            let goes_on = self.take(&buffer[..read], shared).await?;
            buffer[..read].fill(0);
            if !goes_on {
                return self.refuse_more(&mut buffer).await;
            }
        }
    }

    /// Answers the requests in `bytes`. `false` when the connection has to be closed.
    async fn take(&mut self, mut bytes: &[u8], shared: &Shared) -> io::Result<bool> {
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
            if !goes_on {
                return Ok(false);
            }
        }
        if !self.decoder.is_partial() {
            self.until = None;
        } else if answered > 0 || !was_partial {
            self.until = Some(Instant::now() + self.deadlines.request);
        }
        Ok(true)
    }

    async fn send(&mut self, response: &[u8]) -> io::Result<()> {
        timeout(self.deadlines.write, self.stream.write_all(response)).await?
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
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut [u8],
    deadline: Option<Instant>,
) -> io::Result<usize> {
    match deadline {
        Some(deadline) => timeout_at(deadline, stream.read(buffer)).await?,
        None => stream.read(buffer).await,
    }
}

#[cfg(test)]
mod tests;
