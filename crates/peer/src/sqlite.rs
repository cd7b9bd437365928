//! A file of SQLite that is this user's own: made, recognised, opened.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use thiserror::Error;

/// How long to wait for another p2pchat that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to wait between tries where SQLite itself does not wait.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// What a file holds.
#[derive(Debug)]
pub(crate) struct Kind {
    /// What it is, in words.
    pub(crate) what: &'static str,
    /// Marks the file as ours.
    pub(crate) application_id: i32,
    /// Makes the tables, as they are today.
    pub(crate) schema: &'static str,
    /// Makes the tables of each earlier version those of the next, from the first on. So the
    /// version of today is one more than there are.
    pub(crate) migrations: &'static [&'static str],
    /// How durable a change is: SQLite's setting of this name.
    pub(crate) synchronous: &'static str,
}

impl Kind {
    /// The version of the tables.
    fn version(&self) -> i32 {
        i32::try_from(self.migrations.len() + 1).unwrap_or(i32::MAX)
    }
}

/// What stands in a file.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Nothing.
    Nothing,
    /// The tables of an earlier version; so many migrations have been done.
    Earlier(usize),
    /// The tables of today.
    Today,
}

/// Why a file cannot be opened, read or written.
#[derive(Debug, Error)]
pub enum FileError {
    /// The folder or the file cannot be made.
    #[error("cannot make or write {path}: {reason}")]
    Create {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// There is a file, but of something else.
    #[error("this is not a {0} of p2pchat: name another file")]
    NotOurs(&'static str),
    /// A later version of p2pchat wrote it.
    #[error(
        "it was written by a later version of p2pchat (format {found}, this one knows {known}): update"
    )]
    TooNew {
        /// The format's version.
        found: i32,
        /// The version that this program writes.
        known: i32,
    },
    /// It holds something that makes no sense.
    #[error("it holds an entry that makes no sense: `{0}`")]
    Entry(String),
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// Opens the file, ready for use.
pub(crate) fn open(path: &Path, kind: &Kind) -> Result<Connection, FileError> {
    create(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    distrust(&connection)?;
    set_up(&mut connection, kind).map_err(|error| match &error {
        FileError::Sqlite(rusqlite::Error::SqliteFailure(failure, _))
            if failure.code == ErrorCode::NotADatabase =>
        {
            FileError::NotOurs(kind.what)
        }
        _ => error,
    })?;
    Ok(connection)
}

/// Lets nothing that stands in the file do more than its tables need: it may come from
/// somebody else, with triggers and views that he made.
fn distrust(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(())
}

fn set_up(connection: &mut Connection, kind: &Kind) -> Result<(), FileError> {
    // In a transaction, so that what another process makes is seen as a whole or not at all.
    let seen = connection.transaction()?;
    let found = find(&seen, kind)?;
    drop(seen);
    if found != Found::Today {
        // Two processes may get here at once: the second waits and then finds the tables.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match find(&transaction, kind)? {
            Found::Nothing => transaction.execute_batch(kind.schema)?,
            Found::Earlier(done) => transaction.execute_batch(&kind.migrations[done..].concat())?,
            Found::Today => {}
        }
        transaction.pragma_update(None, "application_id", kind.application_id)?;
        transaction.pragma_update(None, "user_version", kind.version())?;
        transaction.commit()?;
    }
    use_wal(connection)?;
    connection.pragma_update(None, "synchronous", kind.synchronous)?;
    Ok(())
}

/// What the file holds; an error if that is something else.
fn find(connection: &Connection, kind: &Kind) -> Result<Found, FileError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let tables: i32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let found = number("user_version")?;
    let known = kind.version();
    match number("application_id")? {
        id if id == kind.application_id && found == known => Ok(Found::Today),
        id if id == kind.application_id && found > known => Err(FileError::TooNew { found, known }),
        id if id == kind.application_id && found > 0 => Ok(Found::Earlier(
            usize::try_from(found - 1).unwrap_or_default(),
        )),
        0 if found == 0 && tables == 0 => Ok(Found::Nothing),
        _ => Err(FileError::NotOurs(kind.what)),
    }
}

/// Turns on the write-ahead log. SQLite does not wait here for another process that is
/// doing the same, so this does.
fn use_wal(connection: &Connection) -> Result<(), FileError> {
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
fn create(path: &Path) -> Result<(), FileError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |reason| FileError::Create { path, reason }
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

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    const KIND: Kind = Kind {
        what: "file",
        application_id: 7,
        schema: "CREATE TABLE entry (number INTEGER, name TEXT, place TEXT) STRICT;",
        migrations: &[
            "ALTER TABLE entry ADD COLUMN name TEXT;",
            "ALTER TABLE entry ADD COLUMN place TEXT;",
        ],
        synchronous: "NORMAL",
    };

    #[test]
    fn nothing_in_a_file_is_trusted_and_its_tables_are_not_written_as_data() {
        let folder = tempfile::tempdir().unwrap();
        let connection = open(&folder.path().join("file.sqlite3"), &KIND).unwrap();
        let trusted: bool = connection
            .pragma_query_value(None, "trusted_schema", |row| row.get(0))
            .unwrap();
        assert!(!trusted);
        let writing = connection
            .execute_batch("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = sql;");
        let refused = writing.unwrap_err().to_string();
        assert!(refused.contains("may not be modified"), "{refused}");
    }

    #[test]
    fn tables_of_an_earlier_version_become_those_of_today_and_lose_nothing() {
        const FIRST: Kind = Kind {
            schema: "CREATE TABLE entry (number INTEGER) STRICT;",
            migrations: &[],
            ..KIND
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.sqlite3");
        let first = open(&path, &FIRST).unwrap();
        first.execute("INSERT INTO entry VALUES (1)", []).unwrap();
        // Two programs at once, while the one of the earlier version runs.
        let (one, other) = std::thread::scope(|scope| {
            let [one, other] = [(); 2].map(|()| scope.spawn(|| open(&path, &KIND).unwrap()));
            (one.join().unwrap(), other.join().unwrap())
        });
        let insert = "INSERT INTO entry VALUES (2, 'ann', 'here')";
        one.execute(insert, []).unwrap();
        let query =
            "SELECT count(*) FROM entry WHERE number = 1 AND name IS NULL OR place = 'here'";
        let count: i32 = other.query_row(query, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 2);
        let refused = open(&path, &FIRST).unwrap_err();
        assert!(matches!(refused, FileError::TooNew { found: 3, known: 1 }));
    }

    #[test]
    fn programs_that_begin_a_file_at_the_same_moment_all_open_it() {
        for _ in 0..100 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file.sqlite3");
            let start = Barrier::new(4);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        start.wait();
                        open(&path, &KIND).unwrap();
                    });
                }
            });
        }
    }
}
