//! Which version this is. `build.rs` finds out of which commit.

/// The number of the release.
pub const NUMBER: &str = env!("CARGO_PKG_VERSION");

/// The same with the commit and its date, if they are known: `0.2.0 (ab12cd34 2026-11-29)`.
pub const WITH_COMMIT: &str = env!("P2PCHAT_VERSION");

/// The date of the commit, such as `2026-11-29`; empty if it is not known.
pub const DATE: &str = env!("P2PCHAT_DATE");
