//! The settings of the terminal in plain mode: hidden while a password is typed, set again
//! after a stop, and restored at the end.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(unix)]
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};

/// What is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// A line, with keys that edit it. The editor sets the terminal.
    Line,
    /// A password.
    Password,
}

/// The terminal at standard input.
#[derive(Debug)]
pub(super) struct Terminal {
    #[cfg(unix)]
    saved: Termios,
    reading: Mutex<Option<Reading>>,
}

/// Something is being read until this is dropped.
#[derive(Debug)]
pub(super) struct WhileReading<'a>(&'a Terminal);

impl Terminal {
    /// Saves its settings.
    ///
    /// # Errors
    /// If it is gone.
    pub(super) fn save() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            saved: tcgetattr(io::stdin())?,
            reading: Mutex::default(),
        })
    }

    /// Notes what is being read.
    pub(super) fn reading(&self, what: Reading) -> WhileReading<'_> {
        *self.lock() = Some(what);
        WhileReading(self)
    }

    /// Begins to read a password: what is typed is not shown.
    ///
    /// # Errors
    /// If the terminal shows it all the same.
    pub(super) fn hide(&self) -> io::Result<WhileReading<'_>> {
        let reading = self.reading(Reading::Password);
        self.set(Reading::Password)?;
        Ok(reading)
    }

    /// Sets the terminal as it was before a stop, because the shell set it as it likes.
    /// Returns what is being read.
    pub(super) fn set_again(&self) -> Option<Reading> {
        let reading = *self.lock();
        reading.filter(|&what| self.set(what).is_ok())
    }

    /// Whether this is being read.
    pub(super) fn is_reading(&self, what: Reading) -> bool {
        *self.lock() == Some(what)
    }

    /// Discards what is typed but not read yet.
    pub(super) fn discard(&self) {
        // If it fails, that is read as the next line.
        #[cfg(unix)]
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Reading>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(unix)]
impl Terminal {
    /// Whether reads or writes do not wait: then no editor can work with it.
    pub(super) fn is_non_blocking(&self) -> bool {
        use rustix::fs::{OFlags, fcntl_getfl};
        let streams = [rustix::stdio::stdin(), rustix::stdio::stdout()];
        let flags = streams
            .into_iter()
            .filter_map(|stream| fcntl_getfl(stream).ok());
        flags
            .into_iter()
            .any(|flags| flags.contains(OFlags::NONBLOCK))
    }

    fn set(&self, what: Reading) -> io::Result<()> {
        let mut settings = self.saved.clone();
        match what {
            Reading::Password => {
                settings.local_modes.remove(LocalModes::ECHO);
                // But the end of the line is shown.
                settings.local_modes.insert(LocalModes::ECHONL);
            }
            // As the editor does, whose output needs the modes for that.
            Reading::Line => {
                let output = settings.output_modes;
                settings.make_raw();
                settings.output_modes = output;
                settings.special_codes[SpecialCodeIndex::VMIN] = 1;
                settings.special_codes[SpecialCodeIndex::VTIME] = 0;
            }
        }
        Ok(tcsetattr(io::stdin(), OptionalActions::Now, &settings)?)
    }

    /// Restores the settings it had at first.
    pub(super) fn restore(&self) {
        // It may be gone, and then nothing has to be restored.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.saved);
    }
}

#[cfg(not(unix))]
impl Terminal {
    /// Never, here.
    pub(super) fn is_non_blocking(&self) -> bool {
        false
    }

    fn set(&self, _: Reading) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn restore(&self) {}
}

impl Drop for WhileReading<'_> {
    fn drop(&mut self) {
        let ended = self.0.lock().take();
        if ended == Some(Reading::Password) {
            self.0.restore();
        }
    }
}
