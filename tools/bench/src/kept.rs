//! The least store of entries by which they are found as a store of conversations has to find them:
//! by their place, by their position in a log and by their id. SQLite has the same settings.

use std::path::Path;

use anyhow::{Result, ensure};
use p2pchat_protocol::v2::DeviceKey;
use p2pchat_protocol::v2::conversation::EntryId;
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry, signed_part};
use p2pchat_secure::{sha256, verify};
use rusqlite::{Connection, params};

/// See the module. Nothing else is written, and the texts of entries only if they are to be
/// searched for words.
#[derive(Debug)]
pub struct Kept {
    connection: Connection,
    has_words: bool,
}

impl Kept {
    /// A new one in this file.
    ///
    /// # Errors
    /// If there can be none.
    pub fn new(path: &Path, has_words: bool) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000;
             CREATE TABLE entry (
                 row INTEGER PRIMARY KEY, log BLOB NOT NULL, position BLOB NOT NULL,
                 place BLOB NOT NULL, id BLOB NOT NULL, bytes BLOB NOT NULL,
                 UNIQUE (log, position)
             ) STRICT;
             CREATE INDEX entry_place ON entry (place);
             CREATE INDEX entry_id ON entry (id);
             CREATE VIRTUAL TABLE words USING fts5 (
                 text, content = '', tokenize = 'unicode61 remove_diacritics 2'
             );
             INSERT INTO words (words, rank) VALUES ('secure-delete', 1);",
        )?;
        Ok(Self {
            connection,
            has_words,
        })
    }

    /// Commits entries of a device in one transaction.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn keep(&mut self, entries: &[TalkEntry], device: &DeviceKey) -> Result<()> {
        let transaction = self.connection.transaction()?;
        for entry in entries {
            let header = &entry.header;
            let position = header.position.to_be_bytes();
            let clock = header.clock.number().to_be_bytes();
            let place = [&clock[..], &device.0.0, &position].concat();
            transaction
                .prepare_cached(
                    "INSERT INTO entry (log, position, place, id, bytes)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    header.join.0,
                    position,
                    place,
                    entry.id.0,
                    entry.to_bytes()
                ])?;
            let row = transaction.last_insert_rowid();
            if self.has_words
                && let Some(body) = &entry.body
                && let Talk::Message { text } = Talk::decode(header.kind, body)?
            {
                transaction
                    .prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
                    .execute(params![row, text])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Reads one entry.
    ///
    /// # Errors
    /// If it is not there.
    pub fn read(&self, id: &EntryId) -> Result<Vec<u8>> {
        let mut read = self
            .connection
            .prepare_cached("SELECT bytes FROM entry WHERE id = ?1")?;
        Ok(read.query_row([id.0], |row| row.get(0))?)
    }
}

/// Hashes an entry as the one who gets it has to.
///
/// # Errors
/// If it is not what it is called.
pub fn check_hashes(entry: &TalkEntry) -> Result<()> {
    let body = entry.body.as_deref().unwrap_or_default();
    let is_right = entry.header.id(sha256) == entry.id && sha256(body) == entry.header.body_hash;
    ensure!(is_right, "an entry is not what it is called");
    Ok(())
}

/// Hashes an entry and verifies its signature.
///
/// # Errors
/// If the device did not write it.
pub fn check(entry: &TalkEntry, device: &DeviceKey) -> Result<()> {
    check_hashes(entry)?;
    let is_signed = verify(&device.0, &signed_part(&entry.id), &entry.signature);
    ensure!(is_signed, "a wrong signature");
    Ok(())
}
