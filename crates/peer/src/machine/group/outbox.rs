//! The outbox of one member: packets of texts in order, one in flight at a time.

use std::collections::VecDeque;
use std::time::Duration;

use p2pchat_model::MessageId;
use p2pchat_protocol::Message;

use super::super::io::SendId;

/// How many packets an outbox may hold. A member who is that far behind is not reading.
pub(super) const MAX_OUTBOX: usize = 1024;
/// How long to wait before a refused packet is sent again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How often a refused packet is sent again.
const MAX_RETRIES: u32 = 5;

/// The packets that a member has yet to be sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Packet>,
    /// The first packet of the queue, if it is in flight.
    in_flight: Option<SendId>,
    /// A packet that was in flight when the member was lost. Nothing follows it before its
    /// result is there, so that the order holds if the member is back in a moment.
    stale: Option<SendId>,
    /// How often the first packet was refused.
    retries: u32,
    retry_at: Option<Duration>,
    /// Whether a packet of the text that is being sent was taken without a confirmation.
    unconfirmed: bool,
}

/// One packet of a text.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) id: MessageId,
    pub(super) message: Message,
    /// Whether the text ends with it.
    pub(super) is_last: bool,
    /// Whether the user is not told if it is lost: the text was sent while the member was
    /// unreachable and others were present.
    pub(super) is_best_effort: bool,
}

impl Packet {
    /// Whether the user is told if this packet is lost.
    pub(super) fn reports_failure(&self) -> bool {
        self.is_last && !self.is_best_effort
    }
}

impl Outbox {
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_overfull(&self) -> bool {
        self.len() > MAX_OUTBOX
    }

    pub(super) fn has_room_for(&self, more: usize) -> bool {
        self.len() + more <= MAX_OUTBOX
    }

    pub(super) fn extend(&mut self, packets: impl Iterator<Item = Packet>) {
        self.queue.extend(packets);
    }

    /// The packet to send now, if there is one and nothing is in flight.
    pub(super) fn due(&self, now: Duration) -> Option<&Packet> {
        let waits = self.retry_at.is_some_and(|at| at > now);
        let is_blocked = self.in_flight.is_some() || self.stale.is_some() || waits;
        self.queue.front().filter(|_| !is_blocked)
    }

    /// Notes that the first packet is in flight.
    pub(super) fn sent(&mut self, id: SendId) {
        self.in_flight = Some(id);
        self.retry_at = None;
    }

    /// Notes the result of a send. Whether it is that of the first packet.
    pub(super) fn arrived(&mut self, id: SendId) -> bool {
        let was_stale = self.stale.take_if(|sent| *sent == id).is_some();
        !was_stale && self.in_flight.take_if(|sent| *sent == id).is_some()
    }

    /// The ids of what is in flight.
    pub(super) fn send_ids(&self) -> impl Iterator<Item = SendId> {
        [self.in_flight, self.stale].into_iter().flatten()
    }

    pub(super) fn retry_at(&self) -> Option<Duration> {
        self.retry_at
    }

    /// Plans to send the refused first packet again; `false` if that was done often enough.
    pub(super) fn retry(&mut self, now: Duration) -> bool {
        if self.retries >= MAX_RETRIES {
            return false;
        }
        self.retries += 1;
        self.retry_at = Some(now + RETRY_PAUSE);
        true
    }

    /// Takes out the first packet, which the member has taken. Whether the text was
    /// confirmed so far.
    pub(super) fn pop_taken(&mut self, confirmed: bool) -> Option<(Packet, bool)> {
        self.unconfirmed |= !confirmed;
        self.retries = 0;
        let packet = self.queue.pop_front()?;
        let confirmed = !self.unconfirmed;
        if packet.is_last {
            self.reset_attempt();
        }
        Some((packet, confirmed))
    }

    /// Takes out the first packet, which is not sent again.
    pub(super) fn pop(&mut self) -> Option<Packet> {
        self.queue.pop_front()
    }

    /// Empties the outbox, because the member was lost.
    pub(super) fn abort(&mut self) -> Vec<Packet> {
        self.stale = self.in_flight.take().or(self.stale);
        self.reset_attempt();
        self.take_queue()
    }

    pub(super) fn take_queue(&mut self) -> Vec<Packet> {
        std::mem::take(&mut self.queue).into()
    }

    fn reset_attempt(&mut self) {
        self.retries = 0;
        self.retry_at = None;
        self.unconfirmed = false;
    }
}
