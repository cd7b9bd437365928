//! One connection: bytes in, requests decoded and answered, responses out, and the sessions
//! that began on it.
//!
//! A login is read here and in `accounts` (the password). The connection's slot is freed when
//! it is dropped, however the connection ends; its users stay online until their Hellos stop.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::{AbortRegistration, Abortable};
use p2pchat_protocol::v2::FIRST_BYTE;
use p2pchat_protocol::v2::registry::SILENCE;
use p2pchat_protocol::{Kind, Password, PeerAddr, Request, RequestDecoder, Response, Username};
use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument;

use super::send_buffers::Stream;
use super::slots::ConnectionSlot;
use super::{Shared, peer_at, session};
use crate::metrics::DropReason;
use crate::options::Limits;
use crate::presence::{OnlineList, SessionId, version_1};
use crate::throttle::Source;

/// Finds hosts that are gone, after 60 s + 3 × 10 s: a session may be silent for ever, but
/// a host that is gone must not keep its slot.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(60))
    .with_interval(Duration::from_secs(10))
    .with_retries(3);
/// How many bytes are read at a time: two requests. The next read waits until they are
/// answered. Each connection has a buffer of this size for as long as it lasts. More than one
/// request, so that a read which finds one tells that there is no more to find.
const READ_SIZE: usize = 64;
/// How many bytes are read at a time of what is thrown away.
const LINGER_SIZE: usize = 1024;
/// How long, and how much, a refused client may go on sending: closing earlier would make
/// its system throw the answer away.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_READS: usize = 64;
/// How many sessions a connection remembers. A client logs in one name; a name that falls
/// out is treated like one that was logged in on another connection.
const MAX_SESSIONS: usize = 16;

/// How long a connection may keep the server waiting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    /// From its start to its first request. A session may then be silent for ever.
    pub(super) first_request: Duration,
    /// From the first byte of a request to its last.
    pub(super) request: Duration,
    /// For a response to leave.
    pub(super) response: Duration,
    /// For the handshake of version 2.
    pub(super) handshake: Duration,
    /// From one frame of a session of version 2 to the next.
    pub(super) session: Duration,
}

impl From<&Limits> for Deadlines {
    fn from(limits: &Limits) -> Self {
        Self {
            first_request: limits.first_request_timeout,
            request: limits.request_timeout,
            response: limits.response_timeout,
            handshake: limits.handshake_timeout,
            session: limits.session_timeout.min(SILENCE),
        }
    }
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    /// The source whose limits it counts for.
    pub(super) source: Source,
    /// The address that its users are online at; `None` if it is not an IPv4 address of one
    /// machine.
    pub(super) peer: Option<PeerAddr>,
}

impl From<SocketAddr> for Origin {
    fn from(address: SocketAddr) -> Self {
        Self {
            source: address.into(),
            peer: peer_at(address),
        }
    }
}

/// Why a connection ended otherwise than in order.
#[derive(Debug, Error)]
pub(super) enum ConnectionError {
    #[error("no request came in time")]
    NoRequest,
    #[error("a request did not end in time")]
    PartialRequest,
    #[error("a response was not read in time")]
    UnreadResponse,
    #[error("refused: {}", .0.label())]
    Refused(DropReason),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ConnectionError {
    pub(super) fn reason(&self) -> Option<DropReason> {
        match self {
            Self::NoRequest => Some(DropReason::NoRequest),
            Self::PartialRequest => Some(DropReason::PartialRequest),
            Self::UnreadResponse => Some(DropReason::UnreadResponse),
            Self::Refused(reason) => Some(*reason),
            Self::Io(_) => None,
        }
    }
}

/// The bytes of a response, in one piece.
#[derive(Debug)]
enum Reply {
    Head([u8; Response::HEAD_LEN]),
    List(Arc<OnlineList>),
}

impl Reply {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Head(head) => head,
            Self::List(list) => list.as_bytes(),
        }
    }
}

/// For all responses but the online list.
impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Head(response.encode_head())
    }
}

/// One connection, with what is needed to serve it.
pub(super) struct Connection<S> {
    stream: S,
    origin: Origin,
    slot: ConnectionSlot,
    /// The sessions that began here, whether or not they still last, the oldest first.
    sessions: Vec<(Username, SessionId)>,
    decoder: RequestDecoder,
    /// When the next request has to be whole; `None` between requests.
    deadline: Option<Instant>,
    shared: Arc<Shared>,
}

