//! The program from its settings to its exit code.

use std::time::Duration;

use anyhow::{Context, Result};
use p2pchat_peer::Peer;
use p2pchat_settings::Signals;
use p2pchat_settings::signals::Terminal;
use p2pchat_settings::streams::complain;

use crate::exit::Exit;
use crate::options::{Mode, Settings};
use crate::{NAME, json, plain, tui};

/// How long the program may take to stop in order after a signal: more than the peer's own
/// limit for that. It takes longer only if its output is not read.
const LAST_RESORT: Duration = Duration::from_secs(10);

/// Starts the peer, runs the front end, and stops the peer however the front end ended.
///
/// # Errors
/// If the peer cannot start, or the front end cannot go on.
pub async fn run(settings: Settings) -> Result<Exit> {
    let take_over = || Signals::at_terminal().context("cannot take over the signals");
    let signals = take_over()?;
    tokio::spawn(last_resort(take_over()?));
    if let Some(notice) = &settings.notice {
        complain(NAME, notice);
    }
    let terminal = Terminal::of_process();
    let peer = Box::pin(Peer::start(settings.peer.clone()))
        .await
        .context("cannot start")?;
    let handle = peer.handle();
    let result = match settings.mode {
        Mode::Screen => Box::pin(tui::run(handle, &settings, signals)).await,
        Mode::Plain => Box::pin(plain::run(handle, &settings, signals)).await,
        Mode::Json => Box::pin(json::run(handle, settings.login, signals)).await,
    };
    let stopped = peer.stop().await;
    // Whatever the front end took that for.
    if terminal.is_gone() {
        return Ok(Exit::Terminated);
    }
    // Where the peer has failed, the front end knows only that it stopped.
    stopped?;
    result
}

/// Ends the process if it does not stop after a signal: a front end whose output is not read
/// hangs, and does not look at its signals.
async fn last_resort(mut signals: Signals) {
    let exit = Exit::from(signals.next().await);
    tokio::time::sleep(LAST_RESORT).await;
    std::process::exit(i32::from(exit as u8));
}
