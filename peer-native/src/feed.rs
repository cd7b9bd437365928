//! Events as they come, and a new snapshot of the view where some were missed.

use std::sync::Arc;

use p2pchat_model::{Event, View};
use p2pchat_peer::{Handle, Missed, Stopped, Subscription};

/// A subscription that begins again by itself where events were missed, and ends with the
/// peer.
#[derive(Debug)]
pub struct Feed {
    handle: Handle,
    subscription: Subscription,
    /// How many events were missed, until that is reported.
    missed: u64,
}

/// What a [`Feed`] gives.
#[derive(Debug)]
pub enum Update {
    /// The next event.
    Event(Arc<Event>),
    /// The view as it is now, after events were missed.
    Snapshot {
        /// The view.
        view: Box<View>,
        /// How many events were missed.
        missed: u64,
    },
}

impl Feed {
    /// Subscribes. The view is what it is now, and not before the peer's first event: it has
    /// the addresses.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub async fn start(handle: Handle) -> Result<(Self, View), Stopped> {
        let mut subscription = handle.subscribe().await?;
        let mut view = std::mem::take(&mut subscription.view);
        let mut feed = Self {
            handle,
            subscription,
            missed: 0,
        };
        while view.address.is_none() {
            match feed.next().await? {
                Update::Event(event) => view.apply(&event),
                Update::Snapshot { view: newer, .. } => view = *newer,
            }
        }
        Ok((feed, view))
    }

    /// The next update. Cancel safe: nothing is lost if this is dropped half-way.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub async fn next(&mut self) -> Result<Update, Stopped> {
        if self.missed == 0 {
            match self.subscription.next().await {
                Ok(event) => return Ok(Update::Event(event)),
                Err(Missed::Stopped) => return Err(Stopped),
                Err(Missed::Lagged(count)) => self.missed = count,
            }
        }
        self.subscription = self.handle.subscribe().await?;
        Ok(Update::Snapshot {
            view: Box::new(std::mem::take(&mut self.subscription.view)),
            missed: std::mem::take(&mut self.missed),
        })
    }
}
