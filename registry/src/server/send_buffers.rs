//! Large send buffers for long answers: [`SendBufferPool`].
//!
//! What a client has not read yet waits in a buffer of the system, which is small, so that
//! clients which never read cannot use up the memory. Through a small buffer a long answer
//! goes in many pieces, each of which wakes its task. So an answer that does not fit gets a
//! large buffer while it is sent, as long as few others have one; when they are many, it goes
//! in small pieces.

use std::io;
use std::num::NonZeroU32;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The large buffer: an answer of 100,000 users in three pieces. Systems cut it to their
/// own limit (`net.core.wmem_max`).
const LARGE: u32 = 1024 * 1024;
/// How many connections have one at a time: 64 MiB, and on Linux up to twice as much.
const MAX_LARGE: usize = 64;

/// A stream whose first byte can be looked at, and whose send buffer can be resized.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin {
    /// The next byte, which stays to be read; `None` if there is none any more.
    fn poll_peek(&self, context: &mut Context<'_>) -> Poll<io::Result<Option<u8>>>;

    /// Sets the size of the send buffer, in bytes. Where this fails, it stays as it is.
    fn set_send_buffer(&self, bytes: u32);
}

impl Stream for TcpStream {
    fn poll_peek(&self, context: &mut Context<'_>) -> Poll<io::Result<Option<u8>>> {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        let peeked = self.poll_peek(context, &mut buffer);
        peeked.map_ok(|_| buffer.filled().first().copied())
    }

    fn set_send_buffer(&self, bytes: u32) {
        let size = usize::try_from(bytes).unwrap_or(usize::MAX);
        if let Err(error) = SockRef::from(self).set_send_buffer_size(size) {
            tracing::debug!(%error, "a send buffer stays as it is");
        }
    }
}

/// Limits how many connections have a large send buffer at a time.
#[derive(Debug)]
pub(super) struct SendBufferPool {
    free: Semaphore,
    /// The size of all other buffers.
    small: u32,
}

/// The large send buffer of one connection.
#[derive(Debug)]
pub(super) struct LargeBuffer<'a> {
    small: u32,
    _permit: SemaphorePermit<'a>,
}

impl SendBufferPool {
    pub(super) fn new(small: NonZeroU32) -> Self {
        Self {
            free: Semaphore::new(MAX_LARGE),
            small: small.get(),
        }
    }

    /// Gives a stream a large buffer, for so many bytes that could not be sent at once.
    /// `None` if they fit into a small one, or there are too many large ones already.
    pub(super) fn enlarge(&self, stream: &impl Stream, bytes: usize) -> Option<LargeBuffer<'_>> {
        let is_short = u32::try_from(bytes).is_ok_and(|bytes| bytes <= self.small);
        if is_short || self.small >= LARGE {
            return None;
        }
        let permit = self.free.try_acquire().ok()?;
        stream.set_send_buffer(LARGE);
        Some(LargeBuffer {
            small: self.small,
            _permit: permit,
        })
    }
}

impl LargeBuffer<'_> {
    /// Makes the buffer small again, when the answer has gone. Not needed for a connection
    /// that is lost.
    pub(super) fn restore(self, stream: &impl Stream) {
        stream.set_send_buffer(self.small);
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const SMALL: NonZeroU32 = NonZeroU32::new(16 * 1024).unwrap();

    fn send_buffer(stream: &TcpStream) -> usize {
        SockRef::from(stream).send_buffer_size().unwrap()
    }

    #[tokio::test]
    async fn a_long_answer_has_a_large_buffer_while_it_is_sent_and_a_short_one_never() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let stream = TcpStream::connect(to).await.unwrap();
        stream.set_send_buffer(SMALL.get());
        let small = send_buffer(&stream);
        let pool = SendBufferPool::new(SMALL);
        assert!(pool.enlarge(&stream, 16 * 1024).is_none());
        let large = pool.enlarge(&stream, 16 * 1024 + 1).unwrap();
        assert!(send_buffer(&stream) > small);
        large.restore(&stream);
        assert_eq!(send_buffer(&stream), small);
    }

    #[tokio::test]
    async fn so_many_large_buffers_there_are_and_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let stream = TcpStream::connect(to).await.unwrap();
        let pool = SendBufferPool::new(SMALL);
        let mut large: Vec<_> = (0..MAX_LARGE)
            .map(|_| pool.enlarge(&stream, 1 << 20).unwrap())
            .collect();
        assert!(pool.enlarge(&stream, 1 << 20).is_none());
        drop(large.pop());
        assert!(pool.enlarge(&stream, 1 << 20).is_some());
    }
}
