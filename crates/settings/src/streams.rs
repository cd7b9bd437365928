//! The standard streams, as other programs hand them on: full, closed, or non-blocking.
//!
//! Output that nobody reads any more is not an error: the reader who closed the pipe has what they
//! need. Output that is lost for another reason is one. A message to the user at standard
//! error is lost where it cannot be written, and nothing else is.

use std::fmt::Display;
use std::io::{self, Read, StdinLock, Write};
use std::time::Duration;

use p2pchat_platform::streams::{Ready, has_room, wait};
use zeroize::Zeroizing;

pub use p2pchat_platform::streams::Descriptor;

/// How many bytes of a password file are read: a password and its line end are far shorter.
const PASSWORD_FILE: usize = 1024;

/// The mark that some editors put at the start of a text file.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What became of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Output {
    /// It is written.
    Written,
    /// Nobody reads it: the pipe is closed.
    Closed,
}

impl Output {
    /// What the result of a write means.
    ///
    /// # Errors
    /// If the write failed, and not because the reader has closed a pipe.
    pub fn of(written: io::Result<()>) -> io::Result<Self> {
        match written {
            Ok(()) => Ok(Self::Written),
            Err(error) => match error.kind() {
                // A socket says so in the second way.
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Ok(Self::Closed),
                kind => {
                    let reason = format!("cannot write to standard output: {error}");
                    Err(io::Error::new(kind, reason))
                }
            },
        }
    }
}

/// Writes to standard output, now and in one piece.
///
/// # Errors
/// If it cannot be written; a closed pipe is no error.
pub fn print(bytes: &[u8]) -> io::Result<Output> {
    let mut out = Waiting(io::stdout().lock());
    Output::of(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Writes a line for the user to standard error: the name of the program and a message. A
/// reader who has stopped does not keep the program from its end.
pub fn complain(program: &str, message: impl Display) {
    let line = format!("{program}: {message}\n");
    // Nothing is left to say it to.
    let _ = IfRoom::soon(io::stderr()).write_all(line.as_bytes());
}

/// Standard input.
#[must_use]
pub fn stdin() -> Waiting<StdinLock<'static>> {
    Waiting(io::stdin().lock())
}

/// The first line of a password file, without a byte order mark and the end of the line.
///
/// # Errors
/// If it cannot be read or is not UTF-8.
pub fn first_line(mut from: impl Read) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(PASSWORD_FILE));
    let mut byte = Zeroizing::new([0]);
    // By bytes, because what follows in a pipe is for others: /dev/stdin may be the file.
    while bytes.len() < PASSWORD_FILE && from.read(&mut *byte)? == 1 && *byte != [b'\n'] {
        bytes.push(byte[0]);
    }
    let line = bytes.strip_suffix(b"\r").unwrap_or(&bytes);
    let line = line
        .strip_prefix(BYTE_ORDER_MARK.as_bytes())
        .unwrap_or(line);
    let text = std::str::from_utf8(line).map(|text| Zeroizing::new(text.to_owned()));
    text.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a password must be UTF-8 text"))
}

/// A stream that is waited for where it is not blocking. Whether it is belongs to the open
/// file, which other processes share, so it must not be changed here.
#[derive(Debug)]
pub struct Waiting<S>(pub S);

/// A stream of lines that are lost where there is no room for them: a pipe whose reader has
/// stopped, a terminal that is held (Ctrl-S). A program that waited there would stand still
/// with all its tasks.
#[derive(Debug)]
pub struct IfRoom<S> {
    stream: S,
    patience: Duration,
}

/// How long to wait for room for what is said only once.
const SOON: Duration = Duration::from_secs(1);

impl<S> IfRoom<S> {
    /// For a stream that has to have room at once.
    pub fn now(stream: S) -> Self {
        let patience = Duration::ZERO;
        Self { stream, patience }
    }

    /// For a stream that has to have room within a second.
    pub fn soon(stream: S) -> Self {
        let patience = SOON;
        Self { stream, patience }
    }
}

