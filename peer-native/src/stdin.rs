//! Standard input by lines, on a thread of its own: a read cannot be cancelled, and must not
//! delay the end of the program.

use std::io::{self, BufRead, BufReader, Read};
use std::thread;
use std::time::Duration;

use p2pchat_settings::streams::{self, BYTE_ORDER_MARK, Waiting};
use thiserror::Error;
use tokio::sync::mpsc;

/// Maximum length of a line, in bytes: a thousand times a chat packet.
pub const LONGEST: usize = 100_000;

/// What comes before the reason where the input cannot be read.
pub(crate) const UNREADABLE: &str = "cannot read standard input";

/// Keys of a terminal within this time of each other are not typed by hand.
pub(crate) const QUICK: Duration = Duration::from_millis(20);

/// How long an Enter that came quickly is held back: what comes within this time of it came with
/// it, and is a paste.
pub(crate) const PAUSE: Duration = Duration::from_millis(60);

/// How many lines are read ahead; then the writer has to wait.
const AHEAD: usize = 16;

/// Why a line is invalid. The next one may be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadLine {
    /// It is longer than [`LONGEST`].
    #[error("this line is too long: write at most {} KB", LONGEST / 1000)]
    TooLong,
    /// It is not UTF-8.
    #[error("a line must be UTF-8 text")]
    NotUtf8,
}

/// A line, or why it is invalid; the error is that of the input, which ends with it.
pub type NextLine = io::Result<Result<String, BadLine>>;

/// Begins to read. The channel closes when the input ends.
#[must_use]
pub fn read_stdin() -> mpsc::Receiver<NextLine> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    thread::spawn(move || {
        let mut lines = Lines::of_stdin();
        while let Some(line) = lines.next() {
            let last = line.is_err();
            if sender.blocking_send(line).is_err() || last {
                break;
            }
        }
    });
    receiver
}

/// Input by lines.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    input: R,
    /// Whether the next line is the first, which may have a mark.
    first: bool,
}

impl Lines<BufReader<Waiting<io::StdinLock<'static>>>> {
    /// The lines of standard input.
    pub(crate) fn of_stdin() -> Self {
        Self::new(BufReader::new(streams::stdin()))
    }
}

impl<R: BufRead> Lines<R> {
    fn new(input: R) -> Self {
        Self { input, first: true }
    }

    /// The next line without its end; `None` where the input ends.
    pub(crate) fn next(&mut self) -> Option<NextLine> {
        let first = std::mem::take(&mut self.first);
        let mut bytes = Vec::new();
        let limit = LONGEST as u64 + 2;
        let count = self
            .input
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut bytes);
        match count {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) => return Some(Err(error)),
        }
        let ended = bytes.last() == Some(&b'\n');
        while matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        if bytes.len() > LONGEST {
            if !ended && let Err(error) = self.skip_line() {
                return Some(Err(error));
            }
            return Some(Ok(Err(BadLine::TooLong)));
        }
        let mark = BYTE_ORDER_MARK.as_bytes();
        if first && bytes.starts_with(mark) {
            bytes.drain(..mark.len());
        }
        Some(Ok(String::from_utf8(bytes).map_err(|_| BadLine::NotUtf8)))
    }

    /// Skips the rest of a line, without keeping it.
    fn skip_line(&mut self) -> io::Result<()> {
        self.input.skip_until(b'\n').map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Lines<BufReader<&[u8]>> {
        Lines::new(BufReader::with_capacity(7, text))
    }

    #[test]
    fn an_invalid_line_does_not_affect_the_next() {
        let long = "x".repeat(3 * LONGEST);
        let fits = "y".repeat(LONGEST);
        let text = [b"one\r\n", long.as_bytes(), b"\n\xff\n\n", fits.as_bytes()].concat();
        let mut lines = lines(&text);
        let mut next = || lines.next().map(Result::unwrap);
        assert_eq!(next(), Some(Ok("one".to_owned())));
        assert_eq!(next(), Some(Err(BadLine::TooLong)));
        assert_eq!(next(), Some(Err(BadLine::NotUtf8)));
        assert_eq!(next(), Some(Ok(String::new())));
        assert_eq!(next(), Some(Ok(fits)));
        assert_eq!(next(), None);
    }

    #[test]
    fn a_byte_order_mark_at_the_start_is_not_part_of_the_first_line() {
        let mut lines = lines(b"\xef\xbb\xbfone\r\n\xef\xbb\xbftwo\n");
        let mut next = || lines.next().map(Result::unwrap);
        assert_eq!(next(), Some(Ok("one".to_owned())));
        assert_eq!(next(), Some(Ok("\u{feff}two".to_owned())));
        assert_eq!(next(), None);
    }

    #[test]
    fn an_input_that_cannot_be_read_is_not_one_that_has_ended() {
        let folder = std::fs::File::open("/").unwrap();
        let next = Lines::new(BufReader::new(folder)).next();
        assert!(next.unwrap().is_err());
    }
}
