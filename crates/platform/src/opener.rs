//! The program that opens a file or a link with what the user prefers for it.

use std::ffi::OsStr;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub use crate::process::{OPENER, has_screen};

/// How long an opener may take to fail. One that ends later was the browser itself, which the
/// user has closed.
const FAILS_WITHIN: Duration = Duration::from_secs(30);

/// Opens a file or a link. Calls `failed` later if the opener fails, from another thread.
///
/// # Errors
/// If there is no opener, or it does not start.
pub fn open(
    what: impl AsRef<OsStr>,
    failed: impl FnOnce(ExitStatus) + Send + 'static,
) -> io::Result<()> {
    let mut opener = crate::process::opener()
        .arg(what)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let began = Instant::now();
    let waiting = move || match opener.wait() {
        Ok(status) if !status.success() && began.elapsed() < FAILS_WITHIN => failed(status),
        _ => {}
    };
    // Not only to hear of a failure: the ended process would stay as a zombie.
    let thread = thread::Builder::new().name("opener".to_owned());
    thread.spawn(waiting).map(drop)
}
