//! Streams that do not wait, or have no room.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

pub use crate::shared::Ready;

/// A stream that can be asked and waited for.
pub use std::os::fd::AsFd as Descriptor;

/// Whether a stream has room, now or within `patience`. One that nobody reads any more has:
/// to write tells that.
///
/// # Errors
/// If the system does not say.
pub fn has_room(stream: &impl Descriptor, patience: Duration) -> io::Result<bool> {
    let patience = Timespec::try_from(patience).unwrap_or_default();
    let mut polled = [PollFd::new(stream, PollFlags::OUT)];
    poll(&mut polled, Some(&patience))?;
    Ok(!polled[0].revents().is_empty())
}

/// Waits for a stream that did not wait itself.
///
/// # Errors
/// If the system cannot wait for it.
pub fn wait(stream: &impl Descriptor, ready: Ready) -> io::Result<()> {
    let flags = match ready {
        Ready::ToRead => PollFlags::IN,
        Ready::ToWrite => PollFlags::OUT,
    };
    match poll(&mut [PollFd::new(stream, flags)], None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
