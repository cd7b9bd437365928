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
    pub(super) sign_ins: u64,
    pub(super) statuses: u64,
    /// A binding was changed by another registry between a read and a write.
    pub(super) overtaken: u64,
    /// A primary died with bindings that no majority had.
    pub(super) unknown: u64,
    pub(super) refused: u64,
    pub(super) resets: u64,
    pub(super) ended: u64,
    /// A subscriber had to begin again.
    pub(super) lags: u64,
}

impl Troubles {
    fn all(&mut self) -> [&mut u64; 17] {
        [
            &mut self.logins,
            &mut self.moves,
            &mut self.logouts,
            &mut self.vanished,
            &mut self.kills,
            &mut self.elections,
            &mut self.cuts,
            &mut self.drops,
            &mut self.clocks,
            &mut self.sign_ins,
            &mut self.statuses,
            &mut self.overtaken,
            &mut self.unknown,
            &mut self.refused,
            &mut self.resets,
            &mut self.ended,
            &mut self.lags,
        ]
    }

    pub(crate) fn all_happened(mut self) -> bool {
        self.all().iter().all(|count| **count > 0)
    }
}

impl AddAssign for Troubles {
    fn add_assign(&mut self, mut other: Self) {
        for (count, more) in self.all().into_iter().zip(other.all()) {
            *count += *more;
        }
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
    /// One registry never takes note of having heard everything.
    TimeStandsStill,
    /// A sign-in on a device is no further ahead than a change of its status.
    SmallSteps,
    /// A registry whose binding was overtaken takes that for its own.
    OvertakenIsMine,
    /// A binding is acknowledged before a majority has it.
    AcknowledgedEarly,
    /// The document of a name is deleted where its key is reset.
    ResetDeletes,
    /// No registry looks again at the bindings of who is signed in.
    NothingIsRechecked,
    /// One subscriber loses deltas.
    DeltasAreLost,
}

impl Lie {
    pub(crate) const ALL: [Self; 10] = [
        Self::NothingIsWritten,
        Self::NothingIsRead,
        Self::TimeGoesOn,
        Self::TimeStandsStill,
        Self::SmallSteps,
        Self::OvertakenIsMine,
        Self::AcknowledgedEarly,
        Self::ResetDeletes,
        Self::NothingIsRechecked,
        Self::DeltasAreLost,
    ];
}
