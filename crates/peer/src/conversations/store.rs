//! The file, and the transaction that stores what has changed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use p2pchat_common::sqlite::{self, FileError};
use p2pchat_conversation::message::Place;
use p2pchat_conversation::replica::{Fact, Kind};
use p2pchat_model::Alerts;
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::ConversationId;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior};
use thiserror::Error;

use super::calls::{self, Said};
use super::facts::{Owed, Writer};
use super::retention::{self, Limits};
use super::schema::{KIND, alerts_number, place_bytes};
use super::unread::Counted;
use crate::machine::SaidBy;

/// How many statements are kept ready: more than there are.
const MAX_STATEMENTS: usize = 128;

/// How much of the file is kept in memory, in KiB, and how long its log may become before it is moved
/// into it, in pages of 4 KiB. With less, what comes together reads and writes the same pages again
/// every few commits.
const CACHE_KIB: i64 = 16 * 1024;
const LOG_PAGES: i64 = 4_000;

/// The store. Its methods block: not for an async task.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    pub(super) limits: Limits,
    /// How many talk entries were stored in each conversation since it was last looked at whether
    /// that is too much.
    pub(super) written: BTreeMap<ConversationId, usize>,
    /// How many may be stored before that has to be looked at again, where that is known.
    pub(super) room: BTreeMap<ConversationId, usize>,
    /// What of each conversation was not read when that was counted last.
    pub(super) counted: RefCell<BTreeMap<ConversationId, Counted>>,
    /// Erased texts may still be in the log of SQLite, beside the file.
    owes_erasure: bool,
    /// There may be messages whose words are not indexed yet.
    pub(super) owes_words: bool,
}

/// What is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// There is one conversation more.
    Open(ConversationId, Kind),
    /// Facts of a conversation, in their order.
    Facts(ConversationId, Vec<Fact>),
    /// What the user has done with a conversation.
    Mark(ConversationId, Mark),
    /// A call of a front end has led to an entry.
    Call(SaidBy, Said),
}

/// What the user has done with a conversation, on this device alone, and how far others have read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// It stands first, or not.
    Pinned(bool),
    /// What is notified.
    Alerts(Alerts),
    /// It is put away, or back.
    Archived(bool),
    /// They have read it up to here. A mark that is earlier than the last one does nothing.
    Read(Place),
    /// They have typed this and not sent it.
    Draft(String),
    /// Someone else has read it up to here, as they have told.
    ReadBy(PersonKey, Place),
}

/// Why the store cannot be opened, read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// An error of its file.
    #[error(transparent)]
    File(FileError),
    /// There is no room for what is to be stored. Nothing of it is.
    #[error("the disk is full: conversations cannot be stored until there is room")]
    Full,
    /// The file was made read-only, or its disk was.
    #[error("the file of conversations is read-only: make it writable")]
    ReadOnly,
    /// A change names a conversation or a log that is not stored: a mistake of the program.
    #[error("a change of a conversation or log that is not stored")]
    Unknown,
    /// The system gives no thread, or no files, for what has the store.
    #[error(
        "cannot start: {0}; the limits of open files or of threads may be too low (ulimit -n, ulimit -u)"
    )]
    System(io::Error),
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Sqlite(error) => error.into(),
            error => Self::File(error),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            _ => Self::File(error.into()),
        }
    }
}

