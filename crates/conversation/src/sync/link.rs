//! What one session has to say and to ask about one conversation.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use p2pchat_protocol::v2::conversation::JoinId;

use super::frame::{Ending, Item, Short, Want};
use crate::replica::{Replica, Role};
use crate::roster::{MAX_JOINS, MAX_PEOPLE};

/// See the module. It lives as long as the session: no memory of what the other side holds
/// survives that.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    pub(super) owes: Owes,
    /// When they were told last; without it they are told at once.
    pub(super) told: Option<u64>,
    /// Whether both are in.
    pub(super) is_shared: bool,
    /// Whether they have told what they hold, by items or by a digest that agrees.
    pub(super) heard: bool,
    /// The hash of their roster, if it was not that of this device.
    pub(super) roster: Option<Short>,
    /// What they hold of logs, as far as it may be of use.
    pub(super) items: BTreeMap<JoinId, Item>,
    /// What they were asked for and have not answered.
    pub(super) asked: Option<Asked>,
    /// Whether they left the last want unanswered, and have said nothing since.
    pub(super) is_silent: bool,
    /// Below which position of a log both hold the same, while a fork is looked for.
    agreed: BTreeMap<JoinId, u64>,
    /// Entries that they are asked for once more: so that they look at their signatures, or give the
    /// bodies that are missing here.
    pub(super) doubts: BTreeSet<(JoinId, u64)>,
    /// Those whose bodies they were asked for.
    asked_body: BTreeSet<(JoinId, u64)>,
    /// From which position of a log on they have nothing that is missing here.
    tried: BTreeMap<JoinId, u64>,
    /// When each log had its turn.
    turns: BTreeMap<JoinId, u64>,
    turn: u64,
}

/// What they are to be told.
#[derive(Debug, Clone, Default)]
pub(super) struct Owes {
    /// A digest of all.
    pub(super) digest: bool,
    /// All items.
    pub(super) all: bool,
    /// The items of these logs.
    pub(super) items: BTreeSet<JoinId>,
    /// That their items are wanted.
    pub(super) question: bool,
}

impl Owes {
    pub(super) fn is_nothing(&self) -> bool {
        !self.digest && !self.all && self.items.is_empty()
    }
}

/// A want that is open.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) want: Want,
    /// When.
    pub(super) since: u64,
    /// Whether it has brought something.
    pub(super) was_of_use: bool,
    /// Whether a fork is looked for.
    pub(super) is_search: bool,
}

impl Link {
    /// They have told what they hold of a log.
    pub(super) fn offer(&mut self, item: Item) {
        // Of logs that are not known here yet there are no more than may be known.
        if self.items.len() < MAX_PEOPLE * MAX_JOINS || self.items.contains_key(&item.join) {
            self.tried.remove(&item.join);
            self.items.insert(item.join, item);
        }
    }

    /// They hold a log of which bodies are missing here without a reason that is seen: each is asked
    /// for once.
    pub(super) fn ask_bodies(&mut self, replica: &Replica, join: &JoinId) {
        for position in replica.doubtful(join) {
            if self.asked_body.insert((*join, position)) {
                self.doubts.insert((*join, position));
            }
        }
    }

    /// Whether there are such bodies that they were not asked for yet.
    pub(super) fn may_have_bodies(&self, replica: &Replica) -> bool {
        replica.membership().logs.keys().any(|join| {
            let mut doubtful = replica.doubtful(join);
            doubtful.any(|position| !self.asked_body.contains(&(*join, position)))
        })
    }

    /// What to ask for next. `is_open` tells whether others were asked for that part of a log.
    pub(super) fn next_want(
        &mut self,
        replica: &Replica,
        own_roster: Short,
        is_open: impl Fn(&JoinId, &Range<u64>) -> bool,
    ) -> Option<Want> {
        if self.roster.is_some_and(|theirs| theirs != own_roster) {
            let ids = replica.roster_ids().map(|id| Short::from(*id));
            return Some(Want::Roster(ids.collect()));
        }
        if !matches!(replica.own_role(), Role::Member(_)) {
            return None;
        }
        if let Some((join, position)) = self.doubts.pop_first() {
            let range = position..position + 1;
            return Some(Want::Log { join, range });
        }
        let holds_none = || {
            let mut logs = self.items.keys().filter_map(|join| replica.log(join));
            logs.all(|log| log.is_empty() && log.end().is_none())
        };
        let has_some = |item: &Item| {
            item.next > item.lowest && replica.membership().logs.contains_key(&item.join)
        };
        if self.items.values().any(has_some) && holds_none() {
            return Some(Want::Newest);
        }
        let (join, want) = self.next_of_logs(replica, is_open)?;
        self.turn += 1;
        self.turns.insert(join, self.turn);
        Some(want)
    }

