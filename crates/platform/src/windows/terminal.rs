//! The console: whether it is there, and its mode in plain mode.

use std::io;

use crossterm_winapi::{ConsoleMode, Handle};

/// Whether the variable `TERM` says what a terminal can do: not here, where all can the same.
pub const USES_TERM: bool = false;

/// The bit of the console's mode that shows what is typed.
const ENABLE_ECHO_INPUT: u32 = 0x4;

/// The console of a program.
#[derive(Debug, Default)]
pub struct Terminal {}

impl Terminal {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::default()
    }

    /// Whether it is gone: a program does not outlive it for long, and hears of it before
    /// ([`super::signals::Signals`]).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        false
    }
}

/// The mode of the console at standard input, as it was.
#[derive(Debug)]
pub struct Modes {
    saved: u32,
}

impl Modes {
    /// Saves it.
    ///
    /// # Errors
    /// If there is no console.
    pub fn save() -> io::Result<Self> {
        let saved = console()?.mode()?;
        Ok(Self { saved })
    }

    /// What is typed is not shown from now on.
    ///
    /// # Errors
    /// If it is shown all the same.
    pub fn hide_typing(&self) -> io::Result<()> {
        console()?.set_mode(self.saved & !ENABLE_ECHO_INPUT)
    }

    /// Nothing: the editor of lines sets the mode itself, and no shell changes it meanwhile.
    ///
    /// # Errors
    /// Never.
    pub fn edit_lines(&self) -> io::Result<()> {
        Ok(())
    }

    /// Restores it.
    pub fn restore(&self) {
        // The console may be gone, and then nothing has to be restored.
        let _ = console().and_then(|console| console.set_mode(self.saved));
    }

    /// Nothing: what is typed is read as the next line.
    pub fn discard_typed(&self) {}

    /// Whether reads or writes do not wait: never.
    #[must_use]
    pub fn is_non_blocking(&self) -> bool {
        false
    }
}

fn console() -> io::Result<ConsoleMode> {
    Ok(ConsoleMode::from(Handle::input_handle()?))
}
