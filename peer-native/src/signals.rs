//! The signals that end the program.

use std::io;
use std::time::Duration;

use p2pchat_settings::Stop;

use crate::exit::Exit;

/// How long the program may take to end in order after a signal: more than the peer's
/// own limit for that. It takes longer only where nobody reads its output.
const LAST_RESORT: Duration = Duration::from_secs(10);

/// Ends the program when it was told to end and does not: a front end that waits for
/// somebody to read its output cannot be asked.
pub async fn last_resort(mut signals: Signals) {
    let exit = signals.next().await;
    tokio::time::sleep(LAST_RESORT).await;
    std::process::exit(i32::from(exit as u8));
}

/// Waits for signals.
#[derive(Debug)]
pub struct Signals(p2pchat_settings::Signals);

impl Signals {
    /// Takes them over from the system, which would end the program at once.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn new() -> io::Result<Self> {
        p2pchat_settings::Signals::with_hang_up().map(Self)
    }

    /// The next one, as the way to end that it asks for.
    pub async fn next(&mut self) -> Exit {
        match self.0.next().await {
            Stop::Terminate | Stop::HangUp => Exit::Terminated,
            Stop::Interrupt => Exit::Done,
        }
    }
}
