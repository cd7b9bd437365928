//! What one member has yet to be told of the others, and the notify in flight to it.

use std::collections::BTreeSet;
use std::time::Duration;

use p2pchat_model::PeerAddr;

use super::super::io::{Acknowledgement, SendId};

/// How often a notify is tried before the member counts as unreachable.
const NOTIFY_TRIES: u32 = 3;
/// The backoff before a notify is tried again; it quadruples.
const NOTIFY_BACKOFF: Duration = Duration::from_secs(1);
/// How often that backoff grows where a member can be reached but does not confirm: to some
/// four minutes.
const MAX_BACKOFF_GROWTH: u32 = 4;

/// What one member has yet to be told of the others.
#[derive(Debug, Default)]
pub(super) struct Introductions {
    /// The addresses that the member is not believed to know.
    unknown: BTreeSet<PeerAddr>,
    /// Whether the member's list lacks members, or may have some that ours lacks, so that
    /// the member is to get ours. Any notify carries it.
    pub(super) wants_list: bool,
    /// Whether the member ever sent a list with a notify.
    pub(super) sends_lists: bool,
    /// The notify in flight to the member, and the newcomer in it.
    in_flight: Option<(SendId, PeerAddr)>,
    /// How many notifies in a row have failed.
    failures: u32,
    /// How many notifies in a row were not confirmed.
    unconfirmed: u32,
    /// When the backoff ends.
    not_before: Option<Duration>,
}

impl Introductions {
    /// How many addresses the member is to be told of.
    pub(super) fn len(&self) -> usize {
        self.unknown.len()
    }

    pub(super) fn contains(&self, address: PeerAddr) -> bool {
        self.unknown.contains(&address)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = PeerAddr> {
        self.unknown.iter().copied()
    }

    /// Notes that the member is not believed to know these.
    pub(super) fn add(&mut self, addresses: impl Iterator<Item = PeerAddr>) {
        self.unknown.extend(addresses);
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&PeerAddr) -> bool) {
        self.unknown.retain(keep);
    }

    /// The backoff ends with the member's return.
    pub(super) fn restart(&mut self) {
        self.failures = 0;
        self.unconfirmed = 0;
        self.not_before = None;
    }

    /// The id of the notify in flight.
    pub(super) fn send_id(&self) -> Option<SendId> {
        self.in_flight.map(|(id, _)| id)
    }

    /// When the next notify may be sent, if it has to wait for a backoff alone.
    pub(super) fn backoff_until(&self) -> Option<Duration> {
        self.not_before.filter(|_| self.in_flight.is_none())
    }

    pub(super) fn may_send(&self, now: Duration) -> bool {
        self.in_flight.is_none() && self.not_before.is_none_or(|at| at <= now)
    }

    /// Notes that a notify with this newcomer is in flight.
    pub(super) fn sent(&mut self, id: SendId, newcomer: PeerAddr) {
        self.in_flight = Some((id, newcomer));
    }

    /// The newcomer in the notify of this id, which is no longer in flight.
    pub(super) fn arrived(&mut self, id: SendId) -> Option<PeerAddr> {
        let (_, newcomer) = self.in_flight.take_if(|(sent, _)| *sent == id)?;
        Some(newcomer)
    }

    /// A notify went out. If it was not confirmed, the member may not have read it: it gets
    /// our list, now or when its program proves to be one that reads lists.
    pub(super) fn succeeded(
        &mut self,
        now: Duration,
        newcomer: PeerAddr,
        taken: Acknowledgement,
        reads_lists: bool,
    ) {
        self.unknown.remove(&newcomer);
        self.failures = 0;
        self.wants_list = taken == Acknowledgement::Unconfirmed;
        self.unconfirmed = match taken {
            Acknowledgement::Confirmed => 0,
            Acknowledgement::Unconfirmed => self.unconfirmed + 1,
        };
        if self.unconfirmed > 0 && reads_lists {
            let growth = (self.unconfirmed - 1).min(MAX_BACKOFF_GROWTH);
            self.not_before = Some(now + NOTIFY_BACKOFF * 4_u32.pow(growth));
        }
    }

    /// A notify could not be sent. Whether it was tried often enough.
    pub(super) fn failed(&mut self, now: Duration) -> bool {
        self.failures += 1;
        let growth = self.failures.min(NOTIFY_TRIES) - 1;
        self.not_before = Some(now + NOTIFY_BACKOFF * 4_u32.pow(growth));
        self.failures >= NOTIFY_TRIES
    }
}
