//! Conversations of version 2: rosters, talk logs and how members bring each other up to date.
//!
//! Entries go in, effects come out. **Invariant:** no socket, no clock, no disk, no random source:
//! time, randomness and what was stored are passed in, so that the simulation can choose them.

pub mod clock;
pub mod log;
pub mod message;
pub mod ranges;
pub mod replica;
pub mod roster;
pub mod seal;
pub mod sync;
