//! The files of `ops/`: what they name is there.
