//! Room in the system for long answers.
//!
//! What a client has not taken yet waits in the system, in a buffer that is small, so that
//! clients which never read cannot use up the memory. Through a small buffer a long answer
//! goes in many pieces, each with a wake-up of its task. So an answer that does not fit
//! gets a large one while it is sent, as long as few others have one; when they are many,
//! it goes in small pieces.

use std::num::NonZeroU32;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The large buffer: an answer of 100,000 users in three pieces. Systems cut it to their
/// own limit (`net.core.wmem_max`).
const LARGE: u32 = 1024 * 1024;
/// How many have one at a time: 64 MiB, of which Linux makes twice as much at the worst.
const PLACES: usize = 64;

/// A connection, and how much of what is sent may wait in the system.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin {
    /// Sets the size of the buffer, in bytes. Where this fails, it stays as it is.
    fn set_room(&self, bytes: u32);
}

impl Stream for TcpStream {
    fn set_room(&self, bytes: u32) {
        let size = usize::try_from(bytes).unwrap_or(usize::MAX);
        if let Err(error) = SockRef::from(self).set_send_buffer_size(size) {
            tracing::debug!(%error, "a send buffer stays as it is");
        }
    }
}

/// The large buffers of a server.
#[derive(Debug)]
pub(super) struct Rooms {
    free: Semaphore,
    /// The size of all other buffers.
    small: u32,
}

/// A large buffer.
#[derive(Debug)]
pub(super) struct Room<'a> {
    small: u32,
    _place: SemaphorePermit<'a>,
}

impl Rooms {
    pub(super) fn new(small: NonZeroU32) -> Self {
        Self {
            free: Semaphore::new(PLACES),
            small: small.get(),
        }
    }

    /// A large buffer for so many bytes that did not go at once. `None` if they fit into
    /// a small one, or there are too many large ones already.
    pub(super) fn make(&self, stream: &impl Stream, bytes: usize) -> Option<Room<'_>> {
        let is_short = u32::try_from(bytes).is_ok_and(|bytes| bytes <= self.small);
        if is_short || self.small >= LARGE {
            return None;
        }
        let place = self.free.try_acquire().ok()?;
        stream.set_room(LARGE);
        Some(Room {
            small: self.small,
            _place: place,
        })
    }
}

impl Room<'_> {
    /// The answer has gone. A connection that is lost needs none of this.
    pub(super) fn leave(self, stream: &impl Stream) {
        stream.set_room(self.small);
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const SMALL: NonZeroU32 = NonZeroU32::new(16 * 1024).unwrap();

    fn room(stream: &TcpStream) -> usize {
        SockRef::from(stream).send_buffer_size().unwrap()
    }

    #[tokio::test]
    async fn a_long_answer_has_a_large_buffer_while_it_is_sent_and_a_short_one_never() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let stream = TcpStream::connect(to).await.unwrap();
        stream.set_room(SMALL.get());
        let small = room(&stream);
        let rooms = Rooms::new(SMALL);
        assert!(rooms.make(&stream, 16 * 1024).is_none());
        let large = rooms.make(&stream, 16 * 1024 + 1).unwrap();
        assert!(room(&stream) > small);
        large.leave(&stream);
        assert_eq!(room(&stream), small);
    }

    #[tokio::test]
    async fn so_many_large_buffers_there_are_and_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let stream = TcpStream::connect(to).await.unwrap();
        let rooms = Rooms::new(SMALL);
        let mut large: Vec<_> = (0..PLACES)
            .map(|_| rooms.make(&stream, 1 << 20).unwrap())
            .collect();
        assert!(rooms.make(&stream, 1 << 20).is_none());
        drop(large.pop());
        assert!(rooms.make(&stream, 1 << 20).is_some());
    }
}
