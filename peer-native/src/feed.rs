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
    /// Subscribes; the view is what it is now.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub async fn start(handle: Handle) -> Result<(Self, View), Stopped> {
        let mut subscription = handle.subscribe().await?;
        let view = std::mem::take(&mut subscription.view);
        let feed = Self {
            handle,
            subscription,
            missed: 0,
        };
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
