//! Inbound connections: the listeners of a peer, which accept, count, limit and evict.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use p2pchat_model::{DropKind, DropReason, PeerAddr};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use super::net;
use crate::conversations::Incoming;
use crate::machine::{ConnId, Input};

mod connection;
mod open;
mod packet_rate;

use connection::InboundConnection;
pub(super) use connection::Report;
use open::{OpenConnections, Progress};
use packet_rate::PacketRate;

/// How many connections may be open at each of the two ports. A further one evicts one that
/// sends nothing or too much, see [`OpenConnections::evict_one`]; where all of them wait for
/// the machine, it waits in the system's queue. Together with the connections for what is
/// sent, this stays below the 1,024 files that many systems allow a process.
const MAX_OPEN: usize = 128;
/// How many of them one address may have; further ones are reset. A peer of ours has
/// one text on its way at a time.
const MAX_OPEN_PER_SOURCE: usize = 16;
/// The first and the longest backoff after a failed accept: it fails when the process has too
/// many files open, and then fails again at once.
const ACCEPT_BACKOFF: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];
/// How long connections may take to end after their listener was closed.
const CLOSING_GRACE: Duration = Duration::from_millis(300);
/// How long dropped connections are counted before the counts are reported, so that a flood of
/// connections is no flood of reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);
/// How many counts are kept; those of further addresses are counted together.
const MAX_COUNTS: usize = 64;

/// The kind of packets that a listener takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Contacts,
    Texts,
}

/// The state that the listeners and the tasks of their connections share.
#[derive(Debug, Clone)]
pub(super) struct Inbound {
    reports: mpsc::Sender<Report>,
    /// How long a chat request may wait for its answer.
    answer_limit: Duration,
    /// Takes the connections of version 2. Without it they are malformed packets of version 1.
    incoming: watch::Receiver<Option<Incoming>>,
    /// Closes the listeners.
    pub(super) closing: CancellationToken,
    dropped: Arc<Dropped>,
    next_id: Arc<AtomicU64>,
}

/// Connections that were dropped before they became a report.
#[derive(Debug, Default)]
struct Dropped {
    total: AtomicU64,
    /// Those that were not reported yet.
    counts: Mutex<DropCounts>,
    /// Wakes [`Inbound::report_dropped`].
    changed: Notify,
}

type DropCounts = BTreeMap<(Option<PeerAddr>, DropReason), u64>;

impl Inbound {
    pub(super) fn new(
        reports: mpsc::Sender<Report>,
        answer_limit: Duration,
        incoming: watch::Receiver<Option<Incoming>>,
    ) -> Self {
        Self {
            reports,
            answer_limit,
            incoming,
            closing: CancellationToken::new(),
            dropped: Arc::default(),
            next_id: Arc::default(),
        }
    }

    /// Accepts connections until [`Inbound::closing`].
    pub(super) async fn serve(self, listener: TcpListener, kind: Kind) {
        let mut open = OpenConnections::default();
        // A rate limit for each kind: a long text must not hold up those who join.
        let rate = Arc::new(Mutex::new(PacketRate::new(Instant::now())));
        let mut backoff = ACCEPT_BACKOFF[0];
        loop {
            tokio::select! {
                () = self.closing.cancelled() => break,
                () = open.join_one(), if !open.is_empty() => {}
                accepted = listener.accept(), if open.len() < MAX_OPEN || open.can_evict() => match accepted {
                    Ok((stream, source)) => {
                        backoff = ACCEPT_BACKOFF[0];
                        self.admit(&mut open, &rate, stream, source, kind);
                    }
                    Err(error) => {
                        tracing::warn!(?kind, %error, "cannot accept a connection");
                        self.closing.run_until_cancelled(sleep(backoff)).await;
                        backoff = ACCEPT_BACKOFF[1].min(backoff * 2);
                    }
                },
            }
        }
        drop(listener);
        // Those that do not end in time are aborted.
        let _ = timeout(CLOSING_GRACE, open.join_all()).await;
    }

    /// Starts the task of a connection that was accepted, or drops the connection.
    fn admit(
        &self,
        open: &mut OpenConnections,
        rate: &Arc<Mutex<PacketRate>>,
        stream: TcpStream,
        source: SocketAddr,
        kind: Kind,
    ) {
        let span = info_span!("inbound", from = %source.ip(), ?kind);
        let entered = span.clone().entered();
        let from = match source {
            SocketAddr::V4(source) => PeerAddr::new(*source.ip()).ok(),
            SocketAddr::V6(_) => None,
        };
        let Some(from) = from else {
            return self.drop_connection(None, DropReason::Malformed, &"not the address of a peer");
        };
        if open.of(from.ip()) >= MAX_OPEN_PER_SOURCE {
            net::reset_on_close(&stream);
            let reason = &"too many connections from this address";
            return self.drop_connection(Some(from), DropReason::TooMuch, reason);
        }
        if open.len() >= MAX_OPEN
            && let Some(evicted) = open.evict_one().and_then(|ip| PeerAddr::new(ip).ok())
        {
            let reason = &format_args!("too many connections, so that of {evicted} is evicted");
            self.drop_connection(Some(evicted), DropReason::TooMuch, reason);
        }
        drop(entered);
        let progress = Progress::default();
        let (inbound, rate) = (self.clone(), rate.clone());
        open.spawn(from.ip(), progress.clone(), |turn| {
            let connection = InboundConnection {
                id: ConnId(inbound.next_id.fetch_add(1, Ordering::Relaxed)),
                from,
                progress,
                turn: Some(turn),
                rate,
                reports: inbound.reports.clone(),
                answer_limit: inbound.answer_limit,
            };
            let task = async move {
                let result = match kind {
                    Kind::Contacts => {
                        let incoming = inbound.incoming.borrow().clone();
                        connection::contact(stream, connection, incoming.as_ref()).await
                    }
                    Kind::Texts => connection::text(stream, connection).await,
                };
                if let Err(error) = result
                    && let Some(reason) = error.drop_reason()
                {
                    inbound.drop_connection(Some(from), reason, &error);
                }
            };
            task.instrument(span)
        });
    }

    /// Counts a dropped connection.
    fn drop_connection(&self, from: Option<PeerAddr>, why: DropReason, reason: &dyn Display) {
        let so_far = self.dropped.total.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::debug!(%reason, so_far, "dropped a connection");
        let mut counts = self.dropped_counts();
        let known = counts.contains_key(&(from, why));
        let from = from.filter(|_| known || counts.len() < MAX_COUNTS);
        *counts.entry((from, why)).or_default() += 1;
        self.dropped.changed.notify_one();
    }

    /// Reports counts of dropped connections to the machine, until [`Inbound::closing`].
    pub(super) async fn report_dropped(self) {
        let reports = async {
            loop {
                self.dropped.changed.notified().await;
                sleep(REPORT_INTERVAL).await;
                let counts = std::mem::take(&mut *self.dropped_counts());
                for ((from, why), count) in counts {
                    let tried = DropKind::Connection;
                    let input = Input::Dropped {
                        from,
                        tried,
                        why,
                        count,
                    };
                    // Fails if the driver has ended, and then so does this.
                    let _ = self.reports.send(Report::Input(input)).await;
                }
            }
        };
        self.closing.run_until_cancelled(reports).await;
    }

    fn dropped_counts(&self) -> std::sync::MutexGuard<'_, DropCounts> {
        let counts = self.dropped.counts.lock();
        counts.unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections were dropped because of what they sent, or did not send.
    #[cfg(test)]
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.total.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
