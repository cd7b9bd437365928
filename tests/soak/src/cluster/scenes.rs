//! What is tried.

pub(super) mod faults;
pub(super) mod presence;
