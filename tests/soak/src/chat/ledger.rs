//! What was sent, what the senders were told of it, and what the others were shown.

use std::collections::{BTreeMap, HashMap};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use p2pchat_model::{Delivery, DeliveryState, Message, MessageId, PeerAddr, Username};

use super::words::{self, Piece};
use crate::Durations;

/// The number of a user.
pub(super) type User = usize;

/// Everything that was sent and shown.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    by_name: HashMap<Username, User>,
    by_address: HashMap<PeerAddr, User>,
    /// By speaker and number.
    pub(super) texts: HashMap<(User, u32), Text>,
    pub(super) received: Vec<Received>,
    /// From the command to send a text until a member was shown all of it.
    pub(super) latencies: Durations,
    pub(super) errors: Errors,
}

/// A text that a user was told to send.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) asked: Instant,
    /// How many marks it has.
    pub(super) marks: u16,
    /// Whether the sender's program says that it was sent.
    pub(super) said: bool,
    /// The delivery status to each receiver, by the sender's program.
    pub(super) deliveries_to: BTreeMap<User, DeliveryState>,
}

/// What one user was shown, as far as it is known, by the ids of their own program.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) heard: BTreeMap<MessageId, Heard>,
    own: HashMap<MessageId, u32>,
    last_live: MessageId,
    /// The number of the first text that the user was told to send in this life of the program.
    next: u32,
    /// When the program was started, as an id: ids are microseconds.
    starts: Vec<MessageId>,
}

/// A line that a user was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) speaker: User,
    pub(super) piece: Piece,
}

/// Errors: each has to stay 0.
#[derive(Debug, Default)]
pub(super) struct Errors {
    /// Lines that no user of this run sent, or under another name.
    pub(super) garbled: usize,
    /// Lines from a user who is not a member.
    pub(super) from_strangers: usize,
    /// Lines shown after later ones, by the numbers of the receiver's own program.
    pub(super) turned_back: usize,
    /// Lines that were shown and that the history does not have, or has otherwise.
    pub(super) not_kept: usize,
}

impl Received {
    /// Whether the program was started again between these two.
    pub(super) fn is_parted(&self, one: MessageId, other: MessageId) -> bool {
        self.starts.iter().any(|start| (one..other).contains(start))
    }
}

impl Ledger {
    pub(super) fn new(users: impl IntoIterator<Item = (Username, PeerAddr)>) -> Self {
        let mut ledger = Self::default();
        for (user, (name, address)) in users.into_iter().enumerate() {
            ledger.by_name.insert(name, user);
            ledger.by_address.insert(address, user);
            ledger.received.push(Received::default());
        }
        ledger
    }

    /// The user at an address.
    pub(super) fn user_at(&self, address: PeerAddr) -> Option<User> {
        self.by_address.get(&address).copied()
    }

    /// A user is told to send a text.
    pub(super) fn told_to_say(&mut self, speaker: User, number: u32, marks: u16) {
        let text = Text {
            asked: Instant::now(),
            marks,
            said: false,
            deliveries_to: BTreeMap::new(),
        };
        self.texts.insert((speaker, number), text);
    }

    /// A user's program shows a line at this moment.
    pub(super) fn shown(&mut self, user: User, line: &Message, at: Instant) {
        let received = &mut self.received[user];
        self.errors.turned_back += usize::from(line.id <= received.last_live);
        received.last_live = line.id;
        let Some(Heard { speaker, piece }) = self.record(user, line) else {
            return;
        };
        let Some(text) = self.texts.get(&(speaker, piece.number)) else {
            return;
        };
        if piece.first + piece.count == text.marks {
            let taken = at.saturating_duration_since(text.asked);
            self.latencies.add(taken);
        }
    }

