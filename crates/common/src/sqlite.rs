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

/// Whether the file is on a file system that other machines may use at the same time.
#[cfg(target_os = "linux")]
fn is_on_network(path: &Path) -> bool {
    // Truncated on purpose: the numbers have 32 bits, their type has more on most systems.
    rustix::fs::statfs(path).is_ok_and(|system| NETWORK.contains(&(system.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
fn is_on_network(_: &Path) -> bool {
    false
}

/// The file systems that other machines may use at the same time, as `statfs` names them. On
/// some of them the log seems to work, until a second machine writes.
#[cfg(target_os = "linux")]
const NETWORK: &[u32] = &[
    0x6969,      // NFS
    0x517b,      // SMB
    0xff53_4d42, // CIFS
    0xfe53_4d42, // SMB 2
    0x0102_1997, // 9p: shared folders of virtual machines, WSL
    0x6573_5546, // FUSE: sshfs, virtiofs and others
    0x00c3_6400, // Ceph
    0x0bd0_0bd0, // Lustre
    0x4750_4653, // GPFS
    0x0116_1970, // GFS2
    0x7461_636f, // OCFS2
    0x5346_414f, // AFS
    0x7375_7245, // Coda
    0x786f_4256, // shared folders of VirtualBox
];

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
        Ok(_) if durability == Durability::PowerCut => {
            File::open(folder).and_then(|folder| folder.sync_all())
        }
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !path.exists() => Err(error),
        _ => Ok(()),
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
    fn what_is_written_after_another_process_closed_the_file_is_kept() {
        const THIS: &str =
            "sqlite::tests::what_is_written_after_another_process_closed_the_file_is_kept";
        const FILE_OF_OTHER: &str = "P2PCHAT_TEST_FILE";
        if let Some(path) = std::env::var_os(FILE_OF_OTHER) {
            // This is the other process.
            let other = open(Path::new(&path), &KIND).unwrap();
            let insert = "INSERT INTO entry (number) VALUES (2)";
            other.execute(insert, []).unwrap();
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.sqlite3");
        let connections = [(); 2].map(|()| open(&path, &KIND).unwrap());
        let insert = "INSERT INTO entry (number) VALUES (1)";
        connections[0].execute(insert, []).unwrap();
        let other = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", THIS])
            .env(FILE_OF_OTHER, &path)
            .output()
            .unwrap();
        assert!(other.status.success(), "{other:?}");
        connections[0].execute(insert, []).unwrap();
        // As after a crash: what the connections would still write when they are closed.
        let killed = folder.path().join("killed");
        copy(&path, &killed);
        assert_eq!(count(&open(&killed, &KIND).unwrap()), 3);
    }

    /// Takes the shared memory away from the log: its file is a link to itself.
    #[cfg(unix)]
    fn without_shared_memory(path: &Path) {
        let mut index = path.as_os_str().to_owned();
        index.push("-shm");
        std::os::unix::fs::symlink(&index, &index).unwrap();
    }

    /// Copies a file with its log, if it has one.
    fn copy(from: &Path, to: &Path) {
        for suffix in ["", "-wal"] {
            let [from, to] = [from, to].map(|path| format!("{}{suffix}", path.display()));
            if std::fs::exists(&from).unwrap() {
                std::fs::copy(from, to).unwrap();
            }
        }
    }

    fn journal_mode(connection: &Connection) -> String {
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get(0));
        mode.unwrap()
    }

    fn count(connection: &Connection) -> i32 {
        let count = connection.query_row("SELECT count(*) FROM entry", [], |row| row.get(0));
        count.unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn where_memory_cannot_be_shared_a_file_is_used_without_a_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.sqlite3");
        without_shared_memory(&path);
        let programs = [(); 2].map(|()| open(&path, &KIND).unwrap());
        for program in &programs {
            assert_eq!(journal_mode(program), "delete");
            let insert = "INSERT INTO entry (number) VALUES (1)";
            program.execute(insert, []).unwrap();
        }
        assert_eq!(programs.each_ref().map(count), [2, 2]);
        drop(programs);
        assert_eq!(count(&open(&path, &KIND).unwrap()), 2);
    }

    #[cfg(unix)]
    #[test]
    fn what_an_earlier_run_left_in_the_log_is_still_there_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let [killed, moved] = ["killed", "moved"].map(|name| folder.path().join(name));
        let earlier = open(&killed, &KIND).unwrap();
        let is_usual = journal_mode(&earlier) == "wal";
        assert!(is_usual || is_on_network(&killed));
        earlier
            .execute("INSERT INTO entry (number) VALUES (1)", [])
            .unwrap();
        copy(&killed, &moved);
        without_shared_memory(&moved);
        let now = open(&moved, &KIND).unwrap();
        assert_eq!((journal_mode(&now).as_str(), count(&now)), ("delete", 1));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_of_another_program_keeps_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.sqlite3");
        let theirs = Connection::open(&path).unwrap();
        let tables = "PRAGMA journal_mode = WAL; CREATE TABLE theirs (number);";
        theirs.execute_batch(tables).unwrap();
        drop(theirs);
        let before = std::fs::read(&path).unwrap();
        without_shared_memory(&path);
        let refused = open(&path, &KIND).unwrap_err();
        assert!(matches!(refused, FileError::NotOurs(_)), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[cfg(unix)]
    #[test]
    fn programs_that_begin_a_file_at_the_same_moment_all_open_it() {
        for round in 0..100 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file.sqlite3");
            if round % 2 == 0 {
                without_shared_memory(&path);
            }
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
