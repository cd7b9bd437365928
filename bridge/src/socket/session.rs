//! Events out, commands in.

use std::mem;
use std::sync::Arc;

use futures::StreamExt;
use hyper_tungstenite::tungstenite::{self, Message};
use p2pchat_common::rate_limit::Bucket;
use p2pchat_model::{Command, Event};
use p2pchat_peer::Missed;
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::backlog::Backlog;
use super::stream::End;
use super::{Stream, command, send};
use crate::server::Shared;

/// Talks with somebody who has been let in, until the end.
pub(super) async fn run(stream: &mut Stream, shared: &Shared) -> End {
    let Ok(mut subscription) = shared.handle.subscribe().await else {
        return End::PeerStopped;
    };
    let limits = &shared.limits;
    let (view, backlog) = Backlog::split(mem::take(&mut subscription.view));
    let mut talk = Talk {
        stream,
        shared,
        backlog,
        frames: Bucket::default(),
        began: Instant::now(),
        malformed: 0,
        heard_at: Instant::now(),
    };
    let mut step = talk.tell(&view).await;
    drop(view);
    let mut pings = interval_at(Instant::now() + limits.ping_every, limits.ping_every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while step.is_ok() {
        step = tokio::select! {
            event = subscription.next() => talk.event(event).await,
            frame = talk.next_frame() => talk.frame(frame).await,
            _ = pings.tick() => talk.ping().await,
            () = shared.stop.cancelled() => Err(End::Stopping),
        };
    }
    step.err().unwrap_or(End::Gone)
}

struct Talk<'a> {
    stream: &'a mut Stream,
    shared: &'a Shared,
    backlog: Backlog,
    frames: Bucket,
    began: Instant,
    malformed: u32,
    heard_at: Instant,
}

impl Talk<'_> {
    async fn tell(&mut self, what: &impl Serialize) -> Result<(), End> {
        let json = serde_json::to_string(what).expect("what is in the model can be JSON");
        send(self.stream, Message::text(json), &self.shared.limits).await
    }

    async fn event(&mut self, event: Result<Arc<Event>, Missed>) -> Result<(), End> {
        let event = event.map_err(|missed| match missed {
            Missed::Lagged(_) => End::Lagged,
            Missed::Stopped => End::PeerStopped,
        })?;
        match self.backlog.pass(&event) {
            Some(event) => self.tell(&*event).await,
            None => Ok(()),
        }
    }

    /// The next frame, once its turn has come: frames that come too fast wait in the
    /// connection, which holds back whoever sends them. Can be dropped without losing any.
    async fn next_frame(&mut self) -> Option<Result<Message, tungstenite::Error>> {
        let wait = self
            .frames
            .wait(self.shared.limits.frames, self.began.elapsed());
        sleep(wait).await;
        self.stream.next().await
    }

    async fn frame(
        &mut self,
        frame: Option<Result<Message, tungstenite::Error>>,
    ) -> Result<(), End> {
        let frame = frame.ok_or(End::Gone)?.map_err(End::from)?;
        self.heard_at = Instant::now();
        let now = self.began.elapsed();
        self.frames.take(self.shared.limits.frames, now);
        match frame {
            Message::Text(text) => self.text(&text).await,
            Message::Binary(_) => Err(End::NotText),
            Message::Close(_) => Err(End::Gone),
            // The library answers pings.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    async fn text(&mut self, text: &str) -> Result<(), End> {
        match command::parse(text) {
            Ok(command) => self.command(command).await,
            Err(_) if self.malformed >= self.shared.limits.malformed => Err(End::Malformed),
            Err(complaint) => {
                self.malformed += 1;
                self.tell(&complaint).await
            }
        }
    }

    async fn command(&mut self, command: Command) -> Result<(), End> {
        if let Command::History { before } = command
            && let Some(page) = self.backlog.page(before)
        {
            return self.tell(&page).await;
        }
        let sent = self.shared.handle.send(command).await;
        sent.map_err(|_| End::PeerStopped)
    }

    async fn ping(&mut self) -> Result<(), End> {
        match self.heard_at.elapsed() > self.shared.limits.dead_after {
            true => Err(End::Gone),
            false => {
                let ping = Message::Ping(tungstenite::Bytes::new());
                send(self.stream, ping, &self.shared.limits).await
            }
        }
    }
}
