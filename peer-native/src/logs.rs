//! Where logs go: to a file if one is named, else to standard error, but never onto a
//! screen that is filled.

use std::fs::OpenOptions;
use std::path::Path;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use crate::settings::{Mode, Settings};

/// What is logged where `RUST_LOG` says nothing.
const DEFAULT_FILTER: &str = "warn";

/// Begins to log.
///
/// # Errors
/// If the log file cannot be opened.
pub fn start(settings: &Settings) -> Result<()> {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let logs = tracing_subscriber::fmt().with_env_filter(filter);
    match (&settings.log_file, settings.mode) {
        (Some(path), _) => {
            let file = open(path)?;
            logs.with_ansi(false).with_writer(file).init();
        }
        (None, Mode::Screen) => {}
        (None, Mode::Plain | Mode::Json) => {
            logs.with_ansi(false).with_writer(std::io::stderr).init();
        }
    }
    Ok(())
}

fn open(path: &Path) -> Result<std::fs::File> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.with_context(|| format!("cannot open the log file {}", path.display()))
}
