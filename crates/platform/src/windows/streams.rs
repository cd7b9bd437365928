//! Streams that do not wait, or have no room: a program is not given such here, and a stream
//! cannot be asked. Who stops reading the logs of a program, stops the program.

use std::io;
use std::time::Duration;

pub use crate::shared::Ready;

/// Every stream.
pub trait Descriptor {}

impl<S> Descriptor for S {}

/// Whether a stream has room: yes, as far as the system tells.
///
/// # Errors
/// Never.
pub fn has_room(_: &impl Descriptor, _: Duration) -> io::Result<bool> {
    Ok(true)
}

/// Lets others run: a stream waits itself.
///
/// # Errors
/// Never.
pub fn wait(_: &impl Descriptor, _: Ready) -> io::Result<()> {
    std::thread::yield_now();
    Ok(())
}
