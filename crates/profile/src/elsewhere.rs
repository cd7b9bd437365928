//! Systems without Unix sockets: a profile has one process there, and no other attaches.

use std::path::{Path, PathBuf};

use p2pchat_model::{Call, Update};
use p2pchat_peer::Handle;

use crate::connection::Gone;
use crate::error::OpenError;
use crate::lock::Lock;
use crate::owner::{Entry, Owner};
use crate::wire::Greeting;

/// See `socket.rs`.
#[derive(Debug)]
pub(crate) enum Outgoing {}

/// See `socket.rs`.
#[derive(Debug)]
pub(crate) enum Incoming {}

/// See `socket.rs`.
pub(crate) async fn connect(_: &Path, _: &Greeting) -> Result<(Outgoing, Incoming), Gone> {
    Err(Gone::Lost)
}

impl Outgoing {
    /// See `socket.rs`.
    pub(crate) async fn send(&mut self, _: &Call) -> Result<(), Gone> {
        match *self {}
    }
}

impl Incoming {
    /// See `socket.rs`.
    pub(crate) async fn next(&mut self) -> Result<Update, Gone> {
        match *self {}
    }
}

/// See `hub.rs`.
#[derive(Debug)]
pub(crate) struct Claim(Lock);

impl Claim {
    /// See `hub.rs`.
    pub(crate) fn make(
        lock: Lock,
        folder: &Path,
        owner: Owner,
        peer: p2pchat_peer::Options,
    ) -> Result<Self, OpenError> {
        let entry = Entry {
            owner,
            socket: PathBuf::new(),
            peer,
        };
        lock.name(&entry).map_err(OpenError::locking(folder))?;
        Ok(Self(lock))
    }

    /// See `hub.rs`.
    pub(crate) fn end(self, _: bool) {
        self.0.clear();
    }
}

/// See `hub.rs`.
#[derive(Debug)]
pub(crate) struct Hub(Claim);

impl Hub {
    /// See `hub.rs`.
    pub(crate) fn start(claim: Claim, _: Handle) -> Self {
        Self(claim)
    }

    /// See `hub.rs`.
    pub(crate) fn has_successor(&self) -> bool {
        false
    }

    /// See `hub.rs`.
    pub(crate) fn close(&self) {}

    /// See `hub.rs`.
    pub(crate) async fn end(self, hands_over: bool) {
        self.0.end(hands_over);
    }
}
