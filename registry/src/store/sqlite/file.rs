//! The account file: making it, telling ours from others, and the lock beside it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use thiserror::Error;

/// Marks the file as ours (`PRAGMA application_id`): "p2pc" in ASCII.
const APPLICATION_ID: i32 = 0x7032_7063;
/// The version of the tables (`PRAGMA user_version`).
const SCHEMA_VERSION: i32 = 1;
/// How long a transaction waits for one of another process. Those of the operator
/// commands are a single row each.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Names are compared by their bytes, as on the wire. The table is clustered by name,
/// the only key there is.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS account (
        name TEXT PRIMARY KEY NOT NULL,
        password TEXT NOT NULL,
        address TEXT,
        created INTEGER NOT NULL DEFAULT (unixepoch())
    ) STRICT, WITHOUT ROWID;
";

/// Why an account file cannot be used, and what to do about it. What the system says
/// stands in the middle of that, so it is no `source` that would be told once more.
#[derive(Debug, Error)]
pub enum OpenSqliteError {
    /// The folder above it cannot be made.
    #[error("cannot make the folder {} for the account file: {reason}; name another place with --store PATH", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The file cannot be opened or made.
    #[error("cannot open the account file {} for reading and writing: {reason}; check who owns it and its folder, or name another place with --store PATH", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// Another registry serves from the file.
    #[error("the account file {} is in use by another registry; stop that one, or name another file with --store PATH", .path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file belongs to something else.
    #[error("{} is not an account file of p2pchat-registry and was left as it is; name another file with --store PATH", .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The file was made by a later version of this program.
    #[error("the account file {} was made by a later version of p2pchat-registry (tables of version {version}, known here: {SCHEMA_VERSION}); use that version", .path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: i32,
    },
    /// SQLite cannot use the file.
    #[error("cannot use the account file {}: {reason}; {}", .path.display(), advice(.reason))]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: rusqlite::Error,
    },
    /// The system gives no thread.
    #[error("cannot start a thread for the account file: {reason}")]
    Thread {
        /// What the system says.
        reason: io::Error,
    },
}

/// What to do about a failure of SQLite, in words that fit behind it.
pub(super) fn advice(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "make room on its disk",
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "see that this user may write it, and make files in its folder"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "find out which other program holds it"
        }
        Some(ErrorCode::DatabaseCorrupt) => "put back a copy of it, since it is damaged",
        _ => "find out what is wrong with its disk",
    }
}

/// Makes an empty file, readable by its owner alone, unless there is one, and the
/// folders above it.
pub(super) fn create(path: &Path) -> Result<(), OpenSqliteError> {
    let folder = folder_of(path);
    let failed = |reason| OpenSqliteError::Folder {
        path: folder.to_owned(),
        reason,
    };
    private_folder().create(folder).map_err(failed)?;
    let cannot_open = |reason| OpenSqliteError::File {
        path: path.to_owned(),
        reason,
    };
    match private_file().create_new(true).open(path) {
        // A file whose folder entry is not on the disk would vanish in a power cut.
        Ok(_) => File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(cannot_open),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            private_file().open(path).map(drop).map_err(cannot_open)
        }
        Err(error) => Err(cannot_open(error)),
    }
}

/// The folder that a path is in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn private_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Opens a connection to a file that [`create`] has seen, and makes the tables if it is
/// empty. A file of another program is not changed.
pub(super) fn open(path: &Path) -> Result<Connection, OpenSqliteError> {
    let failed = |reason: rusqlite::Error| match reason.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenSqliteError::NotOurs {
            path: path.to_owned(),
        },
        _ => OpenSqliteError::Sqlite {
            path: path.to_owned(),
            reason,
        },
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    distrust(&connection).map_err(failed)?;
    // In a transaction, so that what another process makes is seen as a whole or not at all.
    let seen = connection.transaction().map_err(failed)?;
    let version = check_ours(&seen, path, failed)?;
    drop(seen);
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .map_err(failed)?;
    // FULL: a commit is on the disk when it returns, power cut or not.
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(failed)?;
    if version < SCHEMA_VERSION {
        make_tables(&mut connection).map_err(failed)?;
    }
    Ok(connection)
}

/// Lets nothing that stands in the file do more than its tables need: it may come from
/// somebody else, with triggers and views that he made.
fn distrust(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(())
}

/// Returns the version of the tables, 0 in an empty file.
fn check_ours(
    connection: &Connection,
    path: &Path,
    failed: impl Fn(rusqlite::Error) -> OpenSqliteError,
) -> Result<i32, OpenSqliteError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let tables = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
            row.get::<_, i64>(0)
        })
        .map_err(&failed)?;
    let id = number("application_id").map_err(&failed)?;
    let version = number("user_version").map_err(&failed)?;
    let is_empty = tables == 0 && id == 0 && version == 0;
    if !is_empty && id != APPLICATION_ID {
        return Err(OpenSqliteError::NotOurs {
            path: path.to_owned(),
        });
    }
    if version > SCHEMA_VERSION {
        return Err(OpenSqliteError::TooNew {
            path: path.to_owned(),
            version,
        });
    }
    Ok(version)
}

fn make_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    let making = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    making.pragma_update(None, "application_id", APPLICATION_ID)?;
    making.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    making.execute_batch(SCHEMA)?;
    making.commit()
}

/// The lock of the registry that serves from a file. Let go of on drop, and by the
/// system when the process dies.
#[derive(Debug)]
pub(super) struct ServerLock {
    _file: File,
}

impl ServerLock {
    /// Takes the lock for the account file `path`.
    pub(super) fn take(path: &Path) -> Result<Self, OpenSqliteError> {
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        let failed = |reason| OpenSqliteError::File {
            path: lock_path.clone(),
            reason,
        };
        let file = private_file()
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenSqliteError::Locked {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(reason)) => Err(failed(reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_file_is_trusted_and_its_tables_are_not_written_as_data() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts");
        create(&path).unwrap();
        let connection = open(&path).unwrap();
        let trusted: bool = connection
            .pragma_query_value(None, "trusted_schema", |row| row.get(0))
            .unwrap();
        assert!(!trusted);
        let writing = connection
            .execute_batch("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = sql;");
        let refused = writing.unwrap_err().to_string();
        assert!(refused.contains("may not be modified"), "{refused}");
    }
}
