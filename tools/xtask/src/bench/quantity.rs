//! What there is to measure.

use clap::ValueEnum;

/// A quantity, by the name that `p2pchat-bench` has for it, in the order in which they are
/// measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Quantity {
    /// Search, with 1 to 1,000 connections, against a bare server
    Search,
    /// Search against Redis
    Redis,
    /// Search with accounts in MongoDB against the embedded store
    Mongo,
    /// Several registries over a replica set, against one, and what they cost the database
    Cluster,
    /// What one of several registries does for up to 1,000,000 users, against a bare map
    News,
    /// Hello datagrams against a bare receiver
    Hello,
    /// All Online with 10 to 100,000 users, against a bare server
    Online,
    /// A login and logout with up to 1,000,000 users online, against 100
    Sessions,
    /// The memory of idle sessions, against a bare server's
    Idle,
    /// Registrations and logins, against Argon2id alone
    Passwords,
    /// From start to listening, against `/bin/true`
    Start,
    /// One text from program to program, against connect, write, close, read
    Text,
    /// Texts at 10 to 2,000 a second, against the same
    Rate,
    /// One text to 1 to 1,000 members, against as many bare ones
    Group,
    /// One text from browser page to browser page, against a WebSocket echo and a bare text
    Browser,
    /// What the page weighs, how soon it can be used, and what drawing costs, against a
    /// yew hello world
    Page,
    /// Building again after one file of each crate has changed; only where it is named
    Builds,
    /// `cargo xtask test` once everything is built; only where it is named
    Tests,
}

impl Quantity {
    /// All but those that take long.
    pub(super) fn ordinary() -> Vec<Self> {
        let short = |one: &&Self| !matches!(one, Self::Builds | Self::Tests);
        Self::value_variants()
            .iter()
            .filter(short)
            .copied()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::named::Named;

    #[test]
    fn what_takes_long_is_measured_only_where_it_is_named() {
        let ordinary = Quantity::ordinary();
        assert!(ordinary.contains(&Quantity::Page));
        assert!(!ordinary.contains(&Quantity::Tests));
        assert!(ordinary.iter().all(|one| !one.what().is_empty()));
    }
}
