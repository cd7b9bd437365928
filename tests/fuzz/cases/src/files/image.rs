//! What a file may hold before it is opened.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use arbitrary::{Arbitrary, Unstructured};
use p2pchat_peer::History;
use p2pchat_registry::Store;
use p2pchat_registry::store::{Opener, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

/// The part of an SQLite file that says what kind of file it is, in bytes.
const HEADER: usize = 100;
/// Where in the header a program marks a file as its own (`PRAGMA application_id`).
const APPLICATION_ID: std::ops::Range<usize> = 68..72;

/// Whose file it ought to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The accounts.
    Registry,
    /// The history.
    Peer,
}

/// A file: something that is one, changed here and there.
#[derive(Debug, Arbitrary)]
pub(super) struct Image<'a> {
    base: Base<'a>,
    patches: Vec<Patch<'a>>,
    /// Where it ends early.
    cut: Option<u16>,
}

#[derive(Debug, Arbitrary)]
enum Base<'a> {
    /// Any bytes.
    Bytes(&'a [u8]),
    /// An account file with accounts.
    Accounts,
    /// A history with messages.
    History,
    /// A database of another program.
    Other(Other),
}

/// What another program may have made of a database.
#[derive(Debug, Arbitrary)]
struct Other {
    application_id: i32,
    user_version: i8,
    has_tables: bool,
    has_wal: bool,
}

#[derive(Debug, Arbitrary)]
enum Patch<'a> {
    Header(u8, u32),
    Anywhere(u16, &'a [u8]),
    /// In place of the first that is found, of the same length.
    Word(u8, [u8; 4]),
}

/// Words of the schema that a patch may change.
const WORDS: [&str; 4] = ["name", "TEXT", "text", "row "];

impl Image<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = match &self.base {
            Base::Bytes(bytes) => bytes.to_vec(),
            Base::Accounts => accounts().to_vec(),
            Base::History => messages().to_vec(),
            Base::Other(other) => other.bytes(),
        };
        for patch in &self.patches {
            let (at, with): (usize, &[u8]) = match patch {
                Patch::Header(at, with) => (usize::from(*at) % HEADER, &with.to_be_bytes()),
                Patch::Anywhere(at, with) => (usize::from(*at) % bytes.len().max(1), with),
                Patch::Word(word, with) => {
                    let word = WORDS[usize::from(*word) % WORDS.len()].as_bytes();
                    match bytes.windows(word.len()).position(|part| part == word) {
                        Some(at) => (at, with),
                        None => continue,
                    }
                }
            };
            for (byte, new) in bytes.iter_mut().skip(at).zip(with) {
                *byte = *new;
            }
        }
        if let Some(cut) = self.cut {
            bytes.truncate(cut.into());
        }
        bytes
    }
}

impl Other {
    fn bytes(&self) -> Vec<u8> {
        made_by(|path| {
            let connection = Connection::open(path).unwrap();
            let set = |name, value| connection.pragma_update(None, name, value).unwrap();
            if self.has_wal {
                connection
                    .pragma_update(None, "journal_mode", "WAL")
                    .unwrap();
            }
            set("application_id", self.application_id);
            set("user_version", i32::from(self.user_version));
            if self.has_tables {
                let table = "CREATE TABLE account (name TEXT, password TEXT);
                    INSERT INTO account VALUES ('bob', 'b')";
                connection.execute_batch(table).unwrap();
            }
        })
    }
}

fn accounts() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        made_by(|path| {
            let store = SqliteStore::open(path, Opener::Registry).unwrap();
            super::use_store(&store);
            drop(store.close());
            let rows = "INSERT INTO account (name, password, created) VALUES
                ('bob', 'plain', 1), ('cem', '$argon2id$v=19$', 2), ('a b', '', 3)";
            Connection::open(path).unwrap().execute_batch(rows).unwrap();
        })
    })
}

fn messages() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        made_by(|path| {
            let mut history = History::open(path).unwrap();
            let messages: Vec<_> = (1..=3).map(super::message).collect();
            history.record("ann".parse().unwrap(), &messages).unwrap();
        })
    })
}

/// The file that is left when all connections are closed.
fn made_by(make: impl FnOnce(&Path)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made");
    make(&path);
    fs::read(path).unwrap()
}

/// A folder with the file in it.
pub(super) struct Place {
    folder: TempDir,
    path: PathBuf,
    before: Vec<u8>,
    is_ours: bool,
}

impl Place {
    /// `None` if the input is too short to say what to make.
    pub(super) fn new(data: &[u8], owner: Owner) -> Option<Self> {
        let image = Image::arbitrary(&mut Unstructured::new(data)).ok()?;
        let before = image.bytes();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, &before).unwrap();
        let own = match owner {
            Owner::Registry => accounts(),
            Owner::Peer => messages(),
        };
        Some(Self {
            is_ours: before.get(APPLICATION_ID) == own.get(APPLICATION_ID),
            folder,
            path,
            before,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fails if the file is that of another program.
    pub(super) fn may_be_used(&self) {
        assert!(
            self.is_ours || self.was_nothing(),
            "taken from another program"
        );
    }

    /// Fails if the file is another's and was changed.
    pub(super) fn is_untouched_unless_ours(&self) {
        let is_same = fs::read(&self.path).is_ok_and(|now| now == self.before);
        assert!(
            is_same || self.is_ours || self.was_nothing(),
            "another program's file was changed"
        );
    }

    /// Whether it was empty, or a database that nothing was ever put into.
    fn was_nothing(&self) -> bool {
        if self.before.is_empty() {
            return true;
        }
        let copy = self.folder.path().join("copy");
        fs::write(&copy, &self.before).unwrap();
        let connection = Connection::open(&copy).unwrap();
        let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        [
            "SELECT count(*) FROM sqlite_schema",
            "PRAGMA application_id",
            "PRAGMA user_version",
        ]
        .into_iter()
        .all(|sql| number(sql).is_ok_and(|number| number == 0))
    }
}
