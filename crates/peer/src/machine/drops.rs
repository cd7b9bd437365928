//! Counters of dropped packets by address, reported without becoming a flood of their own.

use std::collections::BTreeMap;

use p2pchat_model::{DropKind, DropReason, Dropped, PeerAddr, Timestamp, Username};

use super::io::Usage;

/// How many counters have an address of their own; what comes from further addresses is
/// counted together. An attacker with that many addresses would otherwise fill the
/// conversation with lines about them.
const MAX_ADDRESSED: usize = 64;

/// How many counters there are with those that are shared by several addresses.
const MAX_COUNTERS: usize = 2 * MAX_ADDRESSED;

/// The packets that were dropped so far.
#[derive(Debug, Default)]
pub(super) struct DropCounters(BTreeMap<Key, Counter>);

type Key = (Option<PeerAddr>, DropKind, DropReason);

#[derive(Debug, Default)]
struct Counter {
    count: u64,
    /// The count that the user was last told.
    reported: u64,
    name: Option<Username>,
    at: Timestamp,
}

impl Counter {
    fn report(&mut self, (address, tried, why): Key, count: u64) -> Dropped {
        self.reported = count;
        Dropped {
            at: self.at,
            name: self.name,
            address,
            tried,
            why,
            count,
        }
    }
}

impl DropCounters {
    /// Counts `more` dropped packets. What to tell the user, if a power of ten was reached
    /// or passed: that power.
    pub(super) fn count(
        &mut self,
        at: Timestamp,
        from: Option<PeerAddr>,
        name: Option<Username>,
        kind: DropKind,
        reason: DropReason,
        more: u64,
    ) -> Option<Dropped> {
        let is_known = self.0.contains_key(&(from, kind, reason));
        let address = from.filter(|_| is_known || self.0.len() < MAX_ADDRESSED);
        let key = (address, kind, reason);
        let counter = self.0.entry(key).or_default();
        let before = counter.count.checked_ilog10();
        counter.count = counter.count.saturating_add(more);
        counter.name = name.filter(|_| address.is_some()).or(counter.name);
        counter.at = at;
        let power = counter.count.checked_ilog10();
        let count = 10_u64.pow(power.unwrap_or_default());
        (power != before).then(|| counter.report(key, count))
    }

    /// Every counter that has grown since the user was told of it.
    pub(super) fn report(&mut self) -> Vec<Dropped> {
        self.0
            .iter_mut()
            .filter(|(_, counter)| counter.reported != counter.count)
            .map(|(key, counter)| counter.report(*key, counter.count))
            .collect()
    }

    pub(super) fn usage(&self) -> Usage {
        Usage::new("counts of what was dropped", self.0.len(), MAX_COUNTERS)
    }
}
