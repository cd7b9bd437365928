//! Who was lost: remembered for a while, and how much of it.

use std::collections::BTreeSet;
use std::time::Duration;

use p2pchat_model::PeerAddr;

use super::{Group, MAX_MEMBERS};

/// How long somebody who became unreachable is remembered and tried: long enough for a
/// cable, a lift or a restart, too short for his address to become somebody else's.
pub(super) const REMEMBER: Duration = Duration::from_secs(600);
/// How many who became unreachable are remembered: as many again.
pub(in super::super) const MAX_LOST: usize = MAX_MEMBERS;

impl Group {
    /// Who is to be forgotten: who was lost long ago, and the longest lost where there are
    /// too many.
    pub(super) fn long_lost(&self, now: Duration) -> Option<PeerAddr> {
        let (since, address) = self.members.longest_lost()?;
        let is_due = since + REMEMBER <= now || self.members.lost_count() > MAX_LOST;
        is_due.then_some(address)
    }

    /// Forgets whatever there was to tell of those who are remembered no more.
    pub(super) fn forget_untold(&mut self) {
        let known: BTreeSet<PeerAddr> = self.known().collect();
        for (_, member) in self.members.iter_mut() {
            member.untold.retain(|address| known.contains(address));
        }
    }

    /// How many are present, and how many are lost.
    pub(in super::super) fn counts(&self) -> (usize, usize) {
        (self.members.present().len(), self.members.lost_count())
    }

    /// How often a member was looked at so far.
    #[cfg(test)]
    pub(in super::super) fn visits(&self) -> usize {
        self.members.visits()
    }

    /// The most that any member is to be told of.
    pub(in super::super) fn most_untold(&self) -> usize {
        let counts = self.members.iter().map(|(_, member)| member.untold.len());
        counts.max().unwrap_or(0)
    }

    /// The most packets that wait for any member.
    pub(in super::super) fn longest_outbox(&self) -> usize {
        let counts = self.members.iter().map(|(_, member)| member.outbox.len());
        counts.max().unwrap_or(0)
    }
}
