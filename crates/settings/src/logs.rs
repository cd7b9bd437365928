//! Logs, to standard error or to a file.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal};
use std::path::Path;

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error: what `RUST_LOG` selects, or `default` without it.
/// In colours if standard error is a terminal.
///
/// # Panics
/// If logging has already started.
pub fn to_stderr(default: &str) {
    tracing_subscriber::fmt()
        .with_env_filter(filter(default))
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}

/// Starts logging to the end of this file, which is created if it does not
/// exist.
///
/// # Errors
/// If the file cannot be opened.
///
/// # Panics
/// If logging has already started.
pub fn to_file(path: &Path, default: &str) -> io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    tracing_subscriber::fmt()
        .with_env_filter(filter(default))
        .with_ansi(false)
        .with_writer(file)
        .init();
    Ok(())
}

fn filter(default: &str) -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default))
}
