//! The signals that stop a program.

use std::io;
#[cfg(unix)]
use std::os::fd::BorrowedFd;
#[cfg(unix)]
use std::time::Duration;

/// The signal that stops a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ctrl-C, or SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP, or the terminal is gone.
    HangUp,
}

/// Waits for signals.
///
/// SIGINT and SIGHUP stay ignored where they were ignored at the start: by `nohup`, or by a
/// shell that runs a program in the background.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: Option<tokio::signal::unix::Signal>,
    terminal: Terminal,
}

#[cfg(unix)]
impl Signals {
    /// Takes over SIGINT, SIGTERM and SIGHUP from the system, which would end the program at
    /// once.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // A file that may not become longer, such as that of the logs, is an error of that
        // write, and does not end the program.
        let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?;
        Ok(Self {
            interrupt: unix::unless_ignored(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: unix::unless_ignored(SignalKind::hangup())?,
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
            () = unix::received(&mut self.interrupt) => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
            () = unix::received(&mut self.hang_up) => Stop::HangUp,
            () = self.terminal.gone() => Stop::HangUp,
        }
    }
}

/// How often is looked whether the terminal is still there. The end of a terminal wakes
/// nobody who waits for nothing else.
#[cfg(unix)]
const LOOK: Duration = Duration::from_secs(1);

/// The terminal at standard input or output, if there is one.
#[derive(Debug, Default)]
pub struct Terminal {
    /// Those of the two that are a terminal.
    #[cfg(unix)]
    streams: Vec<BorrowedFd<'static>>,
}

#[cfg(unix)]
impl Terminal {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let streams = [rustix::stdio::stdin(), rustix::stdio::stdout()];
        Self {
            streams: streams
                .into_iter()
                .filter(std::io::IsTerminal::is_terminal)
                .collect(),
        }
    }

    /// Whether it is gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let is_gone = |stream| rustix::termios::tcgetattr(stream).is_err();
        self.streams.iter().any(is_gone)
    }

    /// Waits until it is gone. Cancel safe.
    async fn gone(&self) {
        if self.streams.is_empty() {
            std::future::pending::<()>().await;
        }
        while !self.is_gone() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(not(unix))]
impl Terminal {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::default()
    }

    /// Whether it is gone: never, as far as this system tells.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        false
    }
}

/// Waits for SIGCONT: the program goes on after a stop, and its terminal may have been
/// another's meanwhile.
#[derive(Debug)]
pub struct Continued {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Continued {
    /// Listens from now on.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
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

#[cfg(not(unix))]
impl Continued {
    /// Nothing stops a program here.
    ///
    /// # Errors
    /// Never.
    pub fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for ever.
    pub async fn next(&mut self) {
        std::future::pending().await
    }
}

/// Stops this program, and those that were started together with it (a script, a pipeline),
/// as Ctrl-Z does. The system does not do it where no shell could continue them, and maybe
/// does it a moment after this returns.
pub fn suspend() {
    #[cfg(unix)]
    {
        use rustix::process::{Signal, kill_current_process_group};
        // Without the stop the program goes on, which is what the user sees.
        let _ = kill_current_process_group(Signal::TSTP);
    }
}

#[cfg(unix)]
mod unix {
    use std::future::pending;
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// Waits for a signal; for ever if it is ignored.
    pub(super) async fn received(signal: &mut Option<Signal>) {
        match signal {
            Some(signal) => _ = signal.recv().await,
            None => pending().await,
        }
    }

    pub(super) fn unless_ignored(kind: SignalKind) -> io::Result<Option<Signal>> {
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
}

#[cfg(not(unix))]
impl Signals {
    /// Waits for Ctrl-C.
    ///
    /// # Errors
    /// Never.
    pub fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// The same: there is no SIGHUP here.
    ///
    /// # Errors
    /// Never.
    pub fn at_terminal() -> io::Result<Self> {
        Self::new()
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Stop {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Stop::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
