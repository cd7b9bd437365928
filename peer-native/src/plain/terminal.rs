//! The terminal in plain mode: hidden while a password is typed, set again after a stop, and
//! restored at the end.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use p2pchat_platform::terminal::Modes;

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
    pub(super) modes: Modes,
    reading: Mutex<Option<Reading>>,
}

/// Something is being read until this is dropped.
#[derive(Debug)]
pub(super) struct WhileReading<'a>(&'a Terminal);

impl Terminal {
    /// Saves its modes.
    ///
    /// # Errors
    /// If it is gone.
    pub(super) fn save() -> io::Result<Self> {
        Ok(Self {
            modes: Modes::save()?,
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
        self.modes.hide_typing()?;
        Ok(reading)
    }

    /// Sets the terminal as it was before a stop, because the shell set it as it likes.
    /// Returns what is being read.
    pub(super) fn set_again(&self) -> Option<Reading> {
        let reading = *self.lock();
        let set = match reading? {
            Reading::Line => self.modes.edit_lines(),
            Reading::Password => self.modes.hide_typing(),
        };
        reading.filter(|_| set.is_ok())
    }

    /// Whether this is being read.
    pub(super) fn is_reading(&self, what: Reading) -> bool {
        *self.lock() == Some(what)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Reading>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WhileReading<'_> {
    fn drop(&mut self) {
        let ended = self.0.lock().take();
        if ended == Some(Reading::Password) {
            self.0.modes.restore();
        }
    }
}
