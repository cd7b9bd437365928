//! Standard input by lines, on a thread of its own: a read cannot be cancelled, and must not
//! delay the end of the program.

use std::io::{self, BufRead, Read};
use std::thread;

use thiserror::Error;
use tokio::sync::mpsc;

/// Maximum length of a line, in bytes: a thousand times a chat packet.
pub const LONGEST: usize = 100_000;

/// How many lines are read ahead; then the writer has to wait.
const AHEAD: usize = 16;

/// Why a line is invalid. The next one may be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadLine {
    /// It is longer than [`LONGEST`].
    #[error("a line may have at most {LONGEST} bytes")]
    TooLong,
    /// It is not UTF-8.
    #[error("a line must be UTF-8 text")]
    NotUtf8,
}

/// Begins to read. The channel closes when the input ends.
#[must_use]
pub fn read_stdin() -> mpsc::Receiver<Result<String, BadLine>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(line) = next_line(&mut input) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// The next line without its end; `None` where the input ends or fails.
fn next_line(input: &mut impl BufRead) -> Option<Result<String, BadLine>> {
    let mut bytes = Vec::new();
    let limit = LONGEST as u64 + 2;
    let count = input.by_ref().take(limit).read_until(b'\n', &mut bytes);
    if count.ok()? == 0 {
        return None;
    }
    let ended = bytes.last() == Some(&b'\n');
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    if bytes.len() > LONGEST {
        if !ended {
            skip_line(input);
        }
        return Some(Err(BadLine::TooLong));
    }
    Some(String::from_utf8(bytes).map_err(|_| BadLine::NotUtf8))
}

/// Skips the rest of a line, without keeping it.
fn skip_line(input: &mut impl BufRead) {
    while let Ok(buffer) = input.fill_buf() {
        let (count, found) = match buffer.iter().position(|&byte| byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(count);
        if found {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_line_does_not_affect_the_next() {
        let long = "x".repeat(3 * LONGEST);
        let fits = "y".repeat(LONGEST);
        let text = [b"one\r\n", long.as_bytes(), b"\n\xff\n\n", fits.as_bytes()].concat();
        let mut input = io::BufReader::with_capacity(7, text.as_slice());
        let mut lines = std::iter::from_fn(|| next_line(&mut input));
        assert_eq!(lines.next(), Some(Ok("one".to_owned())));
        assert_eq!(lines.next(), Some(Err(BadLine::TooLong)));
        assert_eq!(lines.next(), Some(Err(BadLine::NotUtf8)));
        assert_eq!(lines.next(), Some(Ok(String::new())));
        assert_eq!(lines.next(), Some(Ok(fits)));
        assert_eq!(lines.next(), None);
    }
}
