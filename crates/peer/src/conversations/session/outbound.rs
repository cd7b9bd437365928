//! What is to be sent over a session, and how much of it may wait.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use p2pchat_protocol::v2::peer::{Bye, MAX_ROSTER, ToPeer};
use tokio::sync::Notify;

/// With more bytes than this in the queue, beside what is being written, no want of the other side
/// is looked at.
pub(super) const MAX_UNREAD: usize = 256 * 1024;
/// With more bytes than this in the queue the session ends: what answers the longest want, and
/// 1 MiB of what nobody asked for.
pub(super) const MAX_QUEUED: usize = MAX_ROSTER + 1024 * 1024;

/// The queue of what is to be sent over a session. The node fills it, and ends the session by it.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Outbound(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Wakes the half that writes, where it waits for more to write.
    filled: Notify,
    /// Wakes it where it waits for the other side to read.
    ended: Notify,
    /// Wakes the half that reads: less waits than before.
    drained: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Arc<[u8]>>,
    /// How many bytes they have.
    bytes: usize,
    /// Why the session is to end.
    bye: Option<Bye>,
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
    /// Whether the other side does not keep up with what it is sent.
    pub(in super::super) fn is_long(&self) -> bool {
        self.queued() > MAX_UNREAD
    }

    /// How many bytes wait.
    pub(super) fn queued(&self) -> usize {
        self.queue().bytes
    }

    pub(in super::super) fn send(&self, frame: &ToPeer) -> Result<(), TooSlow> {
        self.send_bytes(encoded(frame))
    }

    /// Sends a frame that is encoded already: many get the same.
    pub(in super::super) fn send_bytes(&self, frame: Arc<[u8]>) -> Result<(), TooSlow> {
        let mut queue = self.queue();
        if queue.bytes > MAX_QUEUED {
            return Err(TooSlow);
        }
        queue.bytes += frame.len();
        queue.frames.push_back(frame);
        drop(queue);
        self.0.filled.notify_one();
        Ok(())
    }

    /// Ends the session. What waits is not sent.
    pub(in super::super) fn close(&self, bye: Bye) {
        let mut queue = self.queue();
        queue.bye.get_or_insert(bye);
        queue.frames.clear();
        queue.bytes = 0;
        drop(queue);
        self.0.filled.notify_one();
        self.0.ended.notify_one();
    }

    /// What the other side is told at the end.
    pub(super) fn bye(&self) -> Option<Bye> {
        self.queue().bye
    }

    /// What is to be written next: whole frames, no more of them than begin within so many bytes.
    /// `None` at the end. Loses nothing if it is dropped while it waits.
    pub(super) async fn next(&self, within: usize) -> Option<Arc<[u8]>> {
        loop {
            {
                let mut queue = self.queue();
                if queue.bye.is_some() {
                    return None;
                }
                if let Some(next) = queue.take(within) {
                    self.0.drained.notify_one();
                    return Some(next);
                }
            }
            self.0.filled.notified().await;
        }
    }

    /// Waits until the session is to end.
    pub(super) async fn ended(&self) {
        while self.bye().is_none() {
            self.0.ended.notified().await;
        }
    }

    /// Waits until the other side keeps up again.
    pub(super) async fn becomes_short(&self) {
        while self.is_long() {
            self.0.drained.notified().await;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        let queue = &self.0.queue;
        queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// The first frame, and those that wait behind it: each write is a call of the system.
    fn take(&mut self, within: usize) -> Option<Arc<[u8]>> {
        let mut taken = self.frames.pop_front()?;
        if !self.frames.is_empty() && taken.len() < within {
            let mut together = taken.to_vec();
            while together.len() < within
                && let Some(next) = self.frames.pop_front()
            {
                together.extend_from_slice(&next);
            }
            taken = together.into();
        }
        self.bytes -= taken.len();
        Some(taken)
    }
}
