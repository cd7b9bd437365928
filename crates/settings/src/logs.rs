//! Logs on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Begins to log what `RUST_LOG` says, or what `otherwise` says if there is none. In
/// colours if a terminal shows them.
///
/// # Panics
/// If something logs already.
pub fn to_stderr(otherwise: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(otherwise));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}
