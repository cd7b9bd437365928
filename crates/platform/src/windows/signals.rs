//! Why a program has to end: what the console tells.

use std::io;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close,
    ctrl_logoff, ctrl_shutdown,
};

pub use crate::shared::Stop;

/// Waits for the console. A program has some seconds after the window is closed, and after the
/// session or the system ends; then the system ends it.
#[derive(Debug)]
pub struct Signals {
    interrupt: CtrlC,
    break_off: CtrlBreak,
    close: CtrlClose,
    log_off: CtrlLogoff,
    shut_down: CtrlShutdown,
}

impl Signals {
    /// Takes over from the system, which would end the program at once.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            break_off: ctrl_break()?,
            close: ctrl_close()?,
            log_off: ctrl_logoff()?,
            shut_down: ctrl_shutdown()?,
        })
    }

    /// The same: the system tells everyone that the window is closed.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn at_terminal() -> io::Result<Self> {
        Self::new()
    }

    /// Waits for the next reason. Cancel safe: dropping the future loses none.
    pub async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupt,
            _ = self.break_off.recv() => Stop::Terminate,
            _ = self.log_off.recv() => Stop::Terminate,
            _ = self.shut_down.recv() => Stop::Terminate,
            _ = self.close.recv() => Stop::HangUp,
        }
    }
}

/// Waits until the program goes on after a stop: nothing stops one here.
#[derive(Debug)]
pub struct Continued {}

impl Continued {
    /// Listens from now on.
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

/// Nothing: no shell could continue it.
pub fn suspend() {}
