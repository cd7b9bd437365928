//! The calls of front ends that led to entries, so that the same call says nothing twice.

use rusqlite::{OptionalExtension, Transaction, params};

use super::store::{Store, StoreError};
use crate::machine::SaidBy;

/// How many calls are kept, the newest: as many as a machine remembers.
const MAX_CALLS: i64 = 4096;

pub(super) fn insert(transaction: &Transaction<'_>, by: &SaidBy) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO call (front_end, id, fingerprint) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![
            by.front_end.as_str(),
            id_text(by),
            by.fingerprint.cast_signed()
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
    /// The fingerprint of the call with the id of this one, if it has led to an entry.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn call(&self, by: &SaidBy) -> Result<Option<u64>, StoreError> {
        let found = self
            .connection
            .prepare_cached("SELECT fingerprint FROM call WHERE front_end = ?1 AND id = ?2")?
            .query_row(params![by.front_end.as_str(), id_text(by)], |row| {
                row.get::<_, i64>(0)
            });
        Ok(found.optional()?.map(i64::cast_unsigned))
    }
}
