//! The limits on what connections may ask of the bridge.

use std::num::NonZeroUsize;
use std::time::Duration;

use p2pchat_common::rate_limit::Rate;

/// Bytes of a request line and its headers; more gets 431. Those of a browser have
/// about 1 KiB. (hyper's own lower bound for its buffer is 8 KiB.)
pub const MAX_HEADER_BYTES: usize = 16 * 1024;
/// Headers of a request; more gets 431.
pub const MAX_HEADERS: usize = 64;
/// Bytes of a frame, and of a message made of several frames. A text of the peer's limit has
/// 96 KiB at most, when each of its characters is escaped; what is longer has to arrive too, so
/// that the peer can answer that it is too long. More than this closes the socket with 1009.
/// All [`Limits::CONNECTIONS`] together hold 64 MiB at most.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;
/// Bytes that may wait to be written to one socket, and so the size of the largest message
/// that can be sent: the view of a long chat, or the list of 10^5 users, each of them with 250
/// bytes where the display name is as long as it may be.
pub const MAX_WRITE_BYTES: usize = 32 * 1024 * 1024;

/// The limits that a test or an operator may change.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time, HTTP and WebSocket together. One more evicts the oldest that
    /// has not shown the secret; if all have, it gets 503.
    pub connections: NonZeroUsize,
    /// How long the header of a request may take to arrive, and the next one on a
    /// connection that is kept.
    pub header_timeout: Duration,
    /// How long a connection may serve HTTP before the client has to make another: one
    /// that reads a response a byte at a time holds its slot no longer than that.
    pub http_life: Duration,
    /// How long the request under way may take to finish after [`Limits::http_life`], or
    /// when the bridge stops.
    pub finish_timeout: Duration,
    /// How long the frame with the secret may take to arrive.
    pub secret_timeout: Duration,
    /// The rate limit on the frames of a socket. Frames beyond it are read later: TCP's
    /// back-pressure slows their sender down.
    pub frames: Rate,
    /// How many frames that are no command a socket may send; one more closes it.
    pub malformed: u32,
    /// How often a socket is pinged.
    pub ping_every: Duration,
    /// How long a socket may be silent, pongs included, before it counts as gone.
    pub dead_after: Duration,
    /// How long a frame may take to be written.
    pub write_timeout: Duration,
    /// How long the other side may take to close after this side did.
    pub close_timeout: Duration,
}

impl Limits {
    /// See [`Limits::connections`]. A browser takes up to 6 for a page, and one a tab.
    pub const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not 0");
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: Self::CONNECTIONS,
            header_timeout: Duration::from_secs(5),
            http_life: Duration::from_secs(60),
            finish_timeout: Duration::from_secs(2),
            secret_timeout: Duration::from_secs(3),
            frames: Rate {
                burst: 50,
                interval: Duration::from_millis(50),
            },
            malformed: 10,
            ping_every: Duration::from_secs(20),
            dead_after: Duration::from_secs(60),
            write_timeout: Duration::from_secs(20),
            close_timeout: Duration::from_secs(1),
        }
    }
}
