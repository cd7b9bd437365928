//! The program from its settings to its exit code.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use p2pchat_peer::Peer;

use crate::exit::Exit;
use crate::settings::{Mode, Settings};
use crate::signals::{Signals, last_resort};
use crate::{json, plain, tui};

/// Starts the peer, runs the front end, and stops the peer however the front end ended.
///
/// # Errors
/// If the peer cannot start, or the front end cannot go on.
pub async fn run(settings: Settings) -> Result<Exit> {
    let take_over = || Signals::new().context("cannot take over the signals");
    let signals = take_over()?;
    tokio::spawn(last_resort(take_over()?));
    if let Some(path) = &settings.peer.history {
        make_folder_of(path)?;
    }
    let peer = Box::pin(Peer::start(settings.peer.clone()))
        .await
        .context("cannot start")?;
    let handle = peer.handle();
    let result = match settings.mode {
        Mode::Screen => Box::pin(tui::run(handle, &settings, signals)).await,
        Mode::Plain => Box::pin(plain::run(handle, &settings, signals)).await,
        Mode::Json => Box::pin(json::run(handle, settings.login, signals)).await,
    };
    peer.stop().await;
    result
}

fn make_folder_of(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display())),
        _ => Ok(()),
    }
}
