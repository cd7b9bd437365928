//! Frames: 4 bytes of length (big endian), 1 byte of kind, then as many bytes as the length says.
//!
//! The length counts the message alone. A receiver has a limit for it, so it never holds more
//! than that of what is not yet whole.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroize;

/// The bytes before the message: its length, and its kind.
pub const HEAD: usize = 5;
/// The first of the kinds that a receiver which does not know them skips. Any other unknown kind
/// ends the session.
pub const OPTIONAL: u8 = 128;

/// A whole frame. Its message is hidden in `Debug` and wiped on drop: it may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// What its message is.
    pub kind: u8,
    /// The message.
    pub message: Vec<u8>,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, message } = self;
        write!(f, "Frame(kind {kind}, {} bytes)", message.len())
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.message.zeroize();
    }
}

/// The other side sent what is no frame. The connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a frame of {length} bytes, where {limit} are the most")]
pub struct FrameError {
    /// The length that it was to have.
    pub length: usize,
    /// The greatest length that is allowed there.
    pub limit: usize,
}

/// Cuts a stream into frames. Keeps no memory between them.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    head: [u8; HEAD],
    /// How many bytes of the head came.
    filled: usize,
    /// What came behind a whole head.
    frame: Option<Frame>,
}

impl FrameDecoder {
    /// Whether a frame has begun and not ended.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.filled > 0
    }

    /// The next whole frame of at most `limit` bytes of message. Takes from `bytes` what it needs;
    /// `None` if more has to come.
    ///
    /// # Errors
    /// If the frame is longer. Nothing that comes after it can be read.
    pub fn next(&mut self, bytes: &mut &[u8], limit: usize) -> Result<Option<Frame>, FrameError> {
        let taken = take(bytes, HEAD - self.filled);
        self.head[self.filled..][..taken.len()].copy_from_slice(taken);
        self.filled += taken.len();
        if self.filled < HEAD {
            return Ok(None);
        }
        let [a, b, c, d, kind] = self.head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > limit {
            return Err(FrameError { length, limit });
        }
        // All of its room at once: a Vec that grows leaves copies behind, which nobody wipes.
        let frame = self.frame.get_or_insert_with(|| Frame {
            kind,
            message: Vec::with_capacity(length),
        });
        let missing = length - frame.message.len();
        frame.message.extend_from_slice(take(bytes, missing));
        if frame.message.len() < length {
            return Ok(None);
        }
        self.filled = 0;
        Ok(self.frame.take())
    }
}

/// Takes up to `most` bytes from the front.
fn take<'a>(bytes: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(most.min(bytes.len()));
    *bytes = rest;
    taken
}

/// Appends a frame to `out`. `write` appends the message.
fn put(out: &mut Vec<u8>, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, kind]);
    write(out);
    let length = u32::try_from(out.len() - start - HEAD).expect("a message is limited to far less");
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Appends a frame with a protobuf message. Makes room for the whole frame first: a `Vec` that grows
/// leaves copies behind.
pub(super) fn put_message(out: &mut Vec<u8>, kind: u8, message: &impl prost::Message) {
    out.reserve(HEAD + message.encoded_len());
    put(out, kind, |out| {
        message
            .encode(out)
            .expect("a Vec has room for every message");
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, message: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, kind, |out| out.extend_from_slice(message));
        bytes
    }

    #[test]
    fn frames_are_found_wherever_a_stream_is_cut() {
        let stream = [frame(1, b"one"), frame(200, b""), frame(3, &[7; 300])].concat();
        for piece in 1..stream.len() {
            let mut decoder = FrameDecoder::default();
            let mut found = Vec::new();
            for mut bytes in stream.chunks(piece) {
                while let Some(frame) = decoder.next(&mut bytes, 300).unwrap() {
                    found.push((frame.kind, frame.message.len()));
                }
                assert!(bytes.is_empty());
            }
            assert_eq!(found, [(1, 3), (200, 0), (3, 300)]);
            assert!(!decoder.is_partial());
        }
    }

    #[test]
    fn a_message_is_hidden() {
        let message = b"secret".to_vec();
        let shown = format!("{:?}", Frame { kind: 1, message });
        assert_eq!(shown, "Frame(kind 1, 6 bytes)");
    }

    #[test]
    fn a_frame_beyond_the_limit_is_refused_by_its_head() {
        let bytes = frame(1, &[0; 301]);
        let mut head = &bytes[..HEAD];
        let refused = FrameDecoder::default().next(&mut head, 300);
        let (length, limit) = (301, 300);
        assert_eq!(refused, Err(FrameError { length, limit }));
    }
}
