//! The verdict on the ledger: for each text and each receiver, whether it was shown.

use std::collections::{BTreeMap, HashMap};

use p2pchat_model::{DeliveryState, LeaveReason, MessageId};

use super::ledger::{Heard, Ledger, Received, User};
use crate::Report;

/// The sums.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) texts: usize,
    pub(super) lines: usize,
    pub(super) sent: Shown,
    pub(super) unconfirmed: Shown,
    pub(super) unreachable: Shown,
    pub(super) refused: Shown,
    pub(super) left: Shown,
    /// The sender's program was killed before it knew.
    pub(super) untold: Shown,
    /// Shown to a user who was unreachable, but which the sender's program tried all the same.
    pub(super) extra: usize,
    pub(super) duplicated: usize,
    /// Shown again to a user whose program was killed in the moment of taking it, was started
    /// again and was back in the chat within seconds: nothing on the wire could prevent it (see
    /// `ARCHITECTURE.md`).
    pub(super) repeated: usize,
    pub(super) disordered: usize,
    /// Examples of errors, to look for the cause.
    pub(super) examples: Vec<String>,
}

/// Deliveries of one kind, and how many of them were shown in full.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) all: usize,
    pub(super) shown: usize,
}

/// How many examples are named.
const EXAMPLES: usize = 10;

/// What one user was shown of one text: each mark, as which line at last.
type Marks = HashMap<(User, User, u32), Vec<Option<MessageId>>>;

impl Verdict {
    pub(super) fn new(ledger: &Ledger) -> Self {
        let mut verdict = Self::default();
        let mut marks = Marks::new();
        for (user, received) in ledger.received.iter().enumerate() {
            verdict.lines += received.heard.len();
            verdict.read(user, received, ledger, &mut marks);
        }
        for (&(speaker, number), text) in &ledger.texts {
            verdict.texts += usize::from(text.said);
            for (&to, &state) in &text.deliveries_to {
                let shown = marks.remove(&(to, speaker, number));
                let complete = shown.is_some_and(|marks| marks.iter().all(Option::is_some));
                let kind = verdict.kind(state);
                kind.all += 1;
                kind.shown += usize::from(complete);
                if state == DeliveryState::Sent && !complete {
                    verdict.example(|| format!("{speaker} said {number}: {to} was not shown all"));
                }
            }
        }
        verdict.extra = marks.len();
        verdict
    }

    /// Goes through what a user was shown, in the order of their program.
    fn read(&mut self, user: User, received: &Received, ledger: &Ledger, marks: &mut Marks) {
        let mut newest: BTreeMap<User, (u32, u16)> = BTreeMap::new();
        for (&id, &Heard { speaker, piece }) in &received.heard {
            let text = &ledger.texts[&(speaker, piece.number)];
            let seen = marks
                .entry((user, speaker, piece.number))
                .or_insert_with(|| vec![None; text.marks.into()]);
            let own = usize::from(piece.first)..usize::from(piece.first + piece.count);
            let before = seen[own.clone()].iter().copied().flatten().max();
            seen[own].fill(Some(id));
            let place = (piece.number, piece.first);
            let newest = newest.entry(speaker).or_insert(place);
            match before {
                Some(before) if received.is_parted(before, id) => self.repeated += 1,
                Some(_) => {
                    self.duplicated += 1;
                    self.example(|| format!("{speaker} said {place:?}: {user} was shown it twice"));
                }
                None if place < *newest => {
                    self.disordered += 1;
                    let newest = *newest;
                    self.example(|| {
                        format!("{speaker} said {place:?}: {user} was shown {newest:?} before it")
                    });
                }
                None => {}
            }
            *newest = place.max(*newest);
        }
    }

    fn kind(&mut self, state: DeliveryState) -> &mut Shown {
        match state {
            DeliveryState::Sending => &mut self.untold,
            DeliveryState::Sent => &mut self.sent,
            DeliveryState::Unconfirmed => &mut self.unconfirmed,
            DeliveryState::Failed(LeaveReason::Unreachable) => &mut self.unreachable,
            DeliveryState::Failed(LeaveReason::WeLeft) => &mut self.left,
            DeliveryState::Failed(_) => &mut self.refused,
        }
    }

    fn example(&mut self, what: impl Fn() -> String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(what());
        }
    }

    /// How many texts were reported as sent and not shown.
    pub(super) fn lost(&self) -> usize {
        self.sent.all - self.sent.shown
    }

    /// Puts it into the report.
    pub(super) fn report(&self, ledger: &Ledger, report: &mut Report) {
        report.figure("texts said", self.texts);
        report.figure("lines shown to others", self.lines);
        let errors = &ledger.errors;
        let zeros = [
            ("lost", self.lost()),
            ("duplicated", self.duplicated),
            ("out of order", self.disordered + errors.turned_back),
            ("garbled", errors.garbled),
            ("shown from outside the chat", errors.from_strangers),
            ("shown but not in the history", errors.not_kept),
        ];
        for (what, count) in zeros {
            report.zero(what, count);
        }
        report.figure("repeated to a user killed as it came", self.repeated);
        report.figure("delivery latency", &ledger.latencies);
        let kinds = [
            ("reported as sent", self.sent),
            ("reported as unconfirmed", self.unconfirmed),
            ("reported as failed: out of reach", self.unreachable),
            ("reported as failed: refused", self.refused),
            ("reported as failed: speaker left", self.left),
            ("sender killed before it knew", self.untold),
        ];
        for (what, Shown { all, shown }) in kinds {
            report.figure(what, format!("{all}, of which shown in full {shown}"));
        }
        report.figure("shown to some who were out of reach", self.extra);
        for example in &self.examples {
            report.figure("for instance", example);
        }
    }
}
