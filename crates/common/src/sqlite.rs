//! A file of SQLite that belongs to one user: created, recognised, migrated, opened.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use p2pchat_platform::files::{is_on_network, private_file, private_folder, sync_folder};
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

/// How changes become durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Journal {
    /// In a log beside the file, which is quick, and readers do not wait for writers. Processes
    /// share its index in memory, so they have to be on one machine.
    WriteAhead,
    /// In a journal of what each transaction replaces. Locks of the file are all that it needs.
    Rollback,
}

/// Opens the file, ready for use. One that is not there is created, readable by its owner
/// alone, with the folders above it; one of another program is left as it is.
///
/// # Errors
/// If it cannot be created, opened or migrated, or is not of this kind.
pub fn open(path: &Path, kind: &Kind) -> Result<Connection, FileError> {
    create(path, kind.durability)?;
    // SQLite does not wait where another process is turning the log on or off.
    let give_up = Instant::now() + kind.busy_timeout;
    loop {
        match open_with_any_journal(path, kind) {
            Err(FileError::Sqlite(error))
                if (is_busy(&error) || may_lack_shared_memory(&error))
                    && Instant::now() < give_up =>
            {
                std::thread::sleep(BUSY_PAUSE);
            }
            result => return result,
        }
    }
}

fn open_with_any_journal(path: &Path, kind: &Kind) -> Result<Connection, FileError> {
    if !is_on_network(path) {
        match open_with(path, kind, Journal::WriteAhead) {
            // The file system may be of a kind that is not known here.
            Err(FileError::Sqlite(error)) if may_lack_shared_memory(&error) => {}
            opened => return opened,
        }
    }
    leave_log(path, kind)?;
    open_with(path, kind, Journal::Rollback)
}

fn open_with(path: &Path, kind: &Kind, journal: Journal) -> Result<Connection, FileError> {
    let mut connection = connect(path, kind)?;
    set_up(&mut connection, kind, journal).map_err(|error| match &error {
        FileError::Sqlite(rusqlite::Error::SqliteFailure(failure, _))
            if failure.code == ErrorCode::NotADatabase =>
        {
            FileError::NotOurs(kind.what)
        }
        _ => error,
    })?;
    Ok(connection)
}

fn connect(path: &Path, kind: &Kind) -> Result<Connection, FileError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags);
    let is_usable = matches!(&opened, Ok(connection) if !connection.is_readonly("main")?);
    if !is_usable && let Err(reason) = private_file().open(path) {
        // The system says more about it than SQLite.
        return Err(FileError::File {
            path: path.to_owned(),
            reason,
        });
    }
    let connection = opened?;
    connection.busy_timeout(kind.busy_timeout)?;
    distrust(&connection)?;
    Ok(connection)
}

/// Whether this is what SQLite says where the index of the log cannot be shared in memory. A
/// disk that is full or broken may say the same, and then does so again.
fn may_lack_shared_memory(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure
                | ErrorCode::FileLockingProtocolFailed
        )
    )
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Moves what is in the log into the file, and makes SQLite open the file without it. In
/// exclusive mode that needs no shared memory.
fn leave_log(path: &Path, kind: &Kind) -> Result<(), FileError> {
    let connection = connect(path, kind)?;
    // Two that wait for each other here would both wait in vain.
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    find(&connection, kind)?;
    set_journal(&connection, Journal::Rollback)
}

/// Lets nothing in the file do more than its tables need: it may come from someone else, with
/// triggers and views of their own.
fn distrust(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(())
}

fn set_up(connection: &mut Connection, kind: &Kind, journal: Journal) -> Result<(), FileError> {
    // In a transaction, so that what another process makes is seen as a whole or not at all.
    let seen = connection.transaction()?;
    let found = find(&seen, kind)?;
    drop(seen);
    if found != Found::Latest {
        // Before there are tables: where these are without a log, it did not work.
        set_journal(connection, journal)?;
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

fn set_journal(connection: &Connection, journal: Journal) -> Result<(), FileError> {
    let mode = match journal {
        Journal::WriteAhead => "WAL",
        Journal::Rollback => "DELETE",
    };
    connection.pragma_update(None, "journal_mode", mode)?;
    // Only now is the log opened.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(())
}

/// Creates an empty file unless there is one, and the folders above it, for their owner only.
/// SQLite gives the files that it puts beside it the same mode.
///
/// A file that is there is not opened: to close it again would release the locks of all
/// connections that this process has to it, and another process would delete their log.
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
        Ok(_) if durability == Durability::PowerCut => sync_folder(folder),
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !path.exists() => Err(error),
        _ => Ok(()),
    };
    created.map_err(|reason| FileError::File {
        path: path.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests;
