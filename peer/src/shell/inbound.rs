//! Connections that others make: accepted, counted, limited.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use p2pchat_model::PeerAddr;
use p2pchat_protocol::{ChatAnswer, Contact, Message};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::connection;
use crate::machine::{ConnId, Input};

/// How many connections are open at each of the two ports. Further ones wait in the
/// system's queue. Together with what is sent at once this stays below the 1,024 files
/// that many systems allow a process.
const MAX_OPEN: usize = 128;
/// How many of them one address may have; further ones are closed. A peer of ours has
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
    next_id: Arc<AtomicU64>,
    dropped: Arc<AtomicU64>,
}

impl Inbound {
    pub(super) fn new(reports: mpsc::Sender<Report>, answer_limit: Duration) -> Self {
        Self {
            reports,
            answer_limit,
            closing: CancellationToken::new(),
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
        let mut pause = ACCEPT_PAUSE[0];
        loop {
            tokio::select! {
                () = self.closing.cancelled() => break,
                () = open.join_one(), if !open.is_empty() => {}
                accepted = listener.accept(), if open.len() < MAX_OPEN => match accepted {
                    Ok((stream, source)) => {
                        pause = ACCEPT_PAUSE[0];
                        self.admit(&mut open, stream, source, kind);
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

    fn admit(&self, open: &mut Open, stream: TcpStream, source: SocketAddr, kind: Kind) {
        let from = match source {
            SocketAddr::V4(source) => PeerAddr::new(*source.ip()).ok(),
            SocketAddr::V6(_) => None,
        };
        let Some(from) = from else {
            return self.count_dropped(&source, &"no peer has this address");
        };
        if open.of(from.ip()) >= MAX_OPEN_PER_SOURCE {
            return self.count_dropped(&from, &"too many connections from this address");
        }
        let inbound = self.clone();
        open.spawn(from.ip(), async move {
            let result = match kind {
                Kind::Contacts => connection::contact(stream, from, &inbound).await,
                Kind::Texts => connection::text(stream, from, &inbound).await,
            };
            if let Err(reason) = result {
                inbound.count_dropped(&from, &reason);
            }
        });
    }

    fn count_dropped(&self, from: &dyn std::fmt::Display, reason: &dyn std::fmt::Display) {
        let so_far = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::debug!(%from, %reason, so_far, "dropped a connection");
    }

    /// How many connections were dropped because of what they sent, or did not send.
    #[cfg(test)]
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// The connections that are open, and whose they are.
#[derive(Default)]
struct Open {
    tasks: JoinSet<()>,
    sources: HashMap<Id, Ipv4Addr>,
}

impl Open {
    fn spawn(&mut self, source: Ipv4Addr, task: impl Future<Output = ()> + Send + 'static) {
        let handle = self.tasks.spawn(task);
        self.sources.insert(handle.id(), source);
    }

    fn len(&self) -> usize {
        self.tasks.len()
    }

    fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    fn of(&self, source: Ipv4Addr) -> usize {
        self.sources.values().filter(|&&own| own == source).count()
    }

    async fn join_one(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                tracing::error!(%error, "the task of a connection failed");
                error.id()
            }
            None => return,
        };
        self.sources.remove(&id);
    }

    async fn join_all(&mut self) {
        while !self.is_empty() {
            self.join_one().await;
        }
    }
}

#[cfg(test)]
mod tests;
