//! The members by address, which of them are present, and for which something may be due.
//!
//! Every member that is handed out mutably is looked at by the next tick, and so is every
//! one with a time that has come. So the cost of a tick is what it has to do, and not a
//! look at all members: in a group of a thousand, a text is a thousand results with a tick
//! each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use p2pchat_model::{LeaveReason, PeerAddr};

use super::member::{Member, Presence};
use super::outbox::Packet;

/// The members, present and lost.
#[derive(Debug, Default)]
pub(super) struct Roster {
    by_address: BTreeMap<PeerAddr, Member>,
    present: BTreeSet<PeerAddr>,
    /// The lost ones, the longest lost first.
    lost: BTreeSet<(Duration, PeerAddr)>,
    /// Those that left and were forgotten since: others may still list them.
    left: BTreeSet<PeerAddr>,
    /// The members that may have changed since the last tick.
    changed: BTreeSet<PeerAddr>,
    /// Whether all may have.
    all_changed: bool,
    /// When something is due for a member: one time for each.
    due: BTreeSet<(Duration, PeerAddr)>,
    /// The same by address.
    due_at: BTreeMap<PeerAddr, Duration>,
}

impl Roster {
    pub(super) fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }

    pub(super) fn present(&self) -> &BTreeSet<PeerAddr> {
        &self.present
    }

    pub(super) fn get(&self, address: PeerAddr) -> Option<&Member> {
        self.by_address.get(&address)
    }

    pub(super) fn get_mut(&mut self, address: PeerAddr) -> Option<&mut Member> {
        let member = self.by_address.get_mut(&address)?;
        self.changed.insert(address);
        Some(member)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PeerAddr, &Member)> {
        let all = self.by_address.iter();
        all.map(|(address, member)| (*address, member))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (PeerAddr, &mut Member)> {
        self.all_changed = true;
        let all = self.by_address.iter_mut();
        all.map(|(address, member)| (*address, member))
    }

    /// Adds a member as it is.
    pub(super) fn insert(&mut self, address: PeerAddr, member: Member) {
        match member.presence {
            Presence::Present => {
                self.present.insert(address);
            }
            Presence::Lost { since, .. } => {
                self.lost.insert((since, address));
            }
        }
        self.left.remove(&address);
        self.by_address.insert(address, member);
        self.all_changed = true;
    }

    /// Makes an address a present member, whether it was known or not. Members that were
    /// not told of it before it was lost may have to be now.
    pub(super) fn admit(&mut self, address: PeerAddr, now: Duration) {
        let member = self
            .by_address
            .entry(address)
            .or_insert_with(|| Member::new(now));
        if let Presence::Lost { since, .. } = member.presence {
            self.lost.remove(&(since, address));
            member.restore(now);
        }
        self.present.insert(address);
        self.left.remove(&address);
        self.all_changed = true;
    }

    /// Notes that a former member left the chat.
    pub(super) fn note_left(&mut self, address: PeerAddr) {
        self.left.insert(address);
    }

    pub(super) fn has_left(&self, address: PeerAddr) -> bool {
        self.left.contains(&address)
    }

    pub(super) fn left_count(&self) -> usize {
        self.left.len()
    }

    /// Ends a member's presence, or changes why it has ended. Returns what was not sent.
    pub(super) fn lose(
        &mut self,
        address: PeerAddr,
        now: Duration,
        reason: LeaveReason,
    ) -> Vec<Packet> {
        let Some(member) = self.get_mut(address) else {
            return Vec::new();
        };
        let unsent = member.lose(now, reason);
        if let Presence::Lost { since, .. } = member.presence {
            self.lost.insert((since, address));
        }
        self.present.remove(&address);
        unsent
    }

    pub(super) fn remove(&mut self, address: PeerAddr) -> Option<Member> {
        let member = self.by_address.remove(&address)?;
        if let Presence::Lost { since, .. } = member.presence {
            self.lost.remove(&(since, address));
        }
        self.present.remove(&address);
        self.schedule(address, None);
        Some(member)
    }

    /// The longest lost member, and since when it is lost.
    pub(super) fn longest_lost(&self) -> Option<(Duration, PeerAddr)> {
        self.lost.first().copied()
    }

    pub(super) fn lost_count(&self) -> usize {
        self.lost.len()
    }

    /// The members for which something may be due now.
    pub(super) fn take_due(&mut self, now: Duration) -> BTreeSet<PeerAddr> {
        let mut members = std::mem::take(&mut self.changed);
        if std::mem::take(&mut self.all_changed) {
            members = self.by_address.keys().copied().collect();
        }
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        members.extend(due.map(|(_, address)| *address));
        members
    }

    /// Notes when something is due for a member that the tick is done with.
    pub(super) fn schedule(&mut self, address: PeerAddr, at: Option<Duration>) {
        self.changed.remove(&address);
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

    /// When something is due for any member.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(at, _)| *at)
    }
}

impl IntoIterator for Roster {
    type Item = (PeerAddr, Member);
    type IntoIter = std::collections::btree_map::IntoIter<PeerAddr, Member>;

    fn into_iter(self) -> Self::IntoIter {
        self.by_address.into_iter()
    }
}