impl Connection<TcpStream> {
    /// Serves the connection to its end, or until it is evicted.
    ///
    /// Not an `async fn`: its future would hold `self` twice, 232 bytes of 1,050 for each
    /// connection (`a_connection_takes_little_memory_while_nothing_is_asked`).
    pub(super) fn serve(self, evicted: AbortRegistration) -> impl Future<Output = ()> + Send {
        let mut connection = self;
        async move {
            if let Err(error) = prepare(&connection.stream) {
                tracing::debug!(%error, "the connection was gone at once");
                return;
            }
            let reason = match Abortable::new(connection.run(), evicted).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => {
                    tracing::debug!(%error, "connection lost");
                    error.reason()
                }
                Err(_) => Some(DropReason::MadeRoom),
            };
            if let Some(reason) = reason {
                connection.shared.metrics.drops.count(reason);
            }
            // What it has not read is not worth the system's memory.
            reset(connection.stream);
        }
    }
}

impl<S: Stream> Connection<S> {
    pub(super) fn new(
        stream: S,
        origin: Origin,
        slot: ConnectionSlot,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            stream,
            origin,
            slot,
            sessions: Vec::new(),
            decoder: RequestDecoder::default(),
            deadline: Some(Instant::now() + shared.deadlines.first_request),
            shared,
        }
    }

    /// Serves whichever version the first byte tells. Boxed, so that a connection has the memory
    /// of its own version alone.
    async fn run(&mut self) -> Result<(), ConnectionError> {
        if Box::pin(self.peek()).await? == Some(FIRST_BYTE) {
            let Self {
                stream,
                origin,
                slot,
                shared,
                ..
            } = self;
            return Box::pin(session::serve(stream, *origin, slot, shared)).await;
        }
        Box::pin(self.run_version_1()).await
    }

    async fn run_version_1(&mut self) -> Result<(), ConnectionError> {
        let stop = self.shared.stop_of(&self.slot);
        let mut buffer = [0; READ_SIZE];
        loop {
            let Some(read) = stop.run_until_cancelled(self.read(&mut buffer)).await else {
                return Ok(self.stream.shutdown().await?);
            };
            let read = read?;
            if read == 0 {
                return Ok(());
            }
            let goes_on = self.answer_all(&buffer[..read]).await?;
            // A password may have been in it.
            buffer[..read].fill(0);
            if !goes_on {
                self.shared.metrics.drops.count(DropReason::BadRequest);
                return close_gently(&mut self.stream).await;
            }
        }
    }

    /// Waits for the first byte, which stays where it is, for version 1 or for TLS to read. `None`
    /// if there will be none, which version 1 finds out again.
    async fn peek(&self) -> Result<Option<u8>, ConnectionError> {
        let within = self.shared.deadlines.first_request;
        let peeking = timeout(within, poll_fn(|context| self.stream.poll_peek(context)));
        let first = match self.shared.stop.run_until_cancelled(peeking).await {
            Some(Ok(first)) => first?,
            Some(Err(_)) => return Err(ConnectionError::NoRequest),
            None => None,
        };
        if let Some(first) = first {
            let counted = &self.shared.metrics.sessions;
            counted.connection(first == FIRST_BYTE);
        }
        Ok(first)
    }

    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ConnectionError> {
        let Some(deadline) = self.deadline else {
            return Ok(self.stream.read(buffer).await?);
        };
        match timeout_at(deadline, self.stream.read(buffer)).await {
            Ok(read) => Ok(read?),
            Err(_) if self.decoder.is_partial() => Err(ConnectionError::PartialRequest),
            Err(_) => Err(ConnectionError::NoRequest),
        }
    }

    /// Answers the requests in `bytes`. `false` when the connection has to be closed.
    async fn answer_all(&mut self, mut bytes: &[u8]) -> Result<bool, ConnectionError> {
        let was_partial = self.decoder.is_partial();
        let mut answered = 0;
        while let Some(request) = self.decoder.next(&mut bytes) {
            if answered > 0 {
                // A client that sends many at once waits behind those that send one.
                tokio::task::yield_now().await;
            }
            answered += 1;
            let (reply, goes_on) = match request {
                Ok(request) => (self.answer(request).await, true),
                Err(malformed) => {
                    tracing::debug!(%malformed, "refused");
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
            self.deadline = None;
        } else if answered > 0 || !was_partial {
            self.deadline = Some(Instant::now() + self.shared.deadlines.request);
        }
        Ok(true)
    }

    /// Does what a request asks for. Search and Logout never wait.
    ///
    /// Register and Login are boxed: otherwise each connection would hold the 824 bytes of a
    /// login for as long as it lasts: 1,500 instead of 820 in all.
    async fn answer(&mut self, request: Request) -> Reply {
        match request {
            Request::Register { username, password } => {
                let registering = self.shared.register(username, password, self.origin);
                Box::pin(registering).await.into()
            }
            Request::Login { username, password } => {
                let span = tracing::debug_span!("login", name = ?username);
                let login = self.login(username, password).instrument(span);
                Box::pin(login).await.into()
            }
            Request::Search { target, .. } => self.search(target).into(),
            Request::Logout { username } => self.logout(username).into(),
            Request::AllOnline { .. } => Reply::List(self.shared.online_list().await),
        }
    }

    async fn login(&mut self, name: Username, password: Password) -> Response {
        let shared = &self.shared;
        let peer = match shared.authenticate(name, password, self.origin).await {
            Ok(peer) => peer,
            Err(refusal) => return refusal,
        };
        let state = version_1::state(peer);
        match shared.sign_in(version_1::seat(name), state).await {
            Ok(session) => {
                self.begin_session(name, session);
                tracing::debug!("logged in");
                Response::LoggedIn
            }
            Err(error) => {
                let response = Response::ServerError { kind: Kind::Login };
                shared.store_failed(&error, response)
            }
        }
    }

    /// Remembers that `name` was logged in here; an earlier session of that name is
    /// forgotten.
    fn begin_session(&mut self, name: Username, session: SessionId) {
        self.sessions.retain(|(other, _)| *other != name);
        if self.sessions.len() == MAX_SESSIONS {
            self.sessions.remove(0);
        }
        // Most connections have one session for as long as they last.
        self.sessions.reserve_exact(1);
        self.sessions.push((name, session));
        let seat = version_1::seat(name);
        self.slot.protect(seat, session, &self.shared.presence);
    }

    /// The session that `name` got here, if it was logged in here.
    fn session_of(&self, name: Username) -> Option<SessionId> {
        self.sessions
            .iter()
            .find(|(other, _)| *other == name)
            .map(|&(_, session)| session)
    }

    fn search(&self, target: Username) -> Response {
        match self.shared.presence.find(target, self.shared.now()) {
            Some(address) => Response::Found(address),
            None => Response::NotFound,
        }
    }

    fn logout(&self, name: Username) -> Response {
        let shared = &self.shared;
        let ended = self.origin.peer.and_then(|peer| {
            let session = self.session_of(name);
            shared.presence.logout(name, session, peer, shared.now())
        });
        if let Some(ended) = &ended {
            shared.slots.ended(ended);
        }
        if ended.is_some_and(|ended| ended.was_online) {
            tracing::debug!(?name, "logged out");
            Response::LoggedOut
        } else {
            Response::WasNotOnline
        }
    }

    async fn send(&mut self, response: &[u8]) -> Result<(), ConnectionError> {
        let written = self.send_at_once(response).await?;
        if written < response.len() {
            self.send_rest(&response[written..]).await?;
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

    async fn send_rest(&mut self, rest: &[u8]) -> Result<(), ConnectionError> {
        let within = self.shared.deadlines.response;
        let buffer = self.shared.send_buffers.enlarge(&self.stream, rest.len());
        match timeout(within, self.stream.write_all(rest)).await {
            Ok(written) => written?,
            Err(_) => return Err(ConnectionError::UnreadResponse),
        }
        if let Some(buffer) = buffer {
            buffer.restore(&self.stream);
        }
        Ok(())
    }
}

/// Closes our side and waits a moment for the other, so that what was sent last arrives.
pub(super) async fn close_gently(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<(), ConnectionError> {
    stream.shutdown().await?;
    let lingering = async {
        let mut buffer = vec![0; LINGER_SIZE];
        for _ in 0..LINGER_READS {
            if stream.read(&mut buffer).await? == 0 {
                break;
            }
        }
        Ok(())
    };
    // A client that goes on sending for so long has read the answer or never will.
    timeout(LINGER, lingering).await.unwrap_or(Ok(()))
}

/// Sets the options of an accepted socket.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if let Err(error) = SockRef::from(stream).set_tcp_keepalive(&KEEPALIVE) {
        tracing::debug!(%error, "no keepalive on a connection");
    }
    Ok(())
}

/// Resets a connection: nothing of it stays in the system.
pub(super) fn reset(stream: TcpStream) {
    // If this fails, it is closed as usual.
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop(stream);
}

#[cfg(test)]
mod tests;
