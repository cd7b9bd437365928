//! The calls of front ends that led to entries, so that the same call says nothing twice.

use p2pchat_protocol::v2::conversation::EntryId;
use rusqlite::{OptionalExtension, Transaction, params};

use super::store::{Store, StoreError};
use crate::machine::SaidBy;

/// How many calls are kept, the newest: as many as a machine remembers.
const MAX_CALLS: i64 = 4096;

pub(super) fn insert(
    transaction: &Transaction<'_>,
    by: &SaidBy,
    entry: &EntryId,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO call (front_end, id, fingerprint, entry)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            by.front_end.as_str(),
            id_text(by),
            by.fingerprint.cast_signed(),
            entry.0
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
    /// The fingerprint of the call with the id of this one, and the entry that it has led to, if it
    /// has.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn call(&self, by: &SaidBy) -> Result<Option<(u64, EntryId)>, StoreError> {
        let found = self
            .connection
            .prepare_cached("SELECT fingerprint, entry FROM call WHERE front_end = ?1 AND id = ?2")?
            .query_row(params![by.front_end.as_str(), id_text(by)], |row| {
                let fingerprint: i64 = row.get(0)?;
                Ok((fingerprint.cast_unsigned(), EntryId(row.get(1)?)))
            });
        Ok(found.optional()?)
    }
}
