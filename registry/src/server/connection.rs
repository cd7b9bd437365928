//! One connection: bytes in, requests, responses out.
//!
//! Nearly all of them wait for a next request nearly all of the time, so what is only
//! needed meanwhile, timers above all, is boxed: it takes no memory of those that wait.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::{AbortRegistration, Abortable};
use p2pchat_protocol::RequestDecoder;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::accounts::Reply;
use super::send_buffers::Stream;
use super::sessions::Sessions;
use super::slots::Place;
use super::{Shared, listener};
use crate::metrics::DropReason;
use crate::options::Limits;

/// How long a connection may keep the server waiting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    /// From its start to its first request. A session may then be silent for ever.
    first_request: Duration,
    /// From the first byte of a request to its last.
    request: Duration,
    /// For a response to leave.
    response: Duration,
}

impl From<&Limits> for Deadlines {
    fn from(limits: &Limits) -> Self {
        Self {
            first_request: limits.first_request_timeout,
            request: limits.request_timeout,
            response: limits.response_timeout,
        }
    }
}

/// How much is read at a time: two requests. The next read waits until they are answered.
/// Each connection has a buffer of this size for as long as it lasts. More than one, so
/// that a read which finds one request tells that there is no more to find.
const READ_SIZE: usize = 64;
/// How much is read at a time of what is thrown away.
const LINGER_SIZE: usize = 1024;
/// How long, and how much, a refused client may go on sending: closing earlier would make
/// its system throw the answer away.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_READS: usize = 64;

/// Why a connection ended otherwise than in order.
#[derive(Debug, Error)]
enum Lost {
    #[error("no request came in time")]
    NoRequest,
    #[error("a request did not end in time")]
    PartialRequest,
    #[error("a response was not read in time")]
    UnreadResponse,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Lost {
    fn reason(&self) -> Option<DropReason> {
        match self {
            Self::NoRequest => Some(DropReason::NoRequest),
            Self::PartialRequest => Some(DropReason::PartialRequest),
            Self::UnreadResponse => Some(DropReason::UnreadResponse),
            Self::Io(_) => None,
        }
    }
}

/// Serves a connection to its end, or until it has to make room.
pub(super) fn serve(
    stream: TcpStream,
    address: SocketAddr,
    (place, pushed_out): (Place, AbortRegistration),
    shared: Arc<Shared>,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send {
    // Made here, and nothing moved on below: a future holds twice what it moves.
    let mut connection = Connection::new(stream, Sessions::new(address, place), shared);
    async move {
        if let Err(error) = listener::prepare(&connection.stream) {
            tracing::debug!(%address, %error, "the connection was gone at once");
            return;
        }
        let ended = {
            let running = pin!(connection.run(&stop));
            Abortable::new(running, pushed_out).await
        };
        let reason = match ended {
            Ok(Ok(())) => return,
            Ok(Err(lost)) => {
                tracing::debug!(%address, %lost, "connection lost");
                lost.reason()
            }
            Err(_) => Some(DropReason::MadeRoom),
        };
        if let Some(reason) = reason {
            connection.shared.metrics.drops.count(reason);
        }
        // What it has not read is not worth the system's memory.
        listener::reset(connection.stream);
    }
}

struct Connection<S> {
    stream: S,
    sessions: Sessions,
    decoder: RequestDecoder,
    /// When the next request has to be whole; `None` between requests.
    until: Option<Instant>,
    shared: Arc<Shared>,
}

impl<S: Stream> Connection<S> {
    fn new(stream: S, sessions: Sessions, shared: Arc<Shared>) -> Self {
        Self {
            stream,
            sessions,
            decoder: RequestDecoder::default(),
            until: Some(Instant::now() + shared.deadlines.first_request),
            shared,
        }
    }

    async fn run(&mut self, stop: &CancellationToken) -> Result<(), Lost> {
        let mut buffer = [0; READ_SIZE];
        loop {
            let read = {
                let reading = pin!(self.read(&mut buffer));
                stop.run_until_cancelled(reading).await
            };
            let Some(read) = read else {
                return Ok(self.stream.shutdown().await?);
            };
            let read = read?;
            if read == 0 {
                return Ok(());
            }
            let goes_on = self.take(&buffer[..read]).await?;
            buffer[..read].fill(0);
            if !goes_on {
                self.shared.metrics.drops.count(DropReason::BadRequest);
                return Box::pin(self.refuse_more()).await;
            }
        }
    }

    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Lost> {
        let Some(until) = self.until else {
            return Ok(self.stream.read(buffer).await?);
        };
        match Box::pin(timeout_at(until, self.stream.read(buffer))).await {
            Ok(read) => Ok(read?),
            Err(_) if self.decoder.is_partial() => Err(Lost::PartialRequest),
            Err(_) => Err(Lost::NoRequest),
        }
    }

    /// Answers the requests in `bytes`. `false` when the connection has to be closed.
    async fn take(&mut self, mut bytes: &[u8]) -> Result<bool, Lost> {
        let was_partial = self.decoder.is_partial();
        let mut answered = 0;
        while let Some(request) = self.decoder.next(&mut bytes) {
            if answered > 0 {
                // Who sends many at once waits behind those who send one.
                tokio::task::yield_now().await;
            }
            answered += 1;
            let (reply, goes_on) = match request {
                Ok(request) => (self.shared.answer(request, &mut self.sessions).await, true),
                Err(malformed) => {
                    let address = self.sessions.address();
                    tracing::debug!(%address, %malformed, "refused");
                    (Reply::from(malformed.response()), !malformed.is_fatal())
                }
            };
            self.shared.metrics.requests.answered(reply.as_bytes());
            self.send(reply.as_bytes()).await?;
            if !goes_on {
                return Ok(false);
            }
        }
        if !self.decoder.is_partial() {
            self.until = None;
        } else if answered > 0 || !was_partial {
            self.until = Some(Instant::now() + self.shared.deadlines.request);
        }
        Ok(true)
    }

    async fn send(&mut self, response: &[u8]) -> Result<(), Lost> {
        let written = self.send_at_once(response).await?;
        let rest = &response[written..];
        if rest.is_empty() {
            return Ok(());
        }
        Box::pin(self.send_rest(rest)).await
    }

    async fn send_rest(&mut self, rest: &[u8]) -> Result<(), Lost> {
        let within = self.shared.deadlines.response;
        let room = self.shared.rooms.make(&self.stream, rest.len());
        match timeout(within, self.stream.write_all(rest)).await {
            Ok(written) => written?,
            Err(_) => return Err(Lost::UnreadResponse),
        }
        if let Some(room) = room {
            room.leave(&self.stream);
        }
        Ok(())
    }

    /// Sends what the system takes without waiting: as a rule all of it.
    async fn send_at_once(&mut self, response: &[u8]) -> io::Result<usize> {
        poll_fn(
            |context| match Pin::new(&mut self.stream).poll_write(context, response) {
                Poll::Pending => Poll::Ready(Ok(0)),
                written => written,
            },
        )
        .await
    }

    /// Closes our side and waits a moment for the other.
    async fn refuse_more(&mut self) -> Result<(), Lost> {
        self.stream.shutdown().await?;
        let lingering = async {
            let mut buffer = [0; LINGER_SIZE];
            for _ in 0..LINGER_READS {
                if self.stream.read(&mut buffer).await? == 0 {
                    break;
                }
            }
            Ok(())
        };
        // Whoever goes on sending for so long has read the answer or never will.
        timeout(LINGER, lingering).await.unwrap_or(Ok(()))
    }
}

#[cfg(test)]
mod tests;
