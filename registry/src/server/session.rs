//! A connection of version 2: the handshake, frames in and out, requests and their answers, and
//! what is pushed in between.
//!
//! | module | what it has |
//! |---|---|
//! | `frames` | the encrypted stream: reading with deadlines, writing for slow readers |
//! | `sign_in` | the begin of a session: sign-up, sign-in, and its end however that comes |
//!
//! One task reads requests, answers them in their order, and sends what the feed has. While it
//! does one it does not do the others, so a client that does not read is not read from.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use p2pchat_protocol::v2::registry::{MAX_FIRST, MAX_TO_REGISTRY};
use p2pchat_protocol::v2::{
    DeviceKey, DisplayName, FromRegistry, Goodbye, Passphrase, Refusal, ToRegistry,
};
use p2pchat_secure::Secured;
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroize;

use super::Shared;
use super::bindings::NotChanged;
use super::connection::{ConnectionError, Origin, close_gently};
use super::send_buffers::Stream;
use super::slots::ConnectionSlot;
use crate::metrics::{DropReason, HandshakeResult};
use crate::presence::Subscription;
use crate::store::StoredBinding;

mod frames;
mod sign_in;

use frames::{FrameStream, READ_SIZE, Readable};
use sign_in::SignedIn;

/// Serves a connection that begins with TLS to its end.
pub(super) async fn serve<S: Stream>(
    stream: &mut S,
    origin: Origin,
    slot: &mut ConnectionSlot,
    shared: &Arc<Shared>,
) -> Result<(), ConnectionError> {
    // Boxed apart: it is over before the session begins.
    let mut session = Box::pin(Session::open(stream, origin, slot, shared)).await?;
    session.run().await
}

/// The handshake, if its source may have one.
async fn shake_hands<'a, S: Stream>(
    stream: &'a mut S,
    origin: Origin,
    shared: &Shared,
) -> Result<Secured<&'a mut S>, ConnectionError> {
    let counted = &shared.metrics.sessions;
    if let Err(reason) = shared.handshakes.begin(origin.source, shared.now()) {
        counted.handshake(HandshakeResult::Limited);
        return Err(ConnectionError::Refused(reason));
    }
    let accepting = shared.acceptor.accept(stream);
    match timeout(shared.deadlines.handshake, accepting).await {
        Ok(Ok(stream)) => {
            counted.handshake(HandshakeResult::Ok);
            Ok(stream)
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "no handshake");
            counted.handshake(HandshakeResult::Failed);
            Err(ConnectionError::Refused(DropReason::HandshakeFailed))
        }
        Err(_) => {
            counted.handshake(HandshakeResult::Timeout);
            Err(ConnectionError::Refused(DropReason::HandshakePartial))
        }
    }
}

/// What a session does next.
enum Event {
    Read(Result<Readable, ConnectionError>),
    Push(Arc<[u8]>),
    End(Goodbye),
}

/// An answer: one frame.
enum Answer {
    Frame(FromRegistry),
    Encoded(Arc<[u8]>),
}

impl From<Result<(), Refusal>> for Answer {
    fn from(result: Result<(), Refusal>) -> Self {
        Self::Frame(match result {
            Ok(()) => FromRegistry::Done,
            Err(refusal) => FromRegistry::Refused(refusal),
        })
    }
}

/// Why no further frame is read.
enum Stop {
    /// The connection is told this and closed.
    Goodbye(Goodbye),
    Lost(ConnectionError),
}

impl From<ConnectionError> for Stop {
    fn from(error: ConnectionError) -> Self {
        Self::Lost(error)
    }
}

/// A connection after its handshake.
struct Session<'a, S> {
    stream: FrameStream<'a, S>,
    /// The key that TLS has authenticated.
    device: DeviceKey,
    origin: Origin,
    slot: &'a mut ConnectionSlot,
    shared: &'a Arc<Shared>,
    stop: CancellationToken,
    /// Dropping it ends the session.
    signed_in: Option<SignedIn>,
    subscription: Option<Subscription>,
}

impl<'a, S: Stream> Session<'a, S> {
    /// Begins with the handshake. Boxed, as futures hold what is moved into them twice.
    async fn open(
        stream: &'a mut S,
        origin: Origin,
        slot: &'a mut ConnectionSlot,
        shared: &'a Arc<Shared>,
    ) -> Result<Box<Self>, ConnectionError> {
        let stream = shake_hands(stream, origin, shared).await?;
        let device = DeviceKey(stream.peer());
        Ok(Box::new(Self {
            stream: FrameStream::new(stream, shared),
            device,
            origin,
            stop: shared.stop_of(slot),
            slot,
            shared,
            signed_in: None,
            subscription: None,
        }))
    }

