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
    let query = "SELECT count(*) FROM entry WHERE number = 1 AND name IS NULL OR place = 'here'";
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
