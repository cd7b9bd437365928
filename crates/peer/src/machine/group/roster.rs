//! The members by address, who of them is present, and for whom something may be due.
//!
//! Whoever is handed out to be changed is looked at by the next tick, and so is whoever has
//! a time that has come. So a tick costs what it has to do, and not a look at everybody:
//! in a group of a thousand, a text is a thousand results with a tick each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use p2pchat_model::{LeaveReason, PeerAddr};

use super::member::{Member, Part, Standing};

/// The members, present and lost.
#[derive(Debug, Default)]
pub(in super::super) struct Members {
    by_address: BTreeMap<PeerAddr, Member>,
    present: BTreeSet<PeerAddr>,
    /// Those who are lost, the longest lost first.
    lost: BTreeSet<(Duration, PeerAddr)>,
    /// Who may have changed since the last tick.
    touched: BTreeSet<PeerAddr>,
    /// Whether that may be everybody.
    all_touched: bool,
    /// When something is due for whom: one time for each.
    due: BTreeSet<(Duration, PeerAddr)>,
    /// The same by address.
    due_at: BTreeMap<PeerAddr, Duration>,
    /// How often a member was looked at: what the tests of the cost count.
    #[cfg(test)]
    visits: std::cell::Cell<usize>,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.by_address.len()
    }

    pub(super) fn present(&self) -> &BTreeSet<PeerAddr> {
        &self.present
    }

    pub(super) fn get(&self, address: PeerAddr) -> Option<&Member> {
        self.count(1);
        self.by_address.get(&address)
    }

    pub(super) fn get_mut(&mut self, address: PeerAddr) -> Option<&mut Member> {
        self.count(1);
        let member = self.by_address.get_mut(&address)?;
        self.touched.insert(address);
        Some(member)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PeerAddr, &Member)> {
        self.count(self.len());
        let all = self.by_address.iter();
        all.map(|(address, member)| (*address, member))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (PeerAddr, &mut Member)> {
        self.count(self.len());
        self.touch_all();
        let all = self.by_address.iter_mut();
        all.map(|(address, member)| (*address, member))
    }

    /// Makes somebody present, whether he was known or not. Whoever was not told of him
    /// before he was lost may have to be now.
    pub(super) fn admit(&mut self, address: PeerAddr, now: Duration) {
        self.count(1);
        let member = self
            .by_address
            .entry(address)
            .or_insert_with(|| Member::new(now));
        if let Standing::Lost { since, .. } = member.standing {
            self.lost.remove(&(since, address));
            member.return_at(now);
        }
        self.present.insert(address);
        self.touch_all();
    }

    /// Ends a member's presence, or changes why it has ended. What he has not been sent.
    pub(super) fn lose(
        &mut self,
        address: PeerAddr,
        now: Duration,
        reason: LeaveReason,
    ) -> VecDeque<Part> {
        let Some(member) = self.get_mut(address) else {
            return VecDeque::new();
        };
        let unsent = member.lose(now, reason);
        if let Standing::Lost { since, .. } = member.standing {
            self.lost.insert((since, address));
        }
        self.present.remove(&address);
        unsent
    }

    pub(super) fn remove(&mut self, address: PeerAddr) -> Option<Member> {
        let member = self.by_address.remove(&address)?;
        if let Standing::Lost { since, .. } = member.standing {
            self.lost.remove(&(since, address));
        }
        self.present.remove(&address);
        self.plan(address, None);
        Some(member)
    }

    /// Who was lost the longest ago, and when.
    pub(super) fn longest_lost(&self) -> Option<(Duration, PeerAddr)> {
        self.lost.first().copied()
    }

    pub(super) fn lost_count(&self) -> usize {
        self.lost.len()
    }

    fn touch_all(&mut self) {
        self.all_touched = true;
    }

    /// Those for whom something may be due now.
    pub(super) fn agenda(&mut self, now: Duration) -> BTreeSet<PeerAddr> {
        let mut agenda = std::mem::take(&mut self.touched);
        if std::mem::take(&mut self.all_touched) {
            self.count(self.len());
            agenda = self.by_address.keys().copied().collect();
        }
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        agenda.extend(due.map(|(_, address)| *address));
        agenda
    }

    /// Notes when something is due for somebody, whose turn is over.
    pub(super) fn plan(&mut self, address: PeerAddr, at: Option<Duration>) {
        self.touched.remove(&address);
        let before = match at {
            Some(at) => self.due_at.insert(address, at),
            None => self.due_at.remove(&address),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.due.remove(&(before, address));
        }
        self.due.extend(at.map(|at| (at, address)));
    }

    /// When something is due for any of them.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(at, _)| *at)
    }

    /// How often a member was looked at so far.
    #[cfg(test)]
    pub(super) fn visits(&self) -> usize {
        self.visits.get()
    }

    /// Counts looks at members.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "it counts in tests"))]
    pub(super) fn count(&self, visits: usize) {
        #[cfg(test)]
        self.visits.set(self.visits.get() + visits);
        #[cfg(not(test))]
        let _ = visits;
    }
}

impl IntoIterator for Members {
    type Item = (PeerAddr, Member);
    type IntoIter = std::collections::btree_map::IntoIter<PeerAddr, Member>;

    fn into_iter(self) -> Self::IntoIter {
        self.by_address.into_iter()
    }
}
