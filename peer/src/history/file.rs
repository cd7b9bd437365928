//! The file that a history is in: made, recognised, opened.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::HistoryError;

/// Marks the file as ours: "p2pH".
const APPLICATION_ID: i32 = 0x7032_7048;
/// The version of the tables. A change of theirs counts up and brings a migration.
const VERSION: i32 = 1;
/// How long to wait for another p2pchat that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to wait between tries where SQLite itself does not wait.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

const SCHEMA: &str = "
CREATE TABLE message (
    row INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    name_check TEXT NOT NULL,
    text TEXT NOT NULL,
    deliveries TEXT,
    UNIQUE (account, id)
) STRICT;
CREATE VIRTUAL TABLE message_text USING fts5 (
    text, content = 'message', content_rowid = 'row',
    tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
    INSERT INTO message_text (rowid, text) VALUES (new.row, new.text);
END;
CREATE TRIGGER message_gone AFTER DELETE ON message BEGIN
    INSERT INTO message_text (message_text, rowid, text) VALUES ('delete', old.row, old.text);
END;
";

/// Opens the file, ready for use.
pub(super) fn open(path: &Path) -> Result<Connection, HistoryError> {
    create(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    set_up(&mut connection).map_err(|error| match &error {
        HistoryError::Sqlite(rusqlite::Error::SqliteFailure(failure, _))
            if failure.code == ErrorCode::NotADatabase =>
        {
            HistoryError::NotOurs
        }
        _ => error,
    })?;
    Ok(connection)
}

fn set_up(connection: &mut Connection) -> Result<(), HistoryError> {
    if !is_ours(connection)? {
        // Two processes may get here at once: the second waits and then finds the tables.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if !is_ours(&transaction)? {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        transaction.commit()?;
    }
    use_wal(connection)?;
    // In WAL mode this survives the death of the process, which is what is promised.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(())
}

/// Whether the tables are there; an error if the file holds something else.
fn is_ours(connection: &Connection) -> Result<bool, HistoryError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let tables: i32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION_ID, VERSION) => Ok(true),
        (APPLICATION_ID, found) => Err(HistoryError::TooNew {
            found,
            known: VERSION,
        }),
        (0, 0) if tables == 0 => Ok(false),
        _ => Err(HistoryError::NotOurs),
    }
}

/// Turns on the write-ahead log. SQLite does not wait here for another process that is
/// doing the same, so this does.
fn use_wal(connection: &Connection) -> Result<(), HistoryError> {
    let give_up = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(rusqlite::Error::SqliteFailure(failure, _))
                if failure.code == ErrorCode::DatabaseBusy && Instant::now() < give_up =>
            {
                std::thread::sleep(BUSY_PAUSE);
            }
            result => return Ok(result?),
        }
    }
}

/// Makes the folder and the file, if they are not there, for their owner only. SQLite
/// gives the files that it puts beside it the same mode.
fn create(path: &Path) -> Result<(), HistoryError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| HistoryError::Create { path, source }
    };
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        create_folder(folder).map_err(failed(folder))?;
    }
    create_file(path).map_err(failed(path))
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn create_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
