//! What goes wrong, at random and on purpose.

use std::ops::AddAssign;

/// How often each thing happened.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Troubles {
    pub(super) logins: u64,
    pub(super) moves: u64,
    pub(super) logouts: u64,
    pub(super) vanished: u64,
    pub(super) kills: u64,
    pub(super) elections: u64,
    pub(super) cuts: u64,
    pub(super) drops: u64,
    pub(super) clocks: u64,
}

impl Troubles {
    pub(crate) fn all_happened(&self) -> bool {
        let all = [
            self.logins,
            self.moves,
            self.logouts,
            self.vanished,
            self.kills,
            self.elections,
            self.cuts,
            self.drops,
            self.clocks,
        ];
        all.iter().all(|count| *count > 0)
    }
}

impl AddAssign for Troubles {
    fn add_assign(&mut self, other: Self) {
        self.logins += other.logins;
        self.moves += other.moves;
        self.logouts += other.logouts;
        self.vanished += other.vanished;
        self.kills += other.kills;
        self.elections += other.elections;
        self.cuts += other.cuts;
        self.drops += other.drops;
        self.clocks += other.clocks;
    }
}

/// A fault of the harness, by which one sees that the checks bite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// One registry writes nothing but logins.
    NothingIsWritten,
    /// One registry reads no news.
    NothingIsRead,
    /// The time of others' users goes on while nothing is heard of them.
    TimeGoesOn,
}

impl Lie {
    pub(crate) const ALL: [Self; 3] = [
        Self::NothingIsWritten,
        Self::NothingIsRead,
        Self::TimeGoesOn,
    ];
}
