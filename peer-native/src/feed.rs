//! Events as they come, and the view that they make. Starts anew by itself where events
//! were missed.

use std::sync::Arc;

use p2pchat_model::{Event, View};
use p2pchat_peer::{Handle, Missed, Stopped, Subscription};

/// A subscription that does not end before the peer does.
#[derive(Debug)]
pub struct Feed {
    handle: Handle,
    subscription: Subscription,
    /// How many events were missed, until that is told.
    missed: u64,
}

/// What a [`Feed`] brings.
#[derive(Debug)]
pub enum Seen {
    /// Something happened.
    Event(Arc<Event>),
    /// This many events were missed; this is what there is to see now.
    Anew(Box<View>, u64),
}

impl Feed {
    /// Begins, with what there is to see now.
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

    /// What comes next. Nothing is lost if it is dropped half-way.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub async fn next(&mut self) -> Result<Seen, Stopped> {
        if self.missed == 0 {
            match self.subscription.next().await {
                Ok(event) => return Ok(Seen::Event(event)),
                Err(Missed::Stopped) => return Err(Stopped),
                Err(Missed::Lagged(count)) => self.missed = count,
            }
        }
        self.subscription = self.handle.subscribe().await?;
        let view = std::mem::take(&mut self.subscription.view);
        Ok(Seen::Anew(Box::new(view), std::mem::take(&mut self.missed)))
    }
}
