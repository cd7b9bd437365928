//! The terminal in full-screen mode, which is restored however the program ends, after a
//! panic too.

use std::io::{self, Stdout, Write};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture,
};
use crossterm::style::Print;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use p2pchat_model::Timestamp;
use p2pchat_settings::streams::Waiting;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};

use super::app::App;

/// Whether any thread has panicked: the panic hook has restored the terminal then.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Puts the title of the terminal onto its stack of titles. A terminal without one does nothing.
const KEEP_TITLE: &str = "\x1b[22;0t";
/// Takes it from there.
const RESTORE_TITLE: &str = "\x1b[23;0t";

/// The terminal in full-screen mode. Dropping it restores the terminal.
pub(super) struct Screen {
    /// Never dropped: where the terminal is gone, that would panic, because the report that
    /// the cursor stays hidden is lost too. [`restore`] shows it.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Waiting<Stdout>>>>,
    mouse: bool,
    /// The title of the terminal, as it was set last.
    title: String,
}

/// Standard output.
fn stdout() -> Waiting<Stdout> {
    Waiting(io::stdout())
}

impl Screen {
    /// Enters full-screen mode.
    pub(super) fn enter(mouse: bool) -> io::Result<Self> {
        restore_at_panic();
        // From here on, dropping this restores the terminal where a step fails.
        let screen = Self {
            terminal: ManuallyDrop::new(Terminal::new(CrosstermBackend::new(stdout()))?),
            mouse,
            title: String::new(),
        };
        screen.fill()?;
        Ok(screen)
    }

    fn fill(&self) -> io::Result<()> {
        enable_raw_mode()?;
        execute!(
            stdout(),
            Print(KEEP_TITLE),
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableFocusChange
        )?;
        if self.mouse {
            execute!(stdout(), EnableMouseCapture)?;
        }
        Ok(())
    }

    /// Gives the terminal back for a while.
    pub(super) fn leave(&self) {
        restore();
    }

    /// Enters full-screen mode again after a stop, and clears the screen. The shell had the
    /// terminal meanwhile and set it as it likes.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        // Only what is off can be turned on.
        disable_raw_mode()?;
        self.fill()?;
        self.title.clear();
        self.clear()
    }

    /// Shows the state of the program at this time.
    pub(super) fn draw(&mut self, app: &mut App, now: Timestamp) -> io::Result<()> {
        self.terminal.draw(|frame| app.draw(frame, now))?;
        let title = app.title();
        if self.title != title {
            execute!(stdout(), SetTitle(&title))?;
            self.title = title;
        }
        if app.take_ring() {
            let mut out = stdout();
            out.write_all(b"\x07")?;
            out.flush()?;
        }
        Ok(())
    }

    /// Puts a text into the clipboard, if the terminal lets programs do that (OSC 52).
    pub(super) fn copy(&self, text: &str) -> io::Result<()> {
        let encoded = data_encoding::BASE64.encode(text.as_bytes());
        let mut out = stdout();
        write!(out, "\x1b]52;c;{encoded}\x07")?;
        out.flush()
    }

    /// Clears the terminal, so that all of it is drawn again.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        // Terminal::clear asks the terminal where the cursor is, and the answer comes as keys,
        // which are read elsewhere.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Whether a panic has ended full-screen mode.
    pub(super) fn is_lost() -> bool {
        PANICKED.load(Ordering::Relaxed)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A second time would move the cursor onto the report of the panic.
        if !Self::is_lost() {
            restore();
        }
    }
}

/// Undoes [`Screen::enter`]. Errors are ignored: the terminal may be gone.
fn restore() {
    let _ = execute!(
        stdout(),
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Print(RESTORE_TITLE),
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

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    /// Set where this test runs in tmux and is to panic.
    const PANIC: &str = "P2PCHAT_TEST_PANIC";

    #[test]
    fn a_panic_restores_the_terminal_and_is_reported() {
        if std::env::var_os(PANIC).is_some() {
            let _screen = Screen::enter(true).unwrap();
            panic!("on purpose");
        }
        let socket = format!("p2pchat-panic-{}", std::process::id());
        let tmux = |arguments: &[&str]| {
            let mut command = Command::new("tmux");
            command.args(["-L", &socket, "-f", "/dev/null"]);
            command.args(arguments).output().unwrap()
        };
        let program = std::env::current_exe().unwrap();
        let line = format!(
            "echo before; RUST_BACKTRACE=0 {PANIC}=1 {} --exact {} --nocapture; stty -a | grep -o -w -e '-\\?icanon'; sleep 100",
            program.display(),
            "tui::screen::tests::a_panic_restores_the_terminal_and_is_reported",
        );
        tmux(&["new-session", "-d", "-x", "80", "-y", "24", &line]);
        let start = Instant::now();
        let screen = loop {
            let screen = String::from_utf8(tmux(&["capture-pane", "-p"]).stdout).unwrap();
            if screen.contains("icanon") || start.elapsed() > Duration::from_secs(30) {
                break screen;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        tmux(&["kill-server"]);
        assert!(
            screen.contains("before"),
            "the old screen is back: {screen}"
        );
        assert!(
            screen.contains("on purpose"),
            "the reason is shown: {screen}"
        );
        assert!(
            screen.contains("icanon") && !screen.contains("-icanon"),
            "{screen}"
        );
    }
}
