//! Frames: 4 bytes of length (big endian), 1 byte of kind, then as many bytes as the length says.
//!
//! The length counts the message alone. A receiver has a limit for it, so it never holds more
//! than that of what is not yet whole.

use thiserror::Error;

/// The bytes before the message: its length, and its kind.
pub const HEAD: usize = 5;
/// The first of the kinds that a receiver which does not know them skips. Any other unknown kind
/// ends the session.
pub const OPTIONAL: u8 = 128;

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What its message is.
    pub kind: u8,
    /// The message.
    pub message: Vec<u8>,
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

/// Cuts a stream into frames.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    /// What came of the next frame.
    partial: Vec<u8>,
}

impl FrameDecoder {
    /// Whether a frame has begun and not ended.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !self.partial.is_empty()
    }

    /// The next whole frame of at most `limit` bytes of message. Takes from `bytes` what it needs;
    /// `None` if more has to come.
    ///
    /// # Errors
    /// If the frame is longer. Nothing that comes after it can be read.
    pub fn next(&mut self, bytes: &mut &[u8], limit: usize) -> Result<Option<Frame>, FrameError> {
        self.take(bytes, HEAD);
        let Some((head, _)) = self.partial.split_first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let [a, b, c, d, kind] = *head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > limit {
            return Err(FrameError { length, limit });
        }
        self.take(bytes, HEAD + length);
        if self.partial.len() < HEAD + length {
            return Ok(None);
        }
        let mut message = std::mem::take(&mut self.partial);
        message.drain(..HEAD);
        Ok(Some(Frame { kind, message }))
    }

    /// Takes bytes until there are as many as `length`.
    fn take(&mut self, bytes: &mut &[u8], length: usize) {
        let missing = length.saturating_sub(self.partial.len()).min(bytes.len());
        let (taken, rest) = bytes.split_at(missing);
        self.partial.extend_from_slice(taken);
        *bytes = rest;
    }
}

/// Appends a frame to `out`. `write` appends the message.
pub(super) fn put(out: &mut Vec<u8>, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, kind]);
    write(out);
    let length = u32::try_from(out.len() - start - HEAD).expect("a message is limited to far less");
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
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
    fn a_frame_beyond_the_limit_is_refused_by_its_head() {
        let bytes = frame(1, &[0; 301]);
        let mut head = &bytes[..HEAD];
        let refused = FrameDecoder::default().next(&mut head, 300);
        let (length, limit) = (301, 300);
        assert_eq!(refused, Err(FrameError { length, limit }));
    }
}
