//! Everything that a peer decides, without I/O.
//!
//! The owner feeds [`Machine::handle`] with what happened and when, carries out what
//! [`Machine::output`] returns until it returns nothing, and comes back with
//! [`Input::Timer`] when [`Machine::deadline`] has come.

mod io;

pub use io::{ConnId, Input, Now, Output, SendId, Taken};

use std::time::Duration;

use p2pchat_model::PeerAddr;

/// What a machine has to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// The peer's own address.
    pub address: PeerAddr,
    /// The registry, as the user named it.
    pub registry: String,
    /// Where the peer takes messages.
    pub message_port: u16,
    /// How long a chat request waits for an answer, on either side.
    pub request_limit: Duration,
    /// Where chance comes from: the jitter of reconnecting.
    pub seed: u64,
}

/// One user's peer.
#[derive(Debug)]
pub struct Machine {}

impl Machine {
    /// A machine that has just started. It has outputs at once.
    #[must_use]
    pub fn new(_config: Config, _now: Now) -> Self {
        unimplemented!()
    }

    /// Takes note of what happened.
    pub fn handle(&mut self, _now: Now, _input: Input) {
        unimplemented!()
    }

    /// The next thing to do, oldest first.
    pub fn output(&mut self) -> Option<Output> {
        unimplemented!()
    }

    /// When [`Input::Timer`] is due, by [`Now::elapsed`].
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        unimplemented!()
    }
}
