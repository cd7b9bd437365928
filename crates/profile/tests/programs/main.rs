//! Front ends of one profile as processes: attaching, taking over, ending, and what goes wrong.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]
#![cfg(unix)]

mod handover;
mod limits;
mod refusals;
mod storm;
mod support;
mod together;
