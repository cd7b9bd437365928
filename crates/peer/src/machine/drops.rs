//! What others tried and was dropped: counted by address, and told without becoming a
//! flood of its own.

use std::collections::BTreeMap;

use p2pchat_model::{DropKind, DropReason, Dropped, Event, PeerAddr, Timestamp, Username};

use super::Machine;

/// How many counts there are at the most; what comes from further addresses is counted
/// together. Whoever has that many addresses would else fill the conversation with lines
/// about them.
const MAX_COUNTS: usize = 64;

/// How many counts there are with those of what is counted together.
pub(super) const MAX_TALLIES: usize = 2 * MAX_COUNTS;

/// What was dropped so far.
#[derive(Debug, Default)]
pub(super) struct Tallies(BTreeMap<(Option<PeerAddr>, DropKind, DropReason), Tally>);

#[derive(Debug, Default)]
struct Tally {
    count: u64,
    /// The count that the user was last told.
    told: u64,
    name: Option<Username>,
    at: Timestamp,
}

impl Tallies {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn entry(
        &mut self,
        from: Option<PeerAddr>,
        tried: DropKind,
        why: DropReason,
    ) -> (Option<PeerAddr>, &mut Tally) {
        let known = self.0.contains_key(&(from, tried, why));
        let from = from.filter(|_| known || self.0.len() < MAX_COUNTS);
        (from, self.0.entry((from, tried, why)).or_default())
    }
}

impl Machine {
    /// Counts something that was dropped, and tells the user at powers of ten.
    pub(super) fn dropped(
        &mut self,
        from: PeerAddr,
        name: Option<Username>,
        tried: DropKind,
        why: DropReason,
    ) {
        self.count_dropped(Some(from), name, tried, why, 1);
    }

    /// Counts `more` that was dropped. Where that leaps over a power of ten, it is the
    /// power that the user is told.
    pub(super) fn count_dropped(
        &mut self,
        from: Option<PeerAddr>,
        name: Option<Username>,
        tried: DropKind,
        why: DropReason,
        more: u64,
    ) {
        let at = self.now.wall;
        let (address, tally) = self.tallies.entry(from, tried, why);
        let before = tally.count.checked_ilog10();
        tally.count = tally.count.saturating_add(more);
        tally.name = name.filter(|_| address.is_some()).or(tally.name);
        tally.at = at;
        let power = tally.count.checked_ilog10();
        if power == before {
            return;
        }
        let count = 10_u64.pow(power.unwrap_or_default());
        tally.told = count;
        let name = tally.name;
        self.emit(Event::Dropped(Dropped {
            at,
            name,
            address,
            tried,
            why,
            count,
        }));
    }

    /// Tells each count that has grown since it was told.
    pub(super) fn tell_dropped(&mut self) {
        let grown = |((address, tried, why), tally): (
            &(Option<PeerAddr>, DropKind, DropReason),
            &mut Tally,
        )| {
            (tally.told != tally.count).then(|| {
                tally.told = tally.count;
                Event::Dropped(Dropped {
                    at: tally.at,
                    name: tally.name,
                    address: *address,
                    tried: *tried,
                    why: *why,
                    count: tally.count,
                })
            })
        };
        let events: Vec<Event> = self.tallies.0.iter_mut().filter_map(grown).collect();
        for event in events {
            self.emit(event);
        }
    }
}
