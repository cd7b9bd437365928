//! Writes to the collection.

use std::collections::{HashMap, HashSet};

use futures::TryStreamExt;
use mongodb::bson::{Bson, RawDocumentBuf, doc};
use mongodb::error::Error;
use p2pchat_protocol::v2::{Seat, SeatState};

use super::document::id;
use super::{COLLECTION, Cluster};
use crate::presence::{Due, Record};
use crate::store::StoreError;
use crate::store::mongo::{self, DUPLICATE_KEY, in_time, is_duplicate};

/// How many documents are written by one command: some 100 KB.
const BULK: usize = 1000;
/// How often a login is tried that another write overtook. Two logins of one name at one
/// moment are rare, three more so.
const TRIES: usize = 8;
/// How far the epoch of a sign-in is ahead of the one before: a registry that is cut off from the
/// database counts the changes that it cannot write, and these must not be later than a sign-in
/// that it does not know of. A login of version 1 has but one such change, the logout, which gives
/// way to a login of the same epoch.
const DEVICE_STEP: i64 = 1000;

impl Cluster {
    /// Writes a login with the next epoch of the seat, greater than `known`, and returns what was
    /// written.
    ///
    /// # Errors
    /// If the database does not take it in time.
    pub async fn sign_in(
        &self,
        seat: Seat,
        state: SeatState,
        known: Option<i64>,
    ) -> Result<Record, StoreError> {
        let writing = async {
            for _ in 0..TRIES {
                if let Some(record) = self.try_sign_in(seat, state, known).await? {
                    return Ok(Some(record));
                }
            }
            Ok(None)
        };
        in_time(writing).await?.ok_or(StoreError::Busy)
    }

    /// Compare-and-swap: `None` if another registry wrote in between.
    async fn try_sign_in(
        &self,
        seat: Seat,
        state: SeatState,
        known: Option<i64>,
    ) -> Result<Option<Record>, Error> {
        let before = self.online.find_one(doc! { "_id": id(seat) }).await?;
        let written = before.as_ref().and_then(|before| self.epoch(before));
        let seen = self.now();
        let least = known
            .max(written)
            .map_or(0, |epoch| epoch.saturating_add(step_of(seat)));
        let record = Record {
            seat,
            state: Some(state),
            epoch: least.max(self.clock.to_server(seen).timestamp_millis()),
            seen,
        };
        let document = RawDocumentBuf::try_from(self.document(&record))?;
        if before.is_none() {
            return match self.online.insert_one(document).await {
                Ok(_) => Ok(Some(record)),
                Err(error) if is_duplicate(&error) => Ok(None),
                Err(error) => Err(error),
            };
        }
        let replaced = self.unchanged(seat, written);
        let result = self.online.replace_one(replaced, document).await?;
        Ok((result.matched_count > 0).then_some(record))
    }

    /// Writes changes of this registry, and returns the record that is then stored for each
    /// seat: that change, or a later one that another registry wrote meanwhile.
    ///
    /// # Errors
    /// If the database does not take all of it in time. Writing it again does no harm.
    pub async fn write(&self, dues: &[Due]) -> Result<Vec<Record>, StoreError> {
        let mut stored = Vec::with_capacity(dues.len());
        for some in dues.chunks(BULK) {
            let overtaken = self.write_some(some).await?;
            let mut later = self.read(&overtaken).await?;
            stored.extend(some.iter().map(|due| {
                let later = later.remove(&due.record.seat);
                later.unwrap_or(due.record)
            }));
        }
        Ok(stored)
    }

    /// Writes by one command, and returns the seats for which a later record is stored.
    async fn write_some(&self, dues: &[Due]) -> Result<HashSet<Seat>, StoreError> {
        let updates: Vec<Bson> = dues.iter().map(|due| self.update(due).into()).collect();
        let command = doc! {
            "update": COLLECTION,
            "updates": updates,
            "ordered": false,
            "writeConcern": {
                "w": "majority",
                "wtimeout": i64::try_from(mongo::CALL_TIMEOUT.as_millis()).unwrap_or(i64::MAX),
            },
        };
        let answer = in_time(async { self.database.run_command(command).await }).await?;
        if answer.contains_key("writeConcernError") {
            return Err(failed("a majority did not acknowledge the write"));
        }
        let mut overtaken = HashSet::new();
        for refusal in answer.get_array("writeErrors").into_iter().flatten() {
            overtaken.insert(overtaken_seat(refusal, dues)?);
        }
        Ok(overtaken)
    }

    /// Reads the records of some seats.
    async fn read(&self, seats: &HashSet<Seat>) -> Result<HashMap<Seat, Record>, StoreError> {
        if seats.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<String> = seats.iter().map(|seat| id(*seat)).collect();
        let reading = async {
            let found = self.online.find(doc! { "_id": { "$in": ids } }).await?;
            found.try_collect::<Vec<RawDocumentBuf>>().await
        };
        let documents = in_time(reading).await?;
        let records = documents
            .iter()
            .filter_map(|document| self.record(document));
        Ok(records.map(|record| (record.seat, record)).collect())
    }
}

fn step_of(seat: Seat) -> i64 {
    seat.device.map_or(1, |_| DEVICE_STEP)
}

/// The seat whose write was refused because a later record is stored.
fn overtaken_seat(refusal: &Bson, dues: &[Due]) -> Result<Seat, StoreError> {
    let number = |key| refusal.as_document()?.get_i32(key).ok();
    let due = number("index").and_then(|index| dues.get(usize::try_from(index).ok()?));
    match (number("code"), due) {
        (Some(DUPLICATE_KEY), Some(due)) => Ok(due.record.seat),
        (code, _) => Err(failed(&format!(
            "the server refused a write (code {code:?})"
        ))),
    }
}

fn failed(what: &str) -> StoreError {
    StoreError::Mongo(what.to_owned())
}
