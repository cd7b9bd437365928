//! One member: presence, outbox, and introductions.

use std::time::Duration;

use p2pchat_model::{LeaveReason, PeerAddr};

use super::super::io::SendId;
use super::introductions::Introductions;
use super::outbox::{Outbox, Packet};

/// How long to wait for a member's program to confirm, by closing, that it took a packet.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same for a program that is known to confirm: then it is the network that is slow,
/// and one that loses three packets of ten may take that long.
const LONG_PATIENCE: Duration = Duration::from_secs(30);
/// The same for a program that is known not to confirm.
const SHORT_PATIENCE: Duration = Duration::from_millis(300);

/// A member of the chat, or a lost one.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) presence: Presence,
    /// The member whose word alone is behind this one: until something was received from
    /// the address or taken there, nothing proves that there is a peer.
    pub(super) unverified_from: Option<PeerAddr>,
    /// When the member joined or came back.
    pub(super) since: Duration,
    /// Whether the member's program has taken a text since then: it has us in its chat.
    pub(super) has_taken_text: bool,
    /// Whether the member's program confirms that it took a packet; `None` until it is
    /// known.
    pub(super) confirms: Option<bool>,
    pub(super) introductions: Introductions,
    pub(super) outbox: Outbox,
}

/// Whether a member is in the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// On the chat_list.
    Present,
    /// No longer on it, not by the user's wish.
    Lost {
        since: Duration,
        reason: LeaveReason,
    },
}

impl Member {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            presence: Presence::Present,
            unverified_from: None,
            since: now,
            has_taken_text: false,
            confirms: None,
            introductions: Introductions::default(),
            outbox: Outbox::default(),
        }
    }

    pub(super) fn is_present(&self) -> bool {
        self.presence == Presence::Present
    }

    /// Whether the member was lost only because it could not be reached: it may come back
    /// by itself, and is tried with each text.
    pub(super) fn is_unreachable(&self) -> bool {
        let unreachable = LeaveReason::Unreachable;
        matches!(self.presence, Presence::Lost { reason, .. } if reason == unreachable)
    }

    /// Makes a lost member present again.
    pub(super) fn restore(&mut self, now: Duration) {
        self.presence = Presence::Present;
        self.since = now;
        self.has_taken_text = false;
        self.introductions.restart();
    }

    /// Ends the member's presence, or changes why it has ended. Returns what was not sent.
    pub(super) fn lose(&mut self, now: Duration, reason: LeaveReason) -> Vec<Packet> {
        let since = match self.presence {
            Presence::Present => now,
            Presence::Lost { since, .. } => since,
        };
        self.presence = Presence::Lost { since, reason };
        self.outbox.abort()
    }

    /// How long to wait for the member's program to confirm, by closing, that it took a
    /// packet.
    pub(super) fn patience(&self) -> Duration {
        match self.confirms {
            Some(false) => SHORT_PATIENCE,
            Some(true) => LONG_PATIENCE,
            None => PATIENCE,
        }
    }

    /// Whether the member's program is known not to be a legacy client, which reads no
    /// lists.
    pub(super) fn reads_lists(&self) -> bool {
        self.introductions.sends_lists || self.confirms == Some(true)
    }

    /// The ids of what is in flight to the member.
    pub(super) fn send_ids(&self) -> impl Iterator<Item = SendId> {
        let notify = self.introductions.send_id();
        self.outbox.send_ids().chain(notify)
    }

    /// When a packet is to be sent to the member again; `has_introduction` is whether a
    /// notify is due.
    pub(super) fn deadline(&self, has_introduction: impl FnOnce() -> bool) -> Option<Duration> {
        let notify = self
            .introductions
            .backoff_until()
            .filter(|_| self.is_present() && has_introduction());
        [notify, self.outbox.retry_at()].into_iter().flatten().min()
    }
}
