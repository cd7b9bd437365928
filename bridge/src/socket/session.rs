//! The session of a client that was let in: updates out, calls in.

use std::time::{SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use hyper_tungstenite::tungstenite::{self, Message};
use p2pchat_common::rate_limit::Bucket;
use p2pchat_model::{BadCall, Call, Event, FrontEndId, Timestamp, Update};
use p2pchat_profile::{Calls, Ended, FrontEnd};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::stopping;
use super::stream::{CloseReason, Stream, send};
use crate::limits::MAX_FRAME_BYTES;
use crate::shared::Shared;

/// Runs a session to its end.
pub(super) async fn run(
    stream: &mut Stream,
    shared: &Shared,
    front_end: FrontEndId,
) -> CloseReason {
    let Ok(FrontEnd { calls, mut updates }) = shared.profile.join(front_end) else {
        return CloseReason::PeerStopped;
    };
    let limits = &shared.limits;
    let mut session = Session {
        stream,
        shared,
        calls,
        has_view: false,
        waiting: None,
        frames: Bucket::default(),
        began: Instant::now(),
        next_read: Instant::now(),
        malformed: 0,
    };
    let mut pings = interval_at(Instant::now() + limits.ping_every, limits.ping_every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let step = tokio::select! {
            update = updates.next() => session.on_update(update).await,
            // The view comes before any answer.
            frame = session.next_frame(), if session.has_view => session.on_frame(frame).await,
            _ = pings.tick() => session.ping().await,
            reason = stopping(shared) => Err(reason),
        };
        if let Err(reason) = step {
            if reason == CloseReason::TooBig {
                let _ = session.send(&too_big().into_answer(now())).await;
            }
            return reason;
        }
    }
}

struct Session<'a> {
    stream: &'a mut Stream,
    shared: &'a Shared,
    calls: Calls,
    /// Whether the view is sent. Until then no frame is read.
    has_view: bool,
    /// A call that the peer has no room for yet. Until it has, no further frame is read, but
    /// updates go out: the answers to earlier calls are what makes room.
    waiting: Option<Call>,
    /// The rate limit on frames, by the time since `began`.
    frames: Bucket,
    began: Instant,
    /// When the next frame is read: at once, or later where frames come too fast. The
    /// client's silence is counted from then on, since before that it is not listened to.
    next_read: Instant,
    malformed: u32,
}

impl Session<'_> {
    async fn send(&mut self, update: &Update) -> Result<(), CloseReason> {
        let json = serde_json::to_string(update).expect("the types of the model are valid JSON");
        send(self.stream, Message::text(json), &self.shared.limits).await
    }

    async fn on_update(&mut self, update: Result<Update, Ended>) -> Result<(), CloseReason> {
        let update = update.map_err(|_| CloseReason::PeerStopped)?;
        if !self.has_view && matches!(*update.event, Event::View(_)) {
            self.has_view = true;
            self.next_read = Instant::now();
        }
        self.send(&update).await
    }

    /// The next frame, once the last call is passed on and the rate limit allows to read it:
    /// frames that come too fast wait in the connection, whose back-pressure slows the client
    /// down. Cancel-safe: no call and no frame is lost.
    async fn next_frame(&mut self) -> Result<Message, CloseReason> {
        if let Some(call) = &self.waiting {
            let sent = self.calls.send(call.clone()).await;
            sent.map_err(|_| CloseReason::PeerStopped)?;
            self.waiting = None;
            self.next_read = self.next_read.max(Instant::now());
        }
        sleep_until(self.next_read).await;
        Ok(self.stream.next().await.ok_or(CloseReason::Gone)??)
    }

    async fn on_frame(&mut self, frame: Result<Message, CloseReason>) -> Result<(), CloseReason> {
        let frame = frame?;
        let (rate, now) = (self.shared.limits.frames, self.began.elapsed());
        self.frames.take(rate, now);
        self.next_read = self.began + now + self.frames.wait(rate, now);
        match frame {
            Message::Text(text) => self.on_text(&text).await,
            Message::Binary(_) => Err(CloseReason::NotText),
            Message::Close(_) => Err(CloseReason::Gone),
            // The library answers pings.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    async fn on_text(&mut self, text: &str) -> Result<(), CloseReason> {
        match Call::from_json(text) {
            Ok(call) => {
                self.waiting = Some(call);
                Ok(())
            }
            Err(_) if self.malformed >= self.shared.limits.malformed => Err(CloseReason::Malformed),
            Err(bad) => {
                self.malformed += 1;
                self.send(&bad.into_answer(now())).await
            }
        }
    }

    /// Pings the client, unless it was silent for too long.
    async fn ping(&mut self) -> Result<(), CloseReason> {
        let is_heard = self.has_view && self.waiting.is_none();
        if is_heard && self.next_read.elapsed() > self.shared.limits.dead_after {
            return Err(CloseReason::Gone);
        }
        let ping = Message::Ping(tungstenite::Bytes::new());
        send(self.stream, ping, &self.shared.limits).await
    }
}

/// What is wrong with a frame that is not read to its end.
fn too_big() -> BadCall {
    BadCall {
        id: None,
        reason: format!("it may have at most {MAX_FRAME_BYTES} bytes"),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Timestamp(u64::try_from(millis).unwrap_or(u64::MAX))
}
