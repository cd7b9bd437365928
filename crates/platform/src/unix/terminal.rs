//! The terminal: whether it is there, and its modes in plain mode.

use std::io::{self, IsTerminal};
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};

/// Whether the variable `TERM` says what a terminal can do.
pub const USES_TERM: bool = true;

/// How often is looked whether the terminal is still there. The end of a terminal wakes
/// nobody who waits for nothing else.
const LOOK: Duration = Duration::from_secs(1);

/// The terminal at standard input or output, if there is one.
#[derive(Debug, Default)]
pub struct Terminal {
    /// Those of the two that are a terminal.
    streams: Vec<BorrowedFd<'static>>,
}

impl Terminal {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let streams = [stdin(), stdout()];
        Self {
            streams: streams
                .into_iter()
                .filter(IsTerminal::is_terminal)
                .collect(),
        }
    }

    /// Whether it is gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let is_gone = |stream| tcgetattr(stream).is_err();
        self.streams.iter().any(is_gone)
    }

    /// Waits until it is gone. Cancel safe.
    pub(super) async fn gone(&self) {
        if self.streams.is_empty() {
            std::future::pending::<()>().await;
        }
        while !self.is_gone() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// The modes of the terminal at standard input, as they were.
#[derive(Debug)]
pub struct Modes {
    saved: Termios,
}

impl Modes {
    /// Saves them.
    ///
    /// # Errors
    /// If there is no terminal.
    pub fn save() -> io::Result<Self> {
        let saved = tcgetattr(stdin())?;
        Ok(Self { saved })
    }

    /// What is typed is not shown from now on, but the end of a line is.
    ///
    /// # Errors
    /// If it is shown all the same.
    pub fn hide_typing(&self) -> io::Result<()> {
        let mut modes = self.saved.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        modes.local_modes.insert(LocalModes::ECHONL);
        set(&modes)
    }

    /// As the editor of lines has them, whose output needs the modes for that: a shell sets its
    /// own while the program is stopped.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn edit_lines(&self) -> io::Result<()> {
        let mut modes = self.saved.clone();
        let output = modes.output_modes;
        modes.make_raw();
        modes.output_modes = output;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        set(&modes)
    }

    /// Restores them.
    pub fn restore(&self) {
        // The terminal may be gone, and then nothing has to be restored.
        let _ = set(&self.saved);
    }

    /// Discards what is typed but not read yet.
    pub fn discard_typed(&self) {
        // If it fails, that is read as the next line.
        let _ = tcflush(stdin(), QueueSelector::IFlush);
    }

    /// Whether reads or writes do not wait: then no editor can work with the terminal.
    #[must_use]
    pub fn is_non_blocking(&self) -> bool {
        let is = |stream| fcntl_getfl(stream).is_ok_and(|flags| flags.contains(OFlags::NONBLOCK));
        [stdin(), stdout()].into_iter().any(is)
    }
}

fn set(modes: &Termios) -> io::Result<()> {
    Ok(tcsetattr(stdin(), OptionalActions::Now, modes)?)
}
