//! The full screen.
use anyhow::Result;
use p2pchat_peer::Handle;

use crate::exit::Exit;
use crate::settings::Settings;
use crate::signals::Signals;

/// Runs.
///
/// # Errors
/// Never.
pub async fn run(_: Handle, _: &Settings, mut signals: Signals) -> Result<Exit> {
    Ok(signals.next().await)
}
