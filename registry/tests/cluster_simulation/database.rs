//! The collection `online`, its oplog, and the clock of the primary.

use std::collections::BTreeMap;
use std::time::Duration;

use mongodb::bson::DateTime;
use p2pchat_protocol::v2::{Seat, SeatState};

use super::node::TIMEOUT;

/// How far the epoch of a sign-in on a device is ahead of the one before: as in the registries.
const DEVICE_STEP: i64 = 1000;

/// What there is of a seat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Document {
    pub(crate) seat: Seat,
    pub(crate) state: Option<SeatState>,
    pub(crate) epoch: i64,
    /// By the clock of the database, as a registry had it.
    pub(crate) seen: DateTime,
}

/// What a majority has.
#[derive(Debug)]
pub(crate) struct Database {
    documents: BTreeMap<Seat, Document>,
    /// All that was ever written, and when.
    pub(crate) log: Vec<(Duration, Document)>,
    /// What its clock is ahead of the time that is, in milliseconds.
    pub(crate) ahead: i64,
    /// How far the epoch of a sign-in on a device is ahead.
    pub(crate) step: i64,
}

impl Database {
    pub(crate) fn new() -> Self {
        Self {
            documents: BTreeMap::new(),
            log: Vec::new(),
            ahead: 1_700_000_000_000,
            step: DEVICE_STEP,
        }
    }

    /// Its clock.
    pub(crate) fn time(&self, now: Duration) -> DateTime {
        DateTime::from_millis(i64::try_from(now.as_millis()).unwrap() + self.ahead)
    }

    /// A login, as the registries write it: the next epoch of the seat.
    pub(crate) fn sign_in(
        &mut self,
        seat: Seat,
        state: SeatState,
        known: Option<i64>,
        seen: DateTime,
        now: Duration,
    ) -> Document {
        let written = self.documents.get(&seat).map(|there| there.epoch);
        let step = seat.device.map_or(1, |_| self.step);
        let least = known.max(written).map_or(0, |epoch| epoch + step);
        let document = Document {
            seat,
            state: Some(state),
            epoch: least.max(seen.timestamp_millis()),
            seen,
        };
        self.put(document, now);
        document
    }

    /// What a registry has to tell, where there is nothing later. What is there then.
    /// `time` is what the clock says for the registry.
    pub(crate) fn write(
        &mut self,
        document: Document,
        is_change: bool,
        time: DateTime,
        now: Duration,
    ) -> Document {
        let seen_since = document.seen..=time;
        let later = self.documents.get(&document.seat).filter(|there| {
            there.epoch > document.epoch
                || there.epoch == document.epoch && (is_change || seen_since.contains(&there.seen))
        });
        match later {
            Some(later) => *later,
            None => {
                self.put(document, now);
                document
            }
        }
    }

    /// The collection is dropped.
    pub(crate) fn drop_all(&mut self) {
        self.documents.clear();
    }

    fn put(&mut self, document: Document, now: Duration) {
        self.documents.insert(document.seat, document);
        self.log.push((now, document));
    }

    /// Who may have been online then, or has been since: as the registries ask for it.
    pub(crate) fn since(&self, time: DateTime) -> impl Iterator<Item = &Document> {
        let timeout = i64::try_from(TIMEOUT.as_millis()).unwrap();
        let since = DateTime::from_millis(time.timestamp_millis() - timeout);
        let documents = self.documents.values();
        documents.filter(move |document| document.seen > since)
    }
}
