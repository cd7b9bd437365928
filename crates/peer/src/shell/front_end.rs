//! The two ends that a front end has: calls to the peer, and updates from it.

use p2pchat_model::{CONTRACT_VERSION, Call, Event, FrontEndId, Snapshot, Update};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::Stopped;
use super::journal::{JournalInput, Published, Subscription};
use crate::machine::{Asked, Asker};

/// Where a front end sends its calls.
#[derive(Debug, Clone)]
pub struct Calls {
    front_end: FrontEndId,
    peer: mpsc::Sender<Asked>,
}

impl Calls {
    pub(super) fn new(front_end: FrontEndId, peer: mpsc::Sender<Asked>) -> Self {
        Self { front_end, peer }
    }

    /// Sends a call. Its answers come as updates.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub async fn send(&self, call: impl Into<Call>) -> Result<(), Stopped> {
        let asked = Asked::by(self.front_end.clone(), call.into());
        self.peer.send(asked).await.map_err(|_| Stopped)
    }
}

/// Where a front end gets its updates: the view first, then events. One that reads too slowly
/// misses events, and gets a new view in their place.
#[derive(Debug)]
pub struct Updates {
    front_end: FrontEndId,
    journal: mpsc::WeakSender<JournalInput>,
    /// The view that is still to be given.
    snapshot: Option<Box<Snapshot>>,
    published: broadcast::Receiver<Published>,
    /// How many events were missed since the last view.
    missed: u64,
}

impl Updates {
    pub(super) async fn start(
        front_end: FrontEndId,
        journal: mpsc::WeakSender<JournalInput>,
    ) -> Result<Self, Stopped> {
        let Subscription { view, published } = subscribe(&journal).await?;
        Ok(Self {
            front_end,
            journal,
            snapshot: Some(snapshot(view, 0)),
            published,
            missed: 0,
        })
    }

    /// The next update. Cancel-safe: none is lost.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub async fn next(&mut self) -> Result<Update, Stopped> {
        loop {
            if self.missed > 0 {
                let Subscription { view, published } = subscribe(&self.journal).await?;
                self.published = published;
                self.snapshot = Some(snapshot(view, std::mem::take(&mut self.missed)));
            }
            if let Some(snapshot) = self.snapshot.take() {
                return Ok(Event::View(snapshot).into());
            }
            match self.published.recv().await {
                Ok(published) => {
                    if let Some(update) = self.update(published) {
                        return Ok(update);
                    }
                }
                Err(RecvError::Closed) => return Err(Stopped),
                Err(RecvError::Lagged(missed)) => self.missed = missed,
            }
        }
    }

    /// What of it is for this front end.
    fn update(&self, published: Published) -> Option<Update> {
        let Published {
            event,
            re,
            is_private,
        } = published;
        match re {
            Some(Asker { front_end, id }) if front_end == self.front_end => {
                Some(Update { re: id, event })
            }
            _ if is_private => None,
            _ => Some(Update { re: None, event }),
        }
    }
}

fn snapshot(view: p2pchat_model::View, missed: u64) -> Box<Snapshot> {
    Box::new(Snapshot {
        version: CONTRACT_VERSION,
        missed,
        view,
    })
}

async fn subscribe(journal: &mpsc::WeakSender<JournalInput>) -> Result<Subscription, Stopped> {
    let (subscriber, subscription) = oneshot::channel();
    // Weak, so that a forgotten front end does not keep the journal alive.
    let journal = journal.upgrade().ok_or(Stopped)?;
    let sent = journal.send(JournalInput::Subscribe(subscriber)).await;
    drop(journal);
    sent.map_err(|_| Stopped)?;
    subscription.await.map_err(|_| Stopped)
}
