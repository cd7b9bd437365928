//! The terminal while it is filled, and as it was before: put back however the program
//! ends, by a panic too.

use std::io::{self, Stdout, Write, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture,
};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use p2pchat_model::Timestamp;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::app::App;

/// Whether any thread has panicked: the screen is no longer ours then.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// The terminal, filled. Dropping it puts the terminal back.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Fills the terminal.
    pub(super) fn enter(mouse: bool) -> io::Result<Self> {
        restore_at_panic();
        enable_raw_mode()?;
        // From here on, dropping this puts things back where one of the steps fails.
        let screen = Self {
            terminal: Terminal::new(CrosstermBackend::new(stdout()))?,
        };
        execute!(
            stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableFocusChange
        )?;
        if mouse {
            execute!(stdout(), EnableMouseCapture)?;
        }
        Ok(screen)
    }

    /// Shows the state of the program at this moment.
    pub(super) fn draw(&mut self, app: &mut App, now: Timestamp) -> io::Result<()> {
        self.terminal.draw(|frame| app.draw(frame, now))?;
        if app.take_ring() {
            let mut out = stdout();
            out.write_all(b"\x07")?;
            out.flush()?;
        }
        Ok(())
    }

    /// Forgets what is on the terminal, so that all of it is drawn anew.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// Whether a panic took the screen away.
    pub(super) fn is_lost() -> bool {
        PANICKED.load(Ordering::Relaxed)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Doing it twice would put the cursor back onto the report of the panic.
        if !Self::is_lost() {
            restore();
        }
    }
}

/// Undoes [`Screen::enter`]. What fails cannot be helped: the terminal may be gone.
fn restore() {
    let _ = execute!(
        stdout(),
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
}

fn restore_at_panic() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !PANICKED.swap(true, Ordering::Relaxed) {
            restore();
        }
        report(info);
    }));
}
