//! Waiting for what has to happen.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long anything may take that takes no time: the machine may be busy.
pub const SOON: Duration = Duration::from_secs(30);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until `condition` gives something.
///
/// # Errors
/// If it does not within `limit`; says what was waited for.
pub async fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = condition().await {
            return Ok(found);
        }
        if began.elapsed() > limit {
            bail!("no {what} within {limit:?}");
        }
        tokio::time::sleep(LOOK).await;
    }
}
