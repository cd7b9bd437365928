//! How much a machine holds of what others can make grow.

use super::group::{strangers, texts};
use super::{Machine, drops, group, requests, session};

/// How much a machine holds of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// What it is, for people.
    pub what: &'static str,
    /// How many there are now.
    pub count: usize,
    /// How many there may be.
    pub limit: usize,
}

impl Machine {
    /// What others can make this machine hold, and the limit of each: for figures, and
    /// for tests, which see that nothing grows beyond.
    #[must_use]
    pub fn holdings(&self) -> Vec<Holding> {
        let held = |what, count, limit| Holding { what, count, limit };
        let (present, lost) = self.group.counts();
        vec![
            held("members", present, group::MAX_MEMBERS),
            held("lost members", lost, group::MAX_LOST),
            held(
                "addresses that a member is to be told of",
                self.group.most_untold(),
                group::MAX_MEMBERS + group::MAX_LOST,
            ),
            held(
                "packets for a member",
                self.group.longest_outbox(),
                texts::MAX_OUTBOX,
            ),
            held(
                "chat requests to others",
                self.requests.outgoing_count(),
                requests::MAX_OUTGOING,
            ),
            held(
                "questions to the registry",
                self.session.asked_count(),
                session::MOST_ASKED,
            ),
            held(
                "packets of those who may become members",
                self.strangers.held_count(),
                strangers::MAX_HELD,
            ),
            held(
                "counts of what was dropped",
                self.tallies.len(),
                drops::MAX_TALLIES,
            ),
        ]
    }
}
