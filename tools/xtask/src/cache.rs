//! Where what was fetched or built for the checks is kept.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder that survives `cargo clean`.
///
/// # Errors
/// If the user has no home folder.
pub fn folder() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME") {
        Some(folder) if Path::new(&folder).is_absolute() => PathBuf::from(folder),
        _ => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(base.join("p2pchat"))
}
