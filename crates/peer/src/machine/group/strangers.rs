//! Packets of strangers: counted and shown, never acted on; held for a moment where the
//! sender may be about to become a member.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use p2pchat_model::{DropKind, DropReason, PeerAddr, Username};

use super::super::context::Context;
use super::super::io::Usage;
use super::super::people::People;
use super::{Group, Notify};

/// How long a packet of a stranger is held: the answer to our request, or the notify that
/// makes the sender a member, may be right behind it.
const HOLD: Duration = Duration::from_secs(5);
/// How many of them are held. When there are more, texts are evicted first, since they are
/// sent again, and the oldest of the address that has the most; packets of peers that are
/// asked for a chat this moment, or ask for one, go last.
const MAX_HELD: usize = 64;

/// A packet of an address that is not a member.
#[derive(Debug)]
pub(crate) struct StrangerPacket {
    pub(super) from: PeerAddr,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    /// To be acted on if the sender becomes a member.
    Notify(Notify),
    /// Refused already, and sent again by itself; held only so that no one is called a
    /// stranger who is none.
    Text(Username),
}

impl StrangerPacket {
    /// The address that sent it.
    pub(crate) fn from(&self) -> PeerAddr {
        self.from
    }

    /// Counts the packet as dropped, and shows it now and then.
    pub(super) fn count_drop(&self, cx: &mut Context, people: People<'_>) {
        let (name, kind) = match self.content {
            Content::Notify(_) => (people.person(self.from).name, DropKind::Notify),
            Content::Text(name) => (Some(name), DropKind::Text),
        };
        // The sender may have been blocked while this was held.
        let reason = match people.blocked_by(name, self.from) {
            Some(_) => DropReason::Blocked,
            None => DropReason::Stranger,
        };
        cx.count_drop(self.from, name, kind, reason);
    }
}

/// The packets of strangers that are held, oldest first.
#[derive(Debug, Default)]
pub(super) struct HeldPackets(VecDeque<Held>);

#[derive(Debug)]
struct Held {
    packet: StrangerPacket,
    until: Duration,
}

impl HeldPackets {
    /// All are held for equally long: the first is due first.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.0.front().map(|held| held.until)
    }

    pub(super) fn usage(&self) -> Usage {
        Usage::new(
            "packets of those who may become members",
            self.0.len(),
            MAX_HELD,
        )
    }

    /// Takes out the notifies of an address that has become a member, oldest first; its
    /// texts are dropped.
    pub(super) fn take_notifies(&mut self, from: PeerAddr) -> Vec<Notify> {
        let (taken, kept): (VecDeque<Held>, _) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|held| held.packet.from == from);
        self.0 = kept;
        taken
            .into_iter()
            .filter_map(|held| match held.packet.content {
                Content::Notify(notify) => Some(notify),
                Content::Text(_) => None,
            })
            .collect()
    }

    /// Takes out the packet to evict where there are too many.
    fn evict(&mut self, is_expected: impl Fn(PeerAddr) -> bool) -> Option<StrangerPacket> {
        if self.0.len() <= MAX_HELD {
            return None;
        }
        let mut of_each: BTreeMap<PeerAddr, usize> = BTreeMap::new();
        for held in &self.0 {
            *of_each.entry(held.packet.from).or_default() += 1;
        }
        let goes_first = |(at, held): &(usize, &Held)| {
            let StrangerPacket { from, content } = &held.packet;
            let is_text = matches!(content, Content::Text(_));
            let has = of_each.get(from).copied();
            (!is_expected(*from), is_text, has, Reverse(*at))
        };
        let (evicted, _) = self.0.iter().enumerate().max_by_key(goes_first)?;
        Some(self.0.remove(evicted)?.packet)
    }

    fn take_due(&mut self, now: Duration) -> Option<StrangerPacket> {
        let held = self.0.pop_front_if(|held| held.until <= now)?;
        Some(held.packet)
    }
}

impl Group {
    /// Holds a packet if its sender may become a member in a moment, and counts it as
    /// dropped otherwise. `is_accepting` is whether the sender may be accepting our chat
    /// request, `is_expected` whether a request to or from an address waits.
    pub(crate) fn hold(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        packet: StrangerPacket,
        is_accepting: bool,
        is_expected: impl Fn(PeerAddr) -> bool,
    ) {
        if self.roster.is_empty() && !is_accepting {
            return packet.count_drop(cx, people);
        }
        let until = cx.now.elapsed + HOLD;
        self.held.0.push_back(Held { packet, until });
        if let Some(evicted) = self.held.evict(is_expected) {
            evicted.count_drop(cx, people);
        }
    }

    /// Counts what has been held for long enough as dropped.
    pub(super) fn drop_due_packets(&mut self, cx: &mut Context, people: People<'_>) {
        while let Some(packet) = self.held.take_due(cx.now.elapsed) {
            packet.count_drop(cx, people);
        }
    }

    /// Counts all that is held as dropped: what was sent to the chat that the user leaves
    /// does not belong to the next one.
    pub(super) fn drop_held_packets(&mut self, cx: &mut Context, people: People<'_>) {
        for held in std::mem::take(&mut self.held.0) {
            held.packet.count_drop(cx, people);
        }
    }
}