    /// Whatever is not waiting for the next event is boxed: sessions are idle most of the time,
    /// and there are many.
    async fn run(&mut self) -> Result<(), ConnectionError> {
        let welcome = FromRegistry::Welcome { time: unix_time() };
        Box::pin(self.stream.send_frame(&welcome)).await?;
        let mut buffer = [0; READ_SIZE];
        loop {
            let going_on = match self.next(&mut buffer).await {
                Event::Read(Ok(Readable::End)) => return Ok(()),
                Event::Read(Ok(Readable::Bytes(length))) => {
                    let answered = Box::pin(self.answer_all(&buffer[..length])).await;
                    // A password may have been in it.
                    buffer[..length].zeroize();
                    answered
                }
                Event::Read(Err(error)) => Err(error.into()),
                Event::Push(frames) => Box::pin(self.push(&frames)).await,
                Event::End(goodbye) => Err(Stop::Goodbye(goodbye)),
            };
            match going_on {
                Ok(()) => {}
                Err(Stop::Goodbye(goodbye)) => {
                    return Box::pin(self.say_goodbye(goodbye)).await;
                }
                Err(Stop::Lost(error)) => return Err(error),
            }
        }
    }

    /// Waits for whatever comes first; of several, the first in this order. Nothing is lost of the
    /// others.
    async fn next(&mut self, buffer: &mut [u8]) -> Event {
        let Self {
            stream,
            signed_in,
            subscription,
            stop,
            ..
        } = self;
        tokio::select! {
            biased;
            goodbye = ended(signed_in, stop) => Event::End(goodbye),
            read = stream.read(buffer) => Event::Read(read),
            // A long snapshot is no reason to wait for an answer.
            frames = pushed(subscription) => Event::Push(frames),
        }
    }

    /// Sends what the feed has. A slow reader has as long as they may be silent.
    async fn push(&mut self, frames: &[u8]) -> Result<(), Stop> {
        let within = self.shared.deadlines.session;
        tokio::select! {
            // It is done at once as a rule: then the end is not waited for.
            biased;
            sent = self.stream.send(frames, within) => Ok(sent?),
            // In the middle of a frame there is no goodbye.
            _ = ended(&mut self.signed_in, &self.stop) => {
                Err(ConnectionError::UnreadResponse.into())
            }
        }
    }

