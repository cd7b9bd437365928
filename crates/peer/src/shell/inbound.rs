//! Connections that others make: accepted, counted, limited.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use p2pchat_model::{DropKind, DropReason, PeerAddr};
use p2pchat_protocol::{ChatAnswer, Contact, Message};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::net;
use crate::machine::{ConnId, Input};

mod connection;
mod open;
mod packet_rate;
mod tally;

use open::Open;
pub(super) use open::{Place, Progress, Stage};
use packet_rate::Pace;
pub(super) use tally::Tally;

/// How many connections are open at each of the two ports. A further one takes the place of
/// one that says nothing or too much, see [`Open::spare_one`]; where all of them wait for
/// the machine, it waits in the system's queue. Together with what is sent at once this
/// stays below the 1,024 files that many systems allow a process.
const MAX_OPEN: usize = 128;
/// How many of them one address may have; further ones are reset. A peer of ours has
/// one text on its way at a time.
const MAX_OPEN_PER_SOURCE: usize = 16;
/// How long to wait after a failed accept, at first and at the most: it fails when the
/// process has too many files open, and then fails at once again.
const ACCEPT_PAUSE: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];
/// How long connections may take to end after their listener was closed.
const CLOSING_GRACE: Duration = Duration::from_millis(300);

/// What a connection's task tells the driver.
#[derive(Debug)]
pub(super) enum Report {
    /// Goes to the machine as it is.
    Input(Input),
    /// A chat request, and where its answer goes.
    Request {
        conn: ConnId,
        from: PeerAddr,
        contact: Contact,
        answer: oneshot::Sender<ChatAnswer>,
    },
    /// A text, and where its being taken is told; dropped if it is not.
    Text {
        conn: ConnId,
        from: PeerAddr,
        message: Message,
        taken: oneshot::Sender<()>,
    },
}

/// Which packets a listener takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Contacts,
    Texts,
}

/// What all connections' tasks share.
#[derive(Debug, Clone)]
pub(super) struct Inbound {
    /// Where reports go.
    pub(super) reports: mpsc::Sender<Report>,
    /// How long a chat request may wait for its answer.
    pub(super) answer_limit: Duration,
    /// Closes the listeners.
    pub(super) closing: CancellationToken,
    /// What came to nothing before it was a report.
    pub(super) tally: Tally,
    next_id: Arc<AtomicU64>,
    dropped: Arc<AtomicU64>,
}

impl Inbound {
    pub(super) fn new(reports: mpsc::Sender<Report>, answer_limit: Duration) -> Self {
        Self {
            reports,
            answer_limit,
            closing: CancellationToken::new(),
            tally: Tally::default(),
            next_id: Arc::default(),
            dropped: Arc::default(),
        }
    }

    /// A connection id that was never used before.
    pub(super) fn conn_id(&self) -> ConnId {
        ConnId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Accepts connections until [`Inbound::closing`].
    pub(super) async fn serve(self, listener: TcpListener, kind: Kind) {
        let mut open = Open::default();
        // Texts and contacts apart: a long text must not hold up who joins.
        let pace = Arc::new(Mutex::new(Pace::new(Instant::now())));
        let mut pause = ACCEPT_PAUSE[0];
        loop {
            tokio::select! {
                () = self.closing.cancelled() => break,
                () = open.join_one(), if !open.is_empty() => {}
                accepted = listener.accept(), if open.len() < MAX_OPEN || open.can_spare() => match accepted {
                    Ok((stream, source)) => {
                        pause = ACCEPT_PAUSE[0];
                        self.admit(&mut open, &pace, stream, source, kind);
                    }
                    Err(error) => {
                        tracing::warn!(?kind, %error, "cannot accept a connection");
                        sleep(pause).await;
                        pause = ACCEPT_PAUSE[1].min(pause * 2);
                    }
                },
            }
        }
        drop(listener);
        // Those that are still there are aborted, which is what the grace is for.
        let _ = timeout(CLOSING_GRACE, open.join_all()).await;
    }

    fn admit(
        &self,
        open: &mut Open,
        pace: &Arc<Mutex<Pace>>,
        stream: TcpStream,
        source: SocketAddr,
        kind: Kind,
    ) {
        let from = match source {
            SocketAddr::V4(source) => PeerAddr::new(*source.ip()).ok(),
            SocketAddr::V6(_) => None,
        };
        let Some(from) = from else {
            return self.count_dropped(None, DropReason::Malformed, &"no peer has this address");
        };
        if open.of(from.ip()) >= MAX_OPEN_PER_SOURCE {
            net::reset_on_close(&stream);
            let reason = &"too many connections from this address";
            return self.count_dropped(Some(from), DropReason::TooMuch, reason);
        }
        if open.len() >= MAX_OPEN
            && let Some(spared) = open.spare_one().and_then(|ip| PeerAddr::new(ip).ok())
        {
            let reason = &"too many connections in all";
            self.count_dropped(Some(spared), DropReason::TooMuch, reason);
        }
        let progress = Progress::default();
        let (inbound, pace) = (self.clone(), pace.clone());
        open.spawn(from.ip(), progress.clone(), |place| async move {
            let line = Line {
                from,
                place: Some(place),
                progress,
                pace,
                inbound: inbound.clone(),
            };
            let result = match kind {
                Kind::Contacts => connection::contact(stream, line).await,
                Kind::Texts => connection::text(stream, line).await,
            };
            if let Err(reason) = result {
                inbound.count_dropped(Some(from), reason.why(), &reason);
            }
        });
    }

    /// Tells the machine what was dropped, until [`Inbound::closing`].
    pub(super) async fn tell_dropped(self) {
        loop {
            let inputs = tokio::select! {
                () = self.closing.cancelled() => return,
                inputs = self.tally.gathered() => inputs,
            };
            for input in inputs {
                // If nobody takes reports any more, nobody is left to be told.
                let _ = self.reports.send(Report::Input(input)).await;
            }
        }
    }

    fn count_dropped(
        &self,
        from: Option<PeerAddr>,
        why: DropReason,
        reason: &dyn std::fmt::Display,
    ) {
        let so_far = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::debug!(?from, %reason, so_far, "dropped a connection");
        self.tally.count(from, DropKind::Connection, why);
    }

    /// How many connections were dropped because of what they sent, or did not send.
    #[cfg(test)]
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// One connection, as its task knows it.
#[derive(Debug)]
pub(super) struct Line {
    /// Where it comes from.
    pub(super) from: PeerAddr,
    /// How far it is.
    pub(super) progress: Progress,
    /// Where reports go.
    pub(super) inbound: Inbound,
    /// Until its packet has been told.
    place: Option<Place>,
    pace: Arc<Mutex<Pace>>,
}

impl Line {
    /// Waits for the turn of a packet that has come: after those that its address sent
    /// earlier, and no faster than an address may send.
    pub(super) async fn turn(&mut self) {
        if let Some(place) = &mut self.place {
            place.come_up().await;
        }
        let wait = {
            let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            pace.wait(self.from.ip(), Instant::now())
        };
        match wait {
            Duration::ZERO => {}
            wait => sleep(wait).await,
        }
        self.progress.set(Stage::Heard);
    }

    /// Tells of the packet. If nobody takes reports any more, nobody is left to be told.
    pub(super) async fn tell(&mut self, report: Report) {
        let _ = self.inbound.reports.send(report).await;
        self.place = None;
    }
}

#[cfg(test)]
mod tests;
