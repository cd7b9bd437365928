//! How much anybody may ask of the bridge.

use std::num::NonZeroUsize;
use std::time::Duration;

use p2pchat_common::rate_limit::Rate;

/// Bytes of a request line and its headers; more gets 431. Those of a browser have
/// about 1 KiB. (hyper's own lower bound for its buffer is 8 KiB.)
pub const MAX_HEADER_BYTES: usize = 16 * 1024;
/// Headers of a request; more gets 431.
pub const MAX_HEADERS: usize = 64;
/// Bytes of a frame, and of a message made of several: the longest text of a user fits
/// many times. More closes the socket with 1009.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// Bytes that wait to be written to one socket, so also of the greatest message that can
/// be sent: the view of a long chat, or the list of 10^5 users.
pub const MAX_WRITE_BYTES: usize = 32 * 1024 * 1024;
/// Lines of the conversation in the first frame; earlier ones come by the command
/// `history`.
pub const FIRST_LINES: usize = 200;
/// Messages in an answer to `history` that the bridge gives without the peer.
pub const HISTORY_PAGE: usize = 100;

/// The limits that a test or an operator may want to be others.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time, HTTP and WebSocket together. One more takes the place of one
    /// that has not shown the secret; if all have, it gets 503.
    pub connections: NonZeroUsize,
    /// How long the header of a request may take to arrive, and the next one on a
    /// connection that is kept.
    pub header_timeout: Duration,
    /// How long a connection may serve HTTP before it must be made anew: somebody who
    /// reads a response a byte at a time holds his place no longer than that.
    pub http_life: Duration,
    /// How long the frame with the secret may take to come.
    pub secret_timeout: Duration,
    /// How many frames of a socket are read, at once and in the long run. Further ones are
    /// read later: the connection holds back whoever sends them.
    pub frames: Rate,
    /// How many frames that are no command a socket may send; one more closes it.
    pub malformed: u32,
    /// How often a socket is asked for a sign of life.
    pub ping_every: Duration,
    /// How long a socket may be silent before it counts as gone.
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
