//! Who was lost: remembered for a while, and how much of it.

use std::collections::BTreeSet;
use std::time::Duration;

use p2pchat_model::PeerAddr;

use super::{Group, MAX_MEMBERS, Standing};

/// How long somebody who became unreachable is remembered and tried: long enough for a
/// cable, a lift or a restart, too short for his address to become somebody else's.
pub(super) const REMEMBER: Duration = Duration::from_secs(600);
/// How many who became unreachable are remembered: as many again.
pub(in super::super) const MAX_LOST: usize = MAX_MEMBERS;

impl Group {
    /// Who is to be forgotten: who was lost long ago, and the longest lost where there are
    /// too many.
    pub(super) fn long_lost(&self, now: Duration) -> Vec<PeerAddr> {
        let mut lost: Vec<(Duration, PeerAddr)> = self
            .members
            .iter()
            .filter_map(|(address, member)| match member.standing {
                Standing::Present => None,
                Standing::Lost { since, .. } => Some((since, *address)),
            })
            .collect();
        lost.sort();
        let beyond = lost.len().saturating_sub(MAX_LOST);
        let is_due = |since: Duration| since + REMEMBER <= now;
        lost.into_iter()
            .enumerate()
            .filter(|(at, (since, _))| *at < beyond || is_due(*since))
            .map(|(_, (_, address))| address)
            .collect()
    }

    /// Forgets these. Whoever is remembered no more is no news to anybody.
    pub(super) fn forget_all(&mut self, addresses: &[PeerAddr]) {
        for address in addresses {
            self.members.remove(address);
        }
        let known: BTreeSet<PeerAddr> = self.members.keys().copied().collect();
        for member in self.members.values_mut() {
            member.untold.retain(|address| known.contains(address));
        }
    }

    /// How many are present, and how many are lost.
    pub(in super::super) fn counts(&self) -> (usize, usize) {
        let present = self.present().count();
        (present, self.members.len() - present)
    }

    /// The most that any member is to be told of.
    pub(in super::super) fn most_untold(&self) -> usize {
        let counts = self.members.values().map(|member| member.untold.len());
        counts.max().unwrap_or(0)
    }

    /// The most packets that wait for any member.
    pub(in super::super) fn longest_outbox(&self) -> usize {
        let counts = self.members.values().map(|member| member.outbox.len());
        counts.max().unwrap_or(0)
    }
}