/// How many bytes a pipe takes without waiting once it says that it has room (`PIPE_BUF`).
const ROOM: usize = 4096;

impl<S: Write + Descriptor> Write for IfRoom<S> {
    /// Writes a part, or fails with [`io::ErrorKind::WouldBlock`].
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if !has_room(&self.stream, self.patience)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.stream.write(&buffer[..buffer.len().min(ROOM)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Repeats a call until it has a result.
fn wait_for<S: Descriptor, T>(
    stream: &mut S,
    ready: Ready,
    mut call: impl FnMut(&mut S) -> io::Result<T>,
) -> io::Result<T> {
    loop {
        match call(stream) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait(stream, ready)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl<S: Read + Descriptor> Read for Waiting<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        wait_for(&mut self.0, Ready::ToRead, |stream| stream.read(buffer))
    }
}

impl<S: Write + Descriptor> Write for Waiting<S> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        wait_for(&mut self.0, Ready::ToWrite, |stream| stream.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        wait_for(&mut self.0, Ready::ToWrite, S::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_disk_is_one() {
        let failed = |kind: io::ErrorKind| Output::of(Err(kind.into()));
        assert_eq!(Output::of(Ok(())).unwrap(), Output::Written);
        assert_eq!(failed(io::ErrorKind::BrokenPipe).unwrap(), Output::Closed);
        let error = failed(io::ErrorKind::StorageFull).unwrap_err();
        assert!(error.to_string().contains("standard output"), "{error}");
    }

    #[test]
    fn the_first_line_is_the_password() {
        let read = |bytes: &[u8]| first_line(bytes).map(|line| line.to_string());
        assert_eq!(read(b"secret\n").unwrap(), "secret");
        assert_eq!(read(b"secret\r\nmore\n").unwrap(), "secret");
        assert_eq!(read(b"\xef\xbb\xbfsecret\r\n").unwrap(), "secret");
        assert_eq!(read(b" se cret").unwrap(), " se cret");
        assert_eq!(read(b"secret\n\xff").unwrap(), "secret");
        assert_eq!(read(b"").unwrap(), "");
        assert!(read(b"\xff\n").unwrap_err().to_string().contains("UTF-8"));
        let mut stream = &b"secret\nfor others"[..];
        assert_eq!(first_line(&mut stream).unwrap().as_str(), "secret");
        assert_eq!(stream, b"for others");
    }

    #[cfg(unix)]
    #[test]
    fn a_line_is_lost_while_the_reader_of_a_pipe_has_stopped() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut log = IfRoom::now(writer);
        let line = [b'x'; 100];
        let lost = loop {
            // Would wait for ever.
            if let Err(error) = log.write_all(&line) {
                break error;
            }
        };
        assert_eq!(lost.kind(), io::ErrorKind::WouldBlock);
        let long = vec![b'y'; 3 * ROOM];
        reader.read_exact(&mut vec![0; 8 * ROOM]).unwrap();
        log.write_all(&long).unwrap();
        drop(log);
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert!(rest.ends_with(&long), "and the next ones are there");
    }

    #[cfg(unix)]
    #[test]
    fn a_stream_that_is_not_blocking_is_waited_for() {
        let (mut far, near) = std::os::unix::net::UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let writer = std::thread::spawn(move || {
            // More than the system buffers, so that both sides have to wait.
            let written = far.write_all(&[b'x'; 4_000_000]);
            written.map(|()| far)
        });
        let mut near = Waiting(near);
        let mut read = vec![0; 4_000_000];
        near.read_exact(&mut read).unwrap();
        let mut far = writer.join().unwrap().unwrap();
        let reader = std::thread::spawn(move || {
            let mut read = Vec::new();
            far.read_to_end(&mut read).map(|_| read)
        });
        near.write_all(&read).unwrap();
        drop(near);
        assert_eq!(reader.join().unwrap().unwrap().len(), read.len());
    }
}
