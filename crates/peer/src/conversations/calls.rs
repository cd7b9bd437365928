//! The calls of front ends that led to entries, so that the same call says nothing twice.

use p2pchat_conversation::message::Place;
use p2pchat_protocol::v2::conversation::EntryId;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::schema::{place_bytes, place_of, well_formed};
use super::store::{Store, StoreError};
use crate::machine::SaidBy;

/// How many calls are kept, the newest: as many as a machine remembers.
pub(super) const MAX_CALLS: i64 = 4096;

/// An own entry that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Its name.
    pub entry: EntryId,
    /// Where it stands.
    pub place: Place,
}

pub(super) fn insert(
    transaction: &Transaction<'_>,
    by: &SaidBy,
    said: &Said,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO call (front_end, id, fingerprint, entry, place)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            by.front_end.as_str(),
            id_text(by),
            by.fingerprint.cast_signed(),
            said.entry.0,
            place_bytes(&said.place)
        ])?;
    transaction
        .prepare_cached("DELETE FROM call WHERE row <= (SELECT max(row) FROM call) - ?1")?
        .execute([MAX_CALLS])?;
    Ok(())
}

fn id_text(by: &SaidBy) -> String {
    serde_json::to_string(&by.id).expect("an id is a number or a text")
}

impl Store {
    /// The call with the id of this one, if it has led to an entry: its fingerprint, and the entry.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn call(&self, by: &SaidBy) -> Result<Option<(u64, Said)>, StoreError> {
        let read = |row: &Row<'_>| {
            let said = Said {
                entry: EntryId(row.get(1)?),
                place: place_of(&row.get(2)?),
            };
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), said))
        };
        let found = self
            .connection
            .prepare_cached(
                "SELECT fingerprint, entry, place FROM call WHERE front_end = ?1 AND id = ?2",
            )?
            .query_row(params![by.front_end.as_str(), id_text(by)], read)
            .optional();
        Ok(well_formed(found)?.flatten())
    }
}
