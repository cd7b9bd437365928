//! What peers, bridges and registries share below the protocol.
//!
//! | module | what it is |
//! |---|---|
//! | [`rate_limit`] | token buckets, alone or one a key in bounded memory |
//! | [`sqlite`] | files of SQLite: created for their owner alone, recognised, migrated, opened |
//!
//! **Invariant:** nothing in here knows a packet, an account or a chat, and no clock is read
//! for a rate limit: the time is passed in.

pub mod rate_limit;
pub mod sqlite;
