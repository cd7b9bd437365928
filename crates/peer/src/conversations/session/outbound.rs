//! What is to be sent over a session, and how much of it may wait.

use std::sync::{Arc, OnceLock};

use p2pchat_protocol::v2::peer::{Bye, MAX_ROSTER, ToPeer};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// With more bytes than this in the queue no want of the other side is looked at.
pub(super) const MAX_UNREAD: usize = 256 * 1024;
/// With more bytes than this in the queue the session ends: what answers the longest want, and
/// 1 MiB of what nobody asked for.
pub(super) const MAX_QUEUED: usize = MAX_ROSTER + 1024 * 1024;

/// The queue of what is to be sent over a session.
#[derive(Debug, Clone)]
pub(in super::super) struct Outbound {
    frames: mpsc::UnboundedSender<Arc<[u8]>>,
    /// How many bytes wait.
    pub(super) queued: watch::Sender<usize>,
    pub(super) closing: CancellationToken,
    pub(super) bye: Arc<OnceLock<Bye>>,
}

/// A frame as it is sent.
pub(in super::super) fn encoded(frame: &ToPeer) -> Arc<[u8]> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes.into()
}

/// More waits to be sent than a session may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct TooSlow;

impl Outbound {
    pub(in super::super) fn new() -> (Self, mpsc::UnboundedReceiver<Arc<[u8]>>) {
        let (frames, queue) = mpsc::unbounded_channel();
        let outbound = Self {
            frames,
            queued: watch::Sender::new(0),
            closing: CancellationToken::new(),
            bye: Arc::default(),
        };
        (outbound, queue)
    }

    /// Whether the other side does not keep up with what it is sent.
    pub(in super::super) fn is_long(&self) -> bool {
        *self.queued.borrow() > MAX_UNREAD
    }

    pub(in super::super) fn send(&self, frame: &ToPeer) -> Result<(), TooSlow> {
        self.send_bytes(encoded(frame))
    }

    /// Sends a frame that is encoded already: many get the same.
    pub(in super::super) fn send_bytes(&self, bytes: Arc<[u8]>) -> Result<(), TooSlow> {
        if *self.queued.borrow() > MAX_QUEUED {
            return Err(TooSlow);
        }
        self.queued.send_modify(|queued| *queued += bytes.len());
        // If the session has ended, its end is on its way.
        let _ = self.frames.send(bytes);
        Ok(())
    }

    /// Ends the session. What waits is not sent.
    pub(in super::super) fn close(&self, bye: Bye) {
        self.bye.get_or_init(|| bye);
        self.closing.cancel();
    }
}