    /// The want about a log, in turns.
    fn next_of_logs(
        &mut self,
        replica: &Replica,
        is_open: impl Fn(&JoinId, &Range<u64>) -> bool,
    ) -> Option<(JoinId, Want)> {
        let mut useless = Vec::new();
        let mut wants = Vec::new();
        for (join, item) in &self.items {
            let agreed = self.agreed.get(join).copied().unwrap_or(item.lowest);
            let tried = self.tried.get(join).copied().unwrap_or(u64::MAX);
            match want_of(replica, item, agreed, tried) {
                Some(want) => wants.push((join, item, want)),
                None => useless.push(*join),
            }
        }
        wants.retain(|(join, _, want)| match want {
            Want::Log { range, .. } => !is_open(join, range),
            _ => true,
        });
        let first = wants.into_iter().min_by_key(|(join, item, _)| {
            let turn = self.turns.get(*join).copied().unwrap_or(0);
            (turn, std::cmp::Reverse(item.clock))
        });
        let first = first.map(|(join, _, want)| (*join, want));
        for join in useless {
            self.items.remove(&join);
            self.agreed.remove(&join);
        }
        first
    }

    /// What they were asked for is answered. What was of no use is not asked for again before they
    /// tell it once more.
    pub(super) fn answered(&mut self) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        if asked.was_of_use {
            return;
        }
        match asked.want {
            Want::Roster(_) => self.roster = None,
            Want::Newest => self.items.clear(),
            Want::Log { join, range } if asked.is_search => {
                self.found_same(join, range.end);
            }
            Want::Log { join, range } => {
                self.tried.insert(join, range.start);
            }
            Want::Proof(join) => {
                if let Some(item) = self.items.get_mut(&join) {
                    item.end = None;
                }
            }
        }
    }

    /// Both hold the same entry below this position of a log, in which a fork is looked for.
    pub(super) fn found_same(&mut self, join: JoinId, position: u64) {
        if let Some(agreed) = self.agreed.get_mut(&join) {
            *agreed = position.max(*agreed);
        }
    }

    /// Whether a want looks for the fork of a log.
    pub(super) fn is_search(&mut self, replica: &Replica, want: &Want) -> bool {
        let Want::Log { join, .. } = want else {
            return false;
        };
        let above = self
            .items
            .get(join)
            .and_then(|item| suspected(replica, item));
        let agreed = self.agreed.get(join).copied().unwrap_or(0);
        if above.is_none_or(|above| agreed >= above) {
            return false;
        }
        let lowest = self.items.get(join).map_or(0, |item| item.lowest);
        self.agreed.entry(*join).or_insert(lowest);
        true
    }
}

/// What to ask for about a log of which they hold this. Up to `agreed` both hold the same, and from
/// `tried` on they have nothing that is missing here.
fn want_of(replica: &Replica, item: &Item, agreed: u64, tried: u64) -> Option<Want> {
    let join = item.join;
    if !replica.membership().logs.contains_key(&join) {
        return None;
    }
    let log = replica.log(&join);
    let known = log.and_then(|log| log.end()).map(crate::log::End::rank);
    // Two that are not the lowest may be so together.
    let is_of_use = |end: &Ending| {
        known.is_none_or(|known| {
            (end.position, !end.is_lowest) < known || (end.position, true) == known
        })
    };
    if item.end.as_ref().is_some_and(is_of_use) {
        return Some(Want::Proof(join));
    }
    if let Some(above) = suspected(replica, item).filter(|above| agreed < *above) {
        let middle = agreed + (above - agreed) / 2;
        return Some(Want::Log {
            join,
            range: middle..middle + 1,
        });
    }
    let lowest = if item.has_older { 0 } else { item.lowest };
    let within = lowest..item.next.min(tried).min(replica.limit(&join));
    let Some(log) = log else {
        let range = within;
        return (!range.is_empty()).then_some(Want::Log { join, range });
    };
    let mut range = log.missing(within)?;
    // With the entry below it: if nobody can close the gap, a fork is found there.
    if let Some(below) = range.start.checked_sub(1)
        && log.get(below).is_some()
    {
        range.start = below;
    }
    Some(Want::Log { join, range })
}

/// Below which position a fork is to be looked for: their newest entry is another than the one
/// held there, or the log ends without the lowest proof.
fn suspected(replica: &Replica, item: &Item) -> Option<u64> {
    let log = replica.log(&item.join)?;
    let at = item.next.checked_sub(1)?;
    if log
        .get(at)
        .is_some_and(|held| Short::from(held.id) != item.newest)
    {
        return Some(item.next);
    }
    let end = log.end().filter(|end| !end.is_lowest())?;
    Some(end.position())
}
