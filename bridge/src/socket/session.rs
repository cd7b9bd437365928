//! The session of a client that was let in: events out, commands in.

use std::mem;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use hyper_tungstenite::tungstenite::{self, Message};
use p2pchat_common::rate_limit::Bucket;
use p2pchat_model::{Command, Event, Failure, Problem, Timestamp};
use p2pchat_peer::Missed;
use p2pchat_settings::command::complaint;
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::backlog::Backlog;
use super::stopping;
use super::stream::{CloseReason, Stream, send};
use crate::limits::MAX_FRAME_BYTES;
use crate::shared::Shared;

/// Runs a session to its end.
pub(super) async fn run(stream: &mut Stream, shared: &Shared) -> CloseReason {
    let Ok(mut subscription) = shared.handle.subscribe().await else {
        return CloseReason::PeerStopped;
    };
    let limits = &shared.limits;
    let (view, backlog) = Backlog::split(mem::take(&mut subscription.view));
    let mut session = Session {
        stream,
        shared,
        backlog,
        frames: Bucket::default(),
        began: Instant::now(),
        next_read: Instant::now(),
        malformed: 0,
    };
    let mut step = session.send(&view).await;
    drop(view);
    let mut pings = interval_at(Instant::now() + limits.ping_every, limits.ping_every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if let Err(reason) = step {
            if reason == CloseReason::TooBig {
                let _ = session.send(&failed(&too_big())).await;
            }
            return reason;
        }
        step = tokio::select! {
            event = subscription.next() => session.on_event(event).await,
            frame = session.next_frame() => session.on_frame(frame).await,
            _ = pings.tick() => session.ping().await,
            reason = stopping(shared) => Err(reason),
        };
    }
}

struct Session<'a> {
    stream: &'a mut Stream,
    shared: &'a Shared,
    backlog: Backlog,
    /// The rate limit on frames, by the time since `began`.
    frames: Bucket,
    began: Instant,
    /// When the next frame is read: at once, or later where frames come too fast. The
    /// client's silence is counted from then on, since before that it is not listened to.
    next_read: Instant,
    malformed: u32,
}

impl Session<'_> {
    async fn send(&mut self, what: &impl Serialize) -> Result<(), CloseReason> {
        let json = serde_json::to_string(what).expect("the types of the model are valid JSON");
        send(self.stream, Message::text(json), &self.shared.limits).await
    }

    async fn on_event(&mut self, event: Result<Arc<Event>, Missed>) -> Result<(), CloseReason> {
        let event = event.map_err(|missed| match missed {
            Missed::Lagged(_) => CloseReason::Lagged,
            Missed::Stopped => CloseReason::PeerStopped,
        })?;
        match self.backlog.forward(&event) {
            Some(event) => self.send(&*event).await,
            None => Ok(()),
        }
    }

    /// The next frame, when the rate limit allows to read it: frames that come too fast wait
    /// in the connection, whose back-pressure slows the client down. Cancel-safe: no frame
    /// is lost.
    async fn next_frame(&mut self) -> Option<Result<Message, tungstenite::Error>> {
        sleep_until(self.next_read).await;
        self.stream.next().await
    }

    async fn on_frame(
        &mut self,
        frame: Option<Result<Message, tungstenite::Error>>,
    ) -> Result<(), CloseReason> {
        let frame = frame.ok_or(CloseReason::Gone)??;
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
        match parse(text) {
            Ok(command) => self.on_command(command).await,
            Err(_) if self.malformed >= self.shared.limits.malformed => Err(CloseReason::Malformed),
            Err(failed) => {
                self.malformed += 1;
                self.send(&failed).await
            }
        }
    }

    async fn on_command(&mut self, command: Command) -> Result<(), CloseReason> {
        if let Command::History { before } = command
            && let Some(page) = self.backlog.page(before)
        {
            return self.send(&page).await;
        }
        let sent = self.shared.handle.send(command).await;
        sent.map_err(|_| CloseReason::PeerStopped)
    }

    /// Pings the client, unless it was silent for too long.
    async fn ping(&mut self) -> Result<(), CloseReason> {
        if self.next_read.elapsed() > self.shared.limits.dead_after {
            return Err(CloseReason::Gone);
        }
        let ping = Message::Ping(tungstenite::Bytes::new());
        send(self.stream, ping, &self.shared.limits).await
    }
}

/// Reads a command.
///
/// # Errors
/// The event that says what is wrong with the text.
fn parse(text: &str) -> Result<Command, Box<Event>> {
    serde_json::from_str(text).map_err(|error| Box::new(failed(&complaint(&error))))
}

/// The answer to a frame whose command is not known.
fn failed(reason: &str) -> Event {
    let problem = Problem::BadCommand;
    Event::Failed {
        at: now(),
        failure: Failure {
            command: "?".to_owned(),
            message: problem.because(reason),
            problem,
        },
    }
}

/// What is wrong with a frame that is not read to its end.
fn too_big() -> String {
    format!("it may have at most {MAX_FRAME_BYTES} bytes")
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Timestamp(u64::try_from(millis).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_no_command_is_answered_as_such() {
        let Event::Failed { failure, .. } = *parse("{").unwrap_err() else {
            panic!("not a failure");
        };
        assert_eq!(failure.problem, Problem::BadCommand);
        let start = Problem::BadCommand.because("EOF");
        assert!(failure.message.starts_with(&start), "{}", failure.message);
    }
}
