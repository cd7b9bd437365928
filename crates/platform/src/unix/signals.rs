//! Why a program has to end, and how it is stopped and continued: signals.

use std::future::pending;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::terminal::Terminal;
pub use crate::shared::Stop;

/// Waits for signals.
///
/// SIGINT and SIGHUP stay ignored where they were ignored at the start: by `nohup`, or by a
/// shell that runs a program in the background.
#[derive(Debug)]
pub struct Signals {
    interrupt: Option<Signal>,
    terminate: Signal,
    hang_up: Option<Signal>,
    terminal: Terminal,
}

impl Signals {
    /// Takes over SIGINT, SIGTERM and SIGHUP from the system, which would end the program at
    /// once.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn new() -> io::Result<Self> {
        // A file that may not become longer, such as that of the logs, is an error of that
        // write, and does not end the program.
        let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?;
        Ok(Self {
            interrupt: unless_ignored(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: unless_ignored(SignalKind::hangup())?,
            terminal: Terminal::default(),
        })
    }

    /// The same for a program that is used at a terminal: the end of the terminal counts as
    /// SIGHUP, which the system does not send to everyone (`docker exec -t`, `sudo`).
    ///
    /// # Errors
    /// If the system refuses.
    pub fn at_terminal() -> io::Result<Self> {
        Ok(Self {
            terminal: Terminal::of_process(),
            ..Self::new()?
        })
    }

    /// Waits for the next signal. Cancel safe: dropping the future loses none.
    pub async fn next(&mut self) -> Stop {
        tokio::select! {
            () = received(&mut self.interrupt) => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
            () = received(&mut self.hang_up) => Stop::HangUp,
            () = self.terminal.gone() => Stop::HangUp,
        }
    }
}

/// Waits for SIGCONT: the program goes on after a stop, and its terminal may have been
/// another's meanwhile.
#[derive(Debug)]
pub struct Continued {
    signal: Signal,
}

impl Continued {
    /// Listens from now on.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn new() -> io::Result<Self> {
        let kind = SignalKind::from_raw(rustix::process::Signal::CONT.as_raw());
        Ok(Self {
            signal: signal(kind)?,
        })
    }

    /// Waits for the next one. Cancel safe: dropping the future loses none.
    pub async fn next(&mut self) {
        _ = self.signal.recv().await;
    }
}

/// Stops this program, and those that were started together with it (a script, a pipeline),
/// as Ctrl-Z does. The system does not do it where no shell could continue them, and maybe
/// does it a moment after this returns.
pub fn suspend() {
    use rustix::process::{Signal, kill_current_process_group};
    // Without the stop the program goes on, which is what the user sees.
    let _ = kill_current_process_group(Signal::TSTP);
}

/// Waits for a signal; for ever if it is ignored.
async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => _ = signal.recv().await,
        None => pending().await,
    }
}

fn unless_ignored(kind: SignalKind) -> io::Result<Option<Signal>> {
    if is_ignored(
        kind,
        &std::fs::read_to_string("/proc/self/status").unwrap_or_default(),
    ) {
        Ok(None)
    } else {
        signal(kind).map(Some)
    }
}

/// Whether a signal is ignored, from `/proc/self/status`: the question to the system
/// itself takes unsafe code. Where there is no such file, none is.
fn is_ignored(kind: SignalKind, status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (kind.as_raw_value() - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_says_which_signals_are_ignored() {
        let status = "Name:\tp2pchat\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\n";
        assert!(is_ignored(SignalKind::hangup(), status));
        assert!(!is_ignored(SignalKind::interrupt(), status));
        assert!(!is_ignored(SignalKind::hangup(), ""));
    }
}