impl Store {
    /// Opens the store in this file. Creates the file and its folder if they are not there,
    /// readable by their owner alone.
    ///
    /// # Errors
    /// If it cannot be created or opened, or is not a store that this version understands.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, Limits::default())
    }

    /// A store that ends with the process.
    ///
    /// # Errors
    /// If SQLite cannot make its tables.
    pub fn in_memory() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(KIND.schema)?;
        Self::of(connection, Limits::default())
    }

    pub(super) fn open_with(path: &Path, limits: Limits) -> Result<Self, StoreError> {
        Self::of(sqlite::open(path, &KIND)?, limits)
    }

    fn of(connection: Connection, limits: Limits) -> Result<Self, StoreError> {
        connection.pragma_update(None, "foreign_keys", true)?;
        // What is deleted is overwritten with zeros.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        // Or SQLite plans a statement again each time that another value is bound to it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(MAX_STATEMENTS);
        Ok(Self {
            connection,
            limits,
            written: BTreeMap::new(),
            room: BTreeMap::new(),
            counted: RefCell::default(),
            // Of the last process, which may have been killed before it was done.
            owes_erasure: true,
            owes_words: true,
        })
    }

    /// Stores all changes, or none of them. They are on the disk when it returns, and nothing that
    /// follows from them may be sent before.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.forget_counted(changes);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut owed = Owed::default();
        for change in changes {
            match change {
                Change::Open(id, kind) => open(&transaction, id, *kind)?,
                Change::Facts(id, facts) => {
                    let row = row_of(&transaction, id)?;
                    let mut writer = Writer::new(&transaction, row);
                    writer.write_all(facts)?;
                    let of = writer.finish()?;
                    owed.words |= of.words;
                    owed.erasure |= of.erasure;
                }
                Change::Mark(id, mark) => set_mark(&transaction, id, mark)?,
                Change::Call(by, said) => calls::insert(&transaction, by, said)?,
            }
        }
        transaction.commit()?;
        retention::note_written(&mut self.written, changes);
        self.owes_words |= owed.words;
        self.owes_erasure |= owed.erasure;
        self.finish_erasure();
        Ok(())
    }

    /// Takes what was erased out of the log of SQLite too. If another program holds the file, that
    /// is tried again with the next commit.
    fn finish_erasure(&mut self) {
        if !self.owes_erasure {
            return;
        }
        match self.empty_log() {
            Ok(is_done) => self.owes_erasure = !is_done,
            Err(error) => tracing::debug!(%error, "the log of the store cannot be emptied"),
        }
    }

    fn empty_log(&self) -> rusqlite::Result<bool> {
        self.connection.busy_timeout(Duration::ZERO)?;
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let is_busy = self
            .connection
            .query_row(checkpoint, [], |row| row.get::<_, bool>(0));
        self.connection.busy_timeout(KIND.busy_timeout)?;
        Ok(!is_busy?)
    }

    /// The row of a conversation, if it is stored.
    pub(super) fn conversation(&self, id: &ConversationId) -> Result<Option<i64>, StoreError> {
        Ok(find_row(&self.connection, id)?)
    }
}

fn open(transaction: &Transaction<'_>, id: &ConversationId, kind: Kind) -> rusqlite::Result<()> {
    let people = match kind {
        Kind::Group => None,
        Kind::Direct([one, other]) => Some([one.0.0, other.0.0].concat()),
    };
    transaction
        .prepare_cached(
            "INSERT INTO conversation (id, people) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?
        .execute(rusqlite::params![id.0, people])?;
    Ok(())
}

fn find_row(connection: &Connection, id: &ConversationId) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT row FROM conversation WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()
}

fn row_of(connection: &Connection, id: &ConversationId) -> Result<i64, StoreError> {
    find_row(connection, id)?.ok_or(StoreError::Unknown)
}

fn set_mark(
    transaction: &Transaction<'_>,
    id: &ConversationId,
    mark: &Mark,
) -> Result<(), StoreError> {
    let row = row_of(transaction, id)?;
    let set = |column: &str, value: &dyn rusqlite::ToSql| {
        transaction
            .prepare_cached(&format!("UPDATE conversation SET {column} WHERE row = ?1"))?
            .execute(rusqlite::params![row, value])
    };
    match mark {
        Mark::Pinned(is_pinned) => set("pinned = ?2", is_pinned),
        Mark::Alerts(alerts) => set("alerts = ?2", &alerts_number(*alerts)),
        Mark::Archived(is_archived) => set("archived = ?2", is_archived),
        Mark::Read(place) => set("read = max(ifnull(read, ?2), ?2)", &place_bytes(place)),
        Mark::Draft(text) => set("draft = ?2", text),
        Mark::ReadBy(person, place) => transaction
            .prepare_cached(
                "INSERT INTO read_by (conversation, person, place) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET place = max(place, excluded.place)",
            )?
            .execute(rusqlite::params![row, person.0.0, place_bytes(place)]),
    }?;
    Ok(())
}
