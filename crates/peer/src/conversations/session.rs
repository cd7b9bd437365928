//! One session: an encrypted connection to a device, and the frames over it.
//!
//! Both sides say hello. Then one half reads and the other writes, each in its own time: frames
//! wait in a queue for the one that writes. While that queue is long, what would make it longer is
//! not looked at, so a peer that does not read what it asks for is soon not read from either.

mod outbound;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use p2pchat_conversation::sync::{MAX_OPEN, SessionId};
use p2pchat_protocol::v2::DeviceKey;
use p2pchat_protocol::v2::frame::{Frame, FrameDecoder, FrameError};
use p2pchat_protocol::v2::peer::{
    Bye, Frame as About, Hello, MAX_FIRST, MAX_TO_PEER, PING_INTERVAL, SILENCE, ToPeer, What,
};
use p2pchat_secure::{HandshakeError, Secured, sha256, verify_certificate};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf, split};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

pub(super) use outbound::{Outbound, encoded};

/// How long a connection may take until it is encrypted, and again until the other side has said
/// hello.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long the last frame may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// The most wants that wait for the queue to become shorter: as many as an honest peer has open,
/// and one for a conversation that it does not know yet.
const MAX_WAITING: usize = MAX_OPEN + 1;
/// And their most bytes, but for the last of them.
const MAX_WAITING_BYTES: usize = 1024 * 1024;
/// How much is read or written at once.
const CHUNK: usize = 16 * 1024;
/// The most frames of entries that are dealt with together, of those that came in one read.
const MAX_TOGETHER: usize = 64;

/// Why a session ended, or did not begin.
#[derive(Debug, Error)]
pub enum SessionError {
    /// There is no encrypted connection.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// It took too long to begin.
    #[error("the other side does not answer")]
    Late,
    /// The other side was silent for too long, or does not read.
    #[error("the other side is silent")]
    Silent,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// What came is malformed.
    #[error("the other side sent what is malformed")]
    Malformed,
    /// The certificate is of another device than the one that TLS has authenticated, or not signed
    /// by its person.
    #[error("the other side is not the device that it says it is")]
    Certificate,
    /// The other side ended it.
    #[error("the other side has ended the session: {0:?}")]
    Bye(Bye),
    /// This side did.
    #[error("ended")]
    Closed,
}

impl From<FrameError> for SessionError {
    fn from(_: FrameError) -> Self {
        Self::Malformed
    }
}

/// What a session has to tell the node.
pub(super) struct Inbound {
    pub(super) session: SessionId,
    pub(super) what: Told,
    /// Dropped when it was dealt with. The session reads no more before that.
    pub(super) done: oneshot::Sender<()>,
}

pub(super) enum Told {
    /// The hellos were said.
    Met { hello: Hello, outbound: Outbound },
    /// A frame has come. With it comes how many entries in it were left out.
    Frame { frame: ToPeer, dropped: usize },
    /// Entries have come, and maybe the ends of answers, in several frames.
    Talk(Vec<About>),
}

/// Both sides say hello. Gives the other's.
pub(super) async fn meet<S>(
    mut secured: Secured<S>,
    own: Hello,
) -> Result<(Line<S>, Hello), SessionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut bytes = Vec::new();
    ToPeer::Hello(own).encode(&mut bytes);
    secured.write_all(&bytes).await?;
    secured.flush().await?;
    let device = DeviceKey(secured.peer());
    let (read, write) = split(secured);
    let mut line = Line {
        reader: Reader::new(read),
        writer: Writer {
            stream: write,
            is_within: false,
        },
    };
    let frame = line.reader.next(MAX_FIRST).await;
    let read = frame.and_then(|frame| match decode(&frame)? {
        Some((ToPeer::Hello(hello), _)) => Ok(hello),
        Some((ToPeer::Bye(bye), _)) => Err(SessionError::Bye(bye)),
        _ => Err(SessionError::Malformed),
    });
    let hello = read.and_then(|hello| {
        let is_theirs = hello.certificate.device == device
            && device != own.certificate.device
            && verify_certificate(&hello.certificate);
        is_theirs.then_some(hello).ok_or(SessionError::Certificate)
    });
    match hello {
        Ok(hello) => Ok((line, hello)),
        Err(error) => {
            line.part(fault(&error)).await;
            Err(error)
        }
    }
}

fn decode(frame: &Frame) -> Result<Option<(ToPeer, usize)>, SessionError> {
    ToPeer::decode(frame, sha256).map_err(|_| SessionError::Malformed)
}

