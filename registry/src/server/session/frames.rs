//! The encrypted stream of a session, cut into frames.

use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures::poll;
use p2pchat_protocol::v2::{Frame, FrameDecoder, FrameError, FromRegistry};
use p2pchat_secure::Secured;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::metrics::DropReason;
use crate::server::Shared;
use crate::server::connection::{ConnectionError, Deadlines};
use crate::server::send_buffers::{SendBufferPool, Stream};

/// How many bytes are read at a time: some requests. Each session has a buffer of this size for
/// as long as it lasts.
pub(super) const READ_SIZE: usize = 128;

/// What a read has found.
pub(super) enum Readable {
    /// So many bytes.
    Bytes(usize),
    /// The client has closed the connection.
    End,
}

/// What the client has to do before the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Send its first frame.
    First,
    /// End the frame that it has begun.
    Rest,
    /// Send a frame, if only a ping.
    Frame,
}

/// The encrypted stream of a session.
pub(super) struct FrameStream<'a, S> {
    stream: Secured<&'a mut S>,
    send_buffers: &'a SendBufferPool,
    deadlines: &'a Deadlines,
    decoder: FrameDecoder,
    awaited: Awaited,
    deadline: Instant,
    /// Goes off at the deadline or before: then it is set again. A request that comes in time,
    /// as they do, costs no change of a timer.
    alarm: Pin<Box<Sleep>>,
}

impl<'a, S: Stream> FrameStream<'a, S> {
    pub(super) fn new(stream: Secured<&'a mut S>, shared: &'a Shared) -> Self {
        let deadline = Instant::now() + shared.deadlines.first_request;
        Self {
            stream,
            send_buffers: &shared.send_buffers,
            deadlines: &shared.deadlines,
            decoder: FrameDecoder::default(),
            awaited: Awaited::First,
            deadline,
            alarm: Box::pin(sleep_until(deadline)),
        }
    }

    /// The stream below the frames.
    pub(super) fn get_mut(&mut self) -> &mut Secured<&'a mut S> {
        &mut self.stream
    }

    /// Reads what is there, at most until the deadline. Cancel-safe.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> Result<Readable, ConnectionError> {
        loop {
            tokio::select! {
                biased;
                read = self.stream.read(buffer) => return match read {
                    Ok(0) => Ok(Readable::End),
                    Ok(length) => Ok(Readable::Bytes(length)),
                    // Closed without a word, as killed programs do.
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                        Ok(Readable::End)
                    }
                    Err(error) => Err(error.into()),
                },
                () = &mut self.alarm => {}
            }
            if Instant::now() >= self.deadline {
                return Err(ConnectionError::Refused(match self.awaited {
                    Awaited::First => DropReason::NoRequest,
                    Awaited::Rest => DropReason::PartialRequest,
                    Awaited::Frame => DropReason::Silent,
                }));
            }
            self.alarm.as_mut().reset(self.deadline);
        }
    }

    /// The next whole frame in `bytes`, which were read before.
    pub(super) fn next_frame(
        &mut self,
        bytes: &mut &[u8],
        limit: usize,
    ) -> Result<Option<Frame>, FrameError> {
        let frame = self.decoder.next(bytes, limit)?;
        if frame.is_some() {
            self.wait_for(Awaited::Frame, self.deadlines.session);
        } else if self.decoder.is_partial() && self.awaited != Awaited::Rest {
            self.wait_for(Awaited::Rest, self.deadlines.request);
        }
        Ok(frame)
    }

    fn wait_for(&mut self, awaited: Awaited, within: Duration) {
        self.awaited = awaited;
        self.deadline = Instant::now() + within;
        if self.deadline < self.alarm.deadline() {
            self.alarm.as_mut().reset(self.deadline);
        }
    }

    /// Sends a frame.
    pub(super) async fn send_frame(&mut self, frame: &FromRegistry) -> Result<(), ConnectionError> {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.send(&bytes, self.deadlines.response).await
    }

    /// Sends whole frames. What the client does not read waits in the buffers of TLS and of the
    /// system, which are bounded, and here.
    pub(super) async fn send(
        &mut self,
        bytes: &[u8],
        within: Duration,
    ) -> Result<(), ConnectionError> {
        let buffer = self
            .send_buffers
            .enlarge(&**self.stream.get_ref(), bytes.len());
        let mut sending = pin!(async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        });
        // The system takes it at once as a rule: then no timer is made.
        let sent = match poll!(&mut sending) {
            Poll::Ready(sent) => Ok(sent),
            Poll::Pending => timeout(within, sending).await,
        };
        match sent {
            Ok(sent) => sent?,
            Err(_) => return Err(ConnectionError::UnreadResponse),
        }
        if let Some(buffer) = buffer {
            buffer.restore(&**self.stream.get_ref());
        }
        Ok(())
    }
}
