//! The account file: its tables, what can be wrong with it, and the lock beside it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use p2pchat_common::sqlite::{self, Durability, FileError, Kind};
use p2pchat_platform::files::private_file;
use rusqlite::{Connection, ErrorCode};
use thiserror::Error;

/// What names are bound to, and what there is once. The certificates of a binding's devices, and
/// the keys of those forgotten, stand one behind the other.
macro_rules! bindings {
    () => {
        "
    CREATE TABLE binding (
        name TEXT PRIMARY KEY NOT NULL,
        serial INTEGER NOT NULL,
        person BLOB,
        display_name TEXT NOT NULL,
        devices BLOB NOT NULL,
        forgotten BLOB NOT NULL,
        allows_version_1 INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE registry (
        key TEXT PRIMARY KEY NOT NULL,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
"
    };
}

/// By whose key bindings are found. Its rows end with the name, so they are in order of the names.
macro_rules! persons {
    () => {
        "
    CREATE INDEX binding_of_person ON binding (person);
"
    };
}

/// The account file. Names are compared by their bytes, as on the wire. The tables are
/// clustered by name.
const KIND: Kind = Kind {
    what: "account file",
    // "p2pc" in ASCII.
    application_id: 0x7032_7063,
    schema: concat!(
        "
    CREATE TABLE IF NOT EXISTS account (
        name TEXT PRIMARY KEY NOT NULL,
        password TEXT NOT NULL,
        address TEXT,
        created INTEGER NOT NULL DEFAULT (unixepoch())
    ) STRICT, WITHOUT ROWID;
",
        bindings!(),
        persons!()
    ),
    migrations: &[bindings!(), persons!()],
    durability: Durability::PowerCut,
    // Transactions of the operator commands are a single row each.
    busy_timeout: Duration::from_secs(5),
};

/// Why an account file cannot be used, and what to do about it. The error of the system is
/// part of the message, so it is not a `source`, which would be printed once more.
#[derive(Debug, Error)]
pub enum OpenSqliteError {
    /// The folder above it cannot be created.
    #[error("cannot make the folder {} for the account file: {reason}; name another place with --store PATH", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The error of the system.
        reason: io::Error,
    },
    /// The file cannot be opened or made.
    #[error("cannot open the account file {} for reading and writing: {reason}; check who owns it and its folder, or name another place with --store PATH", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
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
    #[error("the account file {} was made by a later version of p2pchat-registry (tables of version {found}, known here: {known}); use that version", .path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The version of its tables.
        found: i32,
        /// The version that this program writes.
        known: i32,
    },
    /// SQLite cannot use the file.
    #[error("cannot use the account file {}: {reason}; {}", .path.display(), advice(.reason))]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        reason: rusqlite::Error,
    },
    /// The system gives no thread.
    #[error("cannot start a thread for the account file: {reason}")]
    Thread {
        /// The error of the system.
        reason: io::Error,
    },
}

/// What to do about a failure of SQLite, as the end of a message.
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

/// Opens a connection to the account file. One that is not there is created, readable by its
/// owner alone, with the folders above it; one of another program is not changed.
pub(super) fn open(path: &Path) -> Result<Connection, OpenSqliteError> {
    sqlite::open(path, &KIND).map_err(|error| {
        let path = path.to_owned();
        match error {
            FileError::Folder { path, reason } => OpenSqliteError::Folder { path, reason },
            FileError::File { path, reason } => OpenSqliteError::File { path, reason },
            FileError::NotOurs(_) => OpenSqliteError::NotOurs { path },
            FileError::TooNew { found, known } => OpenSqliteError::TooNew { path, found, known },
            FileError::Sqlite(reason) => OpenSqliteError::Sqlite { path, reason },
        }
    })
}

/// The lock of the registry that serves from a file. Released on drop, and by the system when
/// the process dies.
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