/// What the other side is told of an error, if it is its own.
fn fault(error: &SessionError) -> Option<Bye> {
    match error {
        SessionError::Malformed | SessionError::Certificate => Some(Bye::Malformed),
        _ => None,
    }
}

/// A connection over which both sides have said hello.
pub(super) struct Line<S> {
    reader: Reader<ReadHalf<Secured<S>>>,
    writer: Writer<WriteHalf<Secured<S>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    /// Reads and writes until one of the sides ends it.
    pub(super) async fn run(
        mut self,
        session: SessionId,
        outbound: &Outbound,
        inputs: &mpsc::Sender<Inbound>,
    ) -> SessionError {
        let incoming = Incoming {
            session,
            outbound,
            inputs,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        };
        let ended = tokio::select! {
            ended = incoming.run(&mut self.reader) => ended,
            ended = self.writer.run(outbound) => ended,
        };
        self.part(outbound.bye().or(fault(&ended))).await;
        ended
    }

    /// Sends the last frame, if one can be sent, and closes the connection.
    async fn part(&mut self, bye: Option<Bye>) {
        let writer = &mut self.writer;
        let parting = async {
            if let Some(bye) = bye.filter(|_| !writer.is_within) {
                let mut bytes = Vec::new();
                ToPeer::Bye(bye).encode(&mut bytes);
                writer.stream.write_all(&bytes).await?;
            }
            writer.stream.shutdown().await
        };
        // What cannot be said in time is not said.
        let _ = timeout(GOODBYE, parting).await;
    }
}

/// Cuts what comes into frames.
struct Reader<R> {
    stream: R,
    decoder: FrameDecoder,
    /// What was read and is no frame yet.
    left: Box<[u8]>,
    /// How much of it is.
    start: usize,
}

thread_local! {
    /// What all sessions of a thread read into, one after the other: most of them are idle.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into());
}

impl<R: AsyncRead + Unpin> Reader<R> {
    fn new(stream: R) -> Self {
        Self {
            stream,
            decoder: FrameDecoder::default(),
            left: Box::default(),
            start: 0,
        }
    }

    /// The next frame, if all of it was read already.
    fn next_read(&mut self, limit: usize) -> Result<Option<Frame>, SessionError> {
        let mut bytes = &self.left[self.start..];
        let frame = self.decoder.next(&mut bytes, limit)?;
        self.start = self.left.len() - bytes.len();
        Ok(frame)
    }

