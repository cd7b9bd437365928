//! What those outside the chat try: counted and shown, never carried out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use p2pchat_model::{DropKind, DropReason, PeerAddr, Username};
use p2pchat_protocol::ChatList;

use super::super::Machine;

/// How long a packet from somebody who is no member yet is held: the answer to our
/// request, or the notify that makes him a member, may be right behind it.
const HOLD: Duration = Duration::from_secs(5);
/// How many of them are held. When there are more, texts go first, since they are sent
/// again, and the oldest of whoever has the most; what comes from those who are asked for
/// a chat this moment, or ask for one, goes last.
pub(in super::super) const MAX_HELD: usize = 64;

/// Strangers, and those who may turn out to be none.
#[derive(Debug, Default)]
pub(in super::super) struct Strangers {
    held: VecDeque<Held>,
}

/// "This newcomer joined us, and these are all of us."
#[derive(Debug)]
pub(in super::super) struct Notify {
    pub(in super::super) newcomer: PeerAddr,
    pub(in super::super) members: ChatList,
}

/// What somebody sent who is no member yet.
#[derive(Debug)]
pub(in super::super) enum Early {
    /// To be carried out if he becomes one.
    Notify(Notify),
    /// Refused already, and sent again by itself; held only so that nobody is called a
    /// stranger who is none.
    Text(Username),
}

#[derive(Debug)]
struct Held {
    from: PeerAddr,
    early: Early,
    until: Duration,
}

impl Strangers {
    /// They were held for equally long: the first is due first.
    pub(in super::super) fn deadline(&self) -> Option<Duration> {
        self.held.front().map(|held| held.until)
    }

    /// The notifies of somebody who has become a member, oldest first.
    pub(in super::super) fn release(&mut self, from: PeerAddr) -> Vec<Notify> {
        let (released, kept): (VecDeque<Held>, _) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|held| held.from == from);
        self.held = kept;
        released
            .into_iter()
            .filter_map(|held| match held.early {
                Early::Notify(notify) => Some(notify),
                Early::Text(_) => None,
            })
            .collect()
    }

    pub(in super::super) fn held_count(&self) -> usize {
        self.held.len()
    }

    /// Takes out what has to go where there is too much; of those who are expected last.
    fn spare_one(&mut self, is_expected: impl Fn(PeerAddr) -> bool) -> Option<Held> {
        if self.held.len() <= MAX_HELD {
            return None;
        }
        let mut of_each: BTreeMap<PeerAddr, usize> = BTreeMap::new();
        for held in &self.held {
            *of_each.entry(held.from).or_default() += 1;
        }
        let goes_first = |(at, held): &(usize, &Held)| {
            let is_text = matches!(held.early, Early::Text(_));
            let has = of_each.get(&held.from).copied();
            (!is_expected(held.from), is_text, has, Reverse(*at))
        };
        let (spared, _) = self.held.iter().enumerate().max_by_key(goes_first)?;
        self.held.remove(spared)
    }

    fn take_due(&mut self, now: Duration) -> Option<Held> {
        let is_due = self.held.front().is_some_and(|held| held.until <= now);
        is_due.then(|| self.held.pop_front()).flatten()
    }
}

impl Machine {
    pub(in super::super) fn strangers_tick(&mut self) {
        while let Some(held) = self.strangers.take_due(self.now.elapsed) {
            self.stranger(held.from, &held.early);
        }
    }

    /// The user left: what was said to the chat that he was in is not heard in the next
    /// one.
    pub(in super::super) fn dismiss_held(&mut self) {
        for held in std::mem::take(&mut self.strangers.held) {
            self.stranger(held.from, &held.early);
        }
    }

    /// Holds what somebody sent in case he becomes a member in a moment. One who can
    /// not is a stranger at once.
    pub(in super::super) fn hold(&mut self, from: PeerAddr, early: Early) {
        let may_become = self.group.knows_anybody() || self.requests.is_waiting_for(from);
        if !may_become {
            return self.stranger(from, &early);
        }
        self.strangers.held.push_back(Held {
            from,
            early,
            until: self.now.elapsed + HOLD,
        });
        let requests = &self.requests;
        let is_expected = |address| requests.is_waiting_for(address) || requests.is_from(address);
        if let Some(spared) = self.strangers.spare_one(is_expected) {
            self.stranger(spared.from, &spared.early);
        }
    }

    /// Counts what a stranger tried, and shows it now and then.
    pub(in super::super) fn stranger(&mut self, from: PeerAddr, early: &Early) {
        let (name, tried) = match early {
            Early::Notify(_) => (None, DropKind::Notify),
            Early::Text(name) => (Some(*name), DropKind::Text),
        };
        // He may have been blocked while this was held.
        let why = match self.blocked_by(name, from) {
            Some(_) => DropReason::Blocked,
            None => DropReason::Stranger,
        };
        self.dropped(from, name, tried, why);
    }
}