    /// Answers the frames in `bytes`.
    async fn answer_all(&mut self, mut bytes: &[u8]) -> Result<(), Stop> {
        let is_full = bytes.len() == READ_SIZE;
        loop {
            let limit = if self.signed_in.is_some() {
                MAX_TO_REGISTRY
            } else {
                MAX_FIRST
            };
            let frame = match self.stream.next_frame(&mut bytes, limit) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(%error, "refused");
                    return Err(Stop::Goodbye(Goodbye::Malformed));
                }
            };
            let request = ToRegistry::decode(&frame);
            // It wipes itself: a password may have been in it, and serving may take long.
            drop(frame);
            match request {
                Ok(Some(request)) => self.serve_request(request).await?,
                // Of a later version, which does not need an answer.
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%error, "refused");
                    return Err(Stop::Goodbye(Goodbye::Malformed));
                }
            }
            if !bytes.is_empty() {
                // A client that sends many at once waits behind those that send one.
                yield_now().await;
            }
        }
        if is_full {
            yield_now().await;
        }
        Ok(())
    }

    async fn serve_request(&mut self, request: ToRegistry) -> Result<(), Stop> {
        if let Some(signed_in) = &mut self.signed_in
            && !signed_in.is_alive()
        {
            return Err(Stop::Goodbye(Goodbye::Replaced));
        }
        let kind = request_kind(&request);
        let answer = self.answer(request).await?;
        let (is_refused, sent) = match &answer {
            Answer::Frame(frame) => (
                matches!(frame, FromRegistry::Refused(_)),
                self.stream.send_frame(frame).await,
            ),
            Answer::Encoded(bytes) => {
                let within = self.shared.deadlines.response;
                (false, self.stream.send(bytes, within).await)
            }
        };
        self.shared.metrics.sessions.answered(kind, is_refused);
        Ok(sent?)
    }

    /// Does what a request asks for. What waits for the store or a hash is boxed: a lookup or a
    /// ping must not make room for a sign-in.
    async fn answer(&mut self, request: ToRegistry) -> Result<Answer, Stop> {
        Ok(match request {
            ToRegistry::Ping => Answer::Frame(FromRegistry::Pong),
            ToRegistry::Lookup(name) => match self.signed_in {
                Some(_) => Answer::Encoded(match self.shared.looked_up(name) {
                    Some(answer) => answer,
                    None => Box::pin(self.shared.look_up(name)).await,
                }),
                None => Err(Refusal::NotSignedIn).into(),
            },
            ToRegistry::LookupKey(person) => match self.signed_in {
                Some(_) => Answer::Encoded(Box::pin(self.shared.look_up_key(person)).await),
                None => Err(Refusal::NotSignedIn).into(),
            },
            ToRegistry::SignUp(sign_up) => Box::pin(self.sign_up(sign_up)).await.into(),
            ToRegistry::SignIn(sign_in) => Box::pin(self.sign_in(sign_in)).await?,
            ToRegistry::Subscribe => self.subscribe().into(),
            ToRegistry::SetStatus(status) => self.set_status(status)?,
            ToRegistry::SetDisplayName(name) => Box::pin(self.set_display_name(name)).await?,
            ToRegistry::AllowVersion1(is_allowed) => {
                let change = move |stored: &mut StoredBinding| stored.allows_version_1 = is_allowed;
                Box::pin(self.change_binding(change)).await?
            }
            ToRegistry::ChangePassword { old, new } => {
                Box::pin(self.change_password(old, new)).await.into()
            }
            ToRegistry::SignOut => self.sign_out().into(),
        })
    }

    fn signed_in(&self) -> Result<&SignedIn, Refusal> {
        self.signed_in.as_ref().ok_or(Refusal::NotSignedIn)
    }

    /// A second subscription is the first one again, from its snapshot on.
    fn subscribe(&mut self) -> Result<(), Refusal> {
        self.signed_in()?;
        self.subscription = Some(self.shared.presence.feed().subscribe());
        Ok(())
    }

    fn set_status(&self, status: p2pchat_protocol::v2::Status) -> Result<Answer, Stop> {
        let signed_in = match self.signed_in() {
            Ok(signed_in) => signed_in,
            Err(refusal) => return Ok(Err(refusal).into()),
        };
        if signed_in.change(|state| state.status = status) {
            Ok(Ok(()).into())
        } else {
            Err(Stop::Goodbye(Goodbye::Replaced))
        }
    }

    async fn set_display_name(&self, name: DisplayName) -> Result<Answer, Stop> {
        let change = move |stored: &mut StoredBinding| stored.binding.display_name = name;
        self.change_binding(change).await
    }

    async fn change_binding(&self, change: impl Fn(&mut StoredBinding)) -> Result<Answer, Stop> {
        let signed_in = match self.signed_in() {
            Ok(signed_in) => signed_in,
            Err(refusal) => return Ok(Err(refusal).into()),
        };
        let (name, person) = (signed_in.name(), signed_in.person());
        let changing = (self.shared).change_binding(name, person, self.device.id(), change);
        match changing.await {
            Ok(()) => Ok(Ok(()).into()),
            Err(NotChanged::Failed) => Ok(Err(Refusal::Failed).into()),
            Err(NotChanged::NotAdmitted) => Err(Stop::Goodbye(Goodbye::AccessChanged)),
        }
    }

    async fn change_password(&self, old: Passphrase, new: Passphrase) -> Result<(), Refusal> {
        let name = self.signed_in()?.name();
        let peer = self.origin.peer.ok_or(Refusal::NoAddress)?;
        let changing = (self.shared).change_password(name, old, new, peer, self.origin.source);
        Ok(changing.await?)
    }

    fn sign_out(&mut self) -> Result<(), Refusal> {
        self.signed_in()?;
        self.subscription = None;
        self.signed_in = None;
        Ok(())
    }

    /// Tells why the connection is closed, and closes it so that this arrives.
    async fn say_goodbye(&mut self, goodbye: Goodbye) -> Result<(), ConnectionError> {
        // Gone at once: the rest may take a second.
        self.subscription = None;
        self.signed_in = None;
        if goodbye == Goodbye::Malformed {
            self.shared.metrics.drops.count(DropReason::BadFrame);
        }
        tracing::debug!(?goodbye, "closing");
        self.stream
            .send_frame(&FromRegistry::Goodbye(goodbye))
            .await?;
        close_gently(self.stream.get_mut()).await
    }
}

/// The next frames of a subscription, if there is one.
async fn pushed(subscription: &mut Option<Subscription>) -> Arc<[u8]> {
    match subscription {
        Some(subscription) => subscription.next().await,
        None => std::future::pending().await,
    }
}

/// The end of a session by something else than its connection. One who is signed in waits for one
/// thing: [`LiveSessions`](super::live::LiveSessions) tells them that the server stops, too.
async fn ended(signed_in: &mut Option<SignedIn>, stop: &CancellationToken) -> Goodbye {
    match signed_in {
        Some(signed_in) => signed_in.ended().await,
        None => {
            stop.cancelled().await;
            Goodbye::Stopping
        }
    }
}

/// The label of a request in the metrics.
fn request_kind(request: &ToRegistry) -> &'static str {
    match request {
        ToRegistry::SignUp(_) => "sign_up",
        ToRegistry::SignIn(_) => "sign_in",
        ToRegistry::Subscribe => "subscribe",
        ToRegistry::Lookup(_) => "lookup",
        ToRegistry::LookupKey(_) => "lookup_key",
        ToRegistry::SetStatus(_) => "set_status",
        ToRegistry::SetDisplayName(_) => "set_display_name",
        ToRegistry::ChangePassword { .. } => "change_password",
        ToRegistry::AllowVersion1(_) => "allow_version_1",
        ToRegistry::SignOut => "sign_out",
        ToRegistry::Ping => "ping",
    }
}

/// The wall-clock time, in milliseconds since 1970.
fn unix_time() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    time.map_or(0, |time| {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests;
