//! The thin shell around the state machine: sockets, tasks, timers.

use std::sync::Arc;

use p2pchat_model::{Command, Event, PeerAddr, View};
use thiserror::Error;

use crate::Options;

/// Why a peer could not start.
#[derive(Debug, Error)]
pub enum StartError {}

/// The peer has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the peer has stopped")]
pub struct Stopped;

/// A peer that runs.
#[derive(Debug)]
pub struct Peer {
    handle: Handle,
}

impl Peer {
    /// Binds the ports and starts. The registry need not be there yet.
    ///
    /// # Errors
    /// If the ports cannot be bound, the registry's name means nothing, or the history cannot be opened.
    #[expect(clippy::unused_async, reason = "not written yet")]
    pub async fn start(_options: Options) -> Result<Self, StartError> {
        unimplemented!()
    }

    /// A handle for a front end; there may be several.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Logs out and stops, in order and within a few seconds.
    #[expect(clippy::unused_async, reason = "not written yet")]
    pub async fn stop(self) {}
}

/// What a front end holds.
#[derive(Debug, Clone)]
pub struct Handle {}

impl Handle {
    /// The peer's own address.
    #[must_use]
    pub fn address(&self) -> PeerAddr {
        unimplemented!()
    }

    /// Hands over a command. Its answer comes as events.
    ///
    /// # Errors
    /// If the peer has stopped.
    #[expect(clippy::unused_async, reason = "not written yet")]
    pub async fn send(&self, _command: Command) -> Result<(), Stopped> {
        unimplemented!()
    }

    /// What there is to see now, and every event from now on.
    ///
    /// # Errors
    /// If the peer has stopped.
    #[expect(clippy::unused_async, reason = "not written yet")]
    pub async fn subscribe(&self) -> Result<Subscription, Stopped> {
        unimplemented!()
    }
}

/// A view, and the events that change it from then on.
#[derive(Debug)]
pub struct Subscription {
    /// What there was to see when the subscription began.
    pub view: View,
}

/// Why a subscription has no next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Missed {
    /// The subscriber was too slow and this many events are gone: subscribe anew.
    #[error("{0} events were missed")]
    Lagged(u64),
    /// The peer has stopped.
    #[error("the peer has stopped")]
    Stopped,
}

impl Subscription {
    /// The next event.
    ///
    /// # Errors
    /// See [`Missed`].
    #[expect(clippy::unused_async, reason = "not written yet")]
    pub async fn next(&mut self) -> Result<Arc<Event>, Missed> {
        unimplemented!()
    }
}