    /// The next frame. Loses nothing if it is dropped while it waits.
    async fn next(&mut self, limit: usize) -> Result<Frame, SessionError> {
        loop {
            if let Some(frame) = self.next_read(limit)? {
                return Ok(frame);
            }
            // All of it was taken.
            (self.left, self.start) = (Box::default(), 0);
            self.left = self.read().await?;
            if self.left.is_empty() {
                return Err(SessionError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// What comes next; nothing at the end.
    async fn read(&mut self) -> io::Result<Box<[u8]>> {
        poll_fn(|context| {
            BUFFER.with_borrow_mut(|buffer| {
                let mut into = ReadBuf::new(buffer);
                ready!(Pin::new(&mut self.stream).poll_read(context, &mut into))?;
                Poll::Ready(Ok(into.filled().into()))
            })
        })
        .await
    }
}

/// Writes what is in the queue, and pings.
struct Writer<W> {
    stream: W,
    /// Whether a frame has begun and not ended.
    is_within: bool,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    async fn run(&mut self, outbound: &Outbound) -> SessionError {
        let mut pings = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ping = encoded(&ToPeer::Ping);
        loop {
            let next = tokio::select! {
                biased;
                next = outbound.next(CHUNK) => next,
                _ = pings.tick() => Some(Arc::clone(&ping)),
            };
            let Some(bytes) = next else {
                return SessionError::Closed;
            };
            let written = tokio::select! {
                // It is done at once as a rule: then the end is not waited for.
                biased;
                written = self.write(&bytes) => written,
                () = outbound.ended() => Err(SessionError::Closed),
            };
            if let Err(error) = written {
                return error;
            }
        }
    }

    /// Each chunk has the time after which a silent peer is gone: a slow connection is not.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        self.is_within = true;
        let silent = |_| SessionError::Silent;
        for chunk in bytes.chunks(CHUNK) {
            let written = timeout(SILENCE, self.stream.write_all(chunk)).await;
            written.map_err(silent)??;
        }
        self.is_within = false;
        let flushed = timeout(SILENCE, self.stream.flush()).await;
        Ok(flushed.map_err(silent)??)
    }
}

/// Passes on what comes.
struct Incoming<'a> {
    session: SessionId,
    outbound: &'a Outbound,
    inputs: &'a mpsc::Sender<Inbound>,
    /// Wants that came while the queue was long. The other frames are taken meanwhile: if both
    /// sides waited for each other to read, neither would.
    waiting: VecDeque<(ToPeer, usize)>,
    waiting_bytes: usize,
}

impl Incoming<'_> {
    async fn run<R: AsyncRead + Unpin>(mut self, reader: &mut Reader<R>) -> SessionError {
        let outbound = self.outbound;
        loop {
            let has_room =
                self.waiting.len() < MAX_WAITING && self.waiting_bytes < MAX_WAITING_BYTES;
            let done = tokio::select! {
                () = outbound.becomes_short(), if !self.waiting.is_empty() => {
                    self.pass_waiting().await
                }
                came = timeout(SILENCE, reader.next(MAX_TO_PEER)), if has_room => match came {
                    Ok(Ok(frame)) => self.came(frame, reader).await,
                    Ok(Err(error)) => Err(error),
                    Err(_) => Err(SessionError::Silent),
                },
            };
            if let Err(error) = done {
                return error;
            }
        }
    }

    /// Entries are passed on together, up to the first frame of another kind.
    async fn came<R: AsyncRead + Unpin>(
        &mut self,
        first: Frame,
        reader: &mut Reader<R>,
    ) -> Result<(), SessionError> {
        let mut talk = Vec::new();
        let mut next = Ok(Some(first));
        while let Ok(Some(frame)) = &next {
            match decode(frame) {
                Ok(Some((ToPeer::About(about), _))) if is_talk(&about) => talk.push(about),
                read => {
                    self.pass_talk(talk).await?;
                    return match read? {
                        Some((read, dropped)) => self.one(read, dropped, frame).await,
                        None => Ok(()),
                    };
                }
            }
            next = if talk.len() < MAX_TOGETHER {
                reader.next_read(MAX_TO_PEER)
            } else {
                Ok(None)
            };
        }
        self.pass_talk(talk).await?;
        next.map(|_| ())
    }

    async fn pass_talk(&self, talk: Vec<About>) -> Result<(), SessionError> {
        if talk.is_empty() {
            return Ok(());
        }
        tell(self.inputs, self.session, Told::Talk(talk)).await
    }

    async fn one(
        &mut self,
        read: ToPeer,
        dropped: usize,
        frame: &Frame,
    ) -> Result<(), SessionError> {
        let is_long = self.outbound.is_long();
        match read {
            ToPeer::Hello(_) => Err(SessionError::Malformed),
            ToPeer::Bye(bye) => Err(SessionError::Bye(bye)),
            // What is on its way to them is a sign of life as well.
            ToPeer::Ping if !is_long => {
                let _ = self.outbound.send(&ToPeer::Pong);
                Ok(())
            }
            ToPeer::Ping | ToPeer::Pong => Ok(()),
            ToPeer::About(About {
                what: What::Want(_),
                ..
            }) if is_long || !self.waiting.is_empty() => {
                let size = frame.message.len();
                self.waiting_bytes += size;
                self.waiting.push_back((read, size));
                Ok(())
            }
            ToPeer::About(_) | ToPeer::Ephemeral { .. } => self.pass(read, dropped).await,
        }
    }

    async fn pass_waiting(&mut self) -> Result<(), SessionError> {
        let Some((frame, size)) = self.waiting.pop_front() else {
            return Ok(());
        };
        self.waiting_bytes -= size;
        self.pass(frame, 0).await
    }

    async fn pass(&self, frame: ToPeer, dropped: usize) -> Result<(), SessionError> {
        tell(self.inputs, self.session, Told::Frame { frame, dropped }).await
    }
}

/// Whether a frame has entries, or ends an answer.
fn is_talk(about: &About) -> bool {
    matches!(about.what, What::Talk { .. } | What::Done)
}

/// Tells the node something, and waits until it has dealt with it.
pub(super) async fn tell(
    inputs: &mpsc::Sender<Inbound>,
    session: SessionId,
    what: Told,
) -> Result<(), SessionError> {
    let (done, is_done) = oneshot::channel();
    let inbound = Inbound {
        session,
        what,
        done,
    };
    let told = inputs.send(inbound).await;
    told.map_err(|_| SessionError::Closed)?;
    // Nothing is sent there: it is dropped.
    let _ = is_done.await;
    Ok(())
}

#[cfg(test)]
mod tests;
