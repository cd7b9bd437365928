//! A file of SQLite that belongs to one user: created, recognised, migrated, opened.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use thiserror::Error;

/// How long to wait between tries where SQLite itself does not wait.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// What a commit survives once it has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A killed process; a power cut may cost the last commits, never their order
    /// (`synchronous=NORMAL`).
    Process,
    /// A power cut too: each commit waits for the disk (`synchronous=FULL`).
    PowerCut,
}

/// A kind of file: its tables, and how it is used.
#[derive(Debug)]
pub struct Kind {
    /// What it is, in words for people: "history".
    pub what: &'static str,
    /// Marks the file as ours (`PRAGMA application_id`).
    pub application_id: i32,
    /// Creates the tables of the latest version.
    pub schema: &'static str,
    /// Turns the tables of each earlier version into those of the next, from the first on. The
    /// latest version (`PRAGMA user_version`) is one more than there are migrations.
    pub migrations: &'static [&'static str],
    /// What a commit survives.
    pub durability: Durability,
    /// How long a transaction waits for one of another process.
    pub busy_timeout: Duration,
}

impl Kind {
    /// The version of the tables.
    fn version(&self) -> i32 {
        i32::try_from(self.migrations.len() + 1).unwrap_or(i32::MAX)
    }
}

/// The state in which a file is found.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Empty.
    Empty,
    /// With the tables of an earlier version; so many migrations have been done.
    Earlier(usize),
    /// With the tables of the latest version.
    Latest,
}

/// Why a file cannot be opened, read or written.
#[derive(Debug, Error)]
pub enum FileError {
    /// The folder above the file cannot be created.
    #[error("cannot make or write {path}: {reason}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The file cannot be opened or created.
    #[error("cannot make or write {path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The file belongs to another program.
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
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// Opens the file, ready for use. One that is not there is created, readable by its owner
/// alone, with the folders above it; one of another program is left as it is.
///
/// # Errors
/// If it cannot be created, opened or migrated, or is not of this kind.
pub fn open(path: &Path, kind: &Kind) -> Result<Connection, FileError> {
    create(path, kind.durability)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(kind.busy_timeout)?;
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

/// Lets nothing in the file do more than its tables need: it may come from someone else, with
/// triggers and views of their own.
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
    if found != Found::Latest {
        // Two processes may get here at once: the second waits and then finds the tables.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match find(&transaction, kind)? {
            Found::Empty => transaction.execute_batch(kind.schema)?,
            Found::Earlier(done) => transaction.execute_batch(&kind.migrations[done..].concat())?,
            Found::Latest => {}
        }
        transaction.pragma_update(None, "application_id", kind.application_id)?;
        transaction.pragma_update(None, "user_version", kind.version())?;
        transaction.commit()?;
    }
    use_wal(connection, kind.busy_timeout)?;
    let synchronous = match kind.durability {
        Durability::Process => "NORMAL",
        Durability::PowerCut => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    Ok(())
}

/// The state of the file; an error if it is not of this kind.
fn find(connection: &Connection, kind: &Kind) -> Result<Found, FileError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let tables: i32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let found = number("user_version")?;
    let known = kind.version();
    match number("application_id")? {
        id if id == kind.application_id && found == known => Ok(Found::Latest),
        id if id == kind.application_id && found > known => Err(FileError::TooNew { found, known }),
        id if id == kind.application_id && found > 0 => Ok(Found::Earlier(
            usize::try_from(found - 1).unwrap_or_default(),
        )),
        0 if found == 0 && tables == 0 => Ok(Found::Empty),
        _ => Err(FileError::NotOurs(kind.what)),
    }
}

/// Turns on the write-ahead log. SQLite does not wait here for another process that is
/// doing the same, so this does.
fn use_wal(connection: &Connection, busy_timeout: Duration) -> Result<(), FileError> {
    let give_up = Instant::now() + busy_timeout;
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

/// Creates an empty file unless there is one, and the folders above it, for their owner only.
/// SQLite gives the files that it puts beside it the same mode.
fn create(path: &Path, durability: Durability) -> Result<(), FileError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    private_folder()
        .create(folder)
        .map_err(|reason| FileError::Folder {
            path: folder.to_owned(),
            reason,
        })?;
    let created = match private_file().create_new(true).open(path) {
        // A file whose folder entry is not on the disk would vanish in a power cut.
        Ok(_) if durability == Durability::PowerCut => {
            File::open(folder).and_then(|folder| folder.sync_all())
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            private_file().open(path).map(drop)
        }
        Err(error) => Err(error),
    };
    created.map_err(|reason| FileError::File {
        path: path.to_owned(),
        reason,
    })
}

fn private_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Opens a file for reading and writing; one that this creates is its owner's alone.
#[must_use]
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
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
        durability: Durability::Process,
        busy_timeout: Duration::from_secs(2),
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

    #[cfg(unix)]
    #[test]
    fn a_new_file_and_its_folder_are_their_owners_alone() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/file.sqlite3");
        open(&path, &KIND).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
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
