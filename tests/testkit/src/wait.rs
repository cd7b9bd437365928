//! Waiting for a condition, and skipping a test that cannot run here.

use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Upper bound for whatever normally takes no time: the machine may be busy.
pub const SOON: Duration = Duration::from_secs(30);
/// How often a condition is checked.
const POLL: Duration = Duration::from_millis(20);

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
        tokio::time::sleep(POLL).await;
    }
}

/// [`wait_for`] in a test without a runtime.
///
/// # Panics
/// If `condition` gives nothing within `limit`.
pub fn wait_blocking<T>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(began.elapsed() < limit, "no {what} within {limit:?}");
        std::thread::sleep(POLL);
    }
}

/// Reports a test as skipped, by a line that is printed.
///
/// # Panics
/// If standard output is closed.
pub fn skip(why: &str) {
    // What `println` writes is withheld for a test that does not fail.
    writeln!(stdout(), "\nskipped: {why}").expect("a test has a standard output");
}