    /// A user's program has a line, shown now or earlier: what it is, if others sent it.
    pub(super) fn record(&mut self, user: User, line: &Message) -> Option<Heard> {
        let Some((speaker, piece)) = self.read(line) else {
            self.errors.garbled += 1;
            return None;
        };
        if let Some(deliveries) = &line.deliveries {
            self.said(user, piece.number, line.id, deliveries);
            return None;
        }
        let heard = Heard { speaker, piece };
        let known = self.received[user].heard.insert(line.id, heard);
        self.errors.not_kept += usize::from(known.is_some_and(|known| known != heard));
        Some(heard)
    }

    fn read(&self, line: &Message) -> Option<(User, Piece)> {
        let (name, piece) = words::read(&line.text)?;
        let speaker = self.user_at(line.from.address)?;
        let known = line.from.name.and_then(|name| self.by_name.get(&name));
        let is_theirs = line.from.title() == name && known == Some(&speaker);
        let text = self.texts.get(&(speaker, piece.number))?;
        (is_theirs && piece.first + piece.count <= text.marks).then_some((speaker, piece))
    }

    fn said(&mut self, user: User, number: u32, id: MessageId, deliveries: &[Delivery]) {
        self.received[user].own.insert(id, number);
        if let Some(text) = self.texts.get_mut(&(user, number)) {
            text.said = true;
        }
        for delivery in deliveries {
            self.delivered(user, id, delivery);
        }
    }

    /// A user's program reports the delivery status of a text.
    pub(super) fn delivered(&mut self, user: User, id: MessageId, delivery: &Delivery) {
        let number = self.received[user].own.get(&id);
        let to = self.user_at(delivery.to.address);
        let (Some(number), Some(to)) = (number, to) else {
            self.errors.garbled += 1;
            return;
        };
        if let Some(text) = self.texts.get_mut(&(user, *number)) {
            let state = text.deliveries_to.entry(to).or_insert(delivery.state);
            // An older page of the history may not know it yet.
            if delivery.state != DeliveryState::Sending {
                *state = delivery.state;
            }
        }
    }

    /// A page of a user's history: all that was shown before `before` is on it, back to its
    /// first line; without `before`, up to its last line.
    pub(super) fn page(
        &mut self,
        user: User,
        lines: &[Message],
        more: bool,
        before: Option<MessageId>,
    ) {
        let ids: Vec<MessageId> = lines.iter().map(|line| line.id).collect();
        let first = if more {
            ids.first().copied()
        } else {
            Some(MessageId::default())
        };
        if let (Some(first), Some(end)) = (first, before.or(ids.last().copied())) {
            let shown = self.received[user].heard.range(first..end);
            let missing = shown.filter(|(id, _)| ids.binary_search(id).is_err());
            self.errors.not_kept += missing.count();
        }
        for line in lines {
            self.record(user, line);
        }
    }

    /// A user's program was started again: it reports no more on what was sent before.
    pub(super) fn restarted(&mut self, user: User, next: u32) {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let received = &mut self.received[user];
        received.starts.push(MessageId::new(
            since.as_micros().try_into().unwrap_or(u64::MAX),
        ));
        received.next = next;
    }

    /// Whether any delivery status is still open.
    pub(super) fn is_anything_under_way(&self) -> bool {
        let texts = self.texts.iter();
        let mut lasting = texts.filter(|((user, number), _)| *number >= self.received[*user].next);
        lasting.any(|(_, text)| {
            text.deliveries_to
                .values()
                .any(|state| *state == DeliveryState::Sending)
        })
    }

    /// Whether a user was shown all of a text.
    pub(super) fn has_whole(&self, user: User, speaker: User, number: u32) -> bool {
        let heard = self.received[user].heard.values();
        let pieces = heard.filter(|heard| (heard.speaker, heard.piece.number) == (speaker, number));
        let marks: u16 = pieces.map(|heard| heard.piece.count).sum();
        self.texts
            .get(&(speaker, number))
            .is_some_and(|text| text.marks == marks)
    }

    /// How many texts were sent, and how many lines shown to others.
    pub(super) fn counts(&self) -> [usize; 2] {
        let said = self.texts.values().filter(|text| text.said);
        [
            said.count(),
            self.received
                .iter()
                .map(|received| received.heard.len())
                .sum(),
        ]
    }
}
