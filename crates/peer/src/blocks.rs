//! The block lists of the accounts on this machine, kept over restarts in an SQLite file.
//!
//! Each entry is a row, so that several p2pchat processes change one file without undoing each
//! other's changes. A change that was written survives a power cut.

use std::path::Path;

use p2pchat_common::sqlite::{self, Durability, FileError, Kind};
use p2pchat_model::{BlockChange, Target, Username};
use rusqlite::Connection;
use thiserror::Error;

use crate::history::BUSY_TIMEOUT;

/// The kind of the file, for [`sqlite::open`]. Its application id is "p2pB".
const KIND: Kind = Kind {
    what: "block list",
    application_id: 0x7032_7042,
    schema: "
CREATE TABLE blocked (
    account TEXT NOT NULL,
    who TEXT NOT NULL,
    is_address INTEGER NOT NULL,
    PRIMARY KEY (account, who, is_address)
) STRICT, WITHOUT ROWID;
",
    migrations: &[],
    // Changes are rare, and must not be lost.
    durability: Durability::PowerCut,
    busy_timeout: BUSY_TIMEOUT,
};

/// Why the block list cannot be read or written.
#[derive(Debug, Error)]
pub enum ListError {
    /// An error of its file.
    #[error(transparent)]
    File(#[from] FileError),
    /// It holds an entry that this version cannot read.
    #[error("it holds an invalid entry: `{0}`")]
    Entry(String),
}

impl From<rusqlite::Error> for ListError {
    fn from(error: rusqlite::Error) -> Self {
        Self::File(error.into())
    }
}

/// Block lists on disk. Their methods block the thread: not for an async task.
#[derive(Debug)]
pub(crate) struct Blocks(Connection);

impl Blocks {
    /// Opens the file; creates it and its folder if they are not there.
    pub(crate) fn open(path: &Path) -> Result<Self, ListError> {
        Ok(Self(sqlite::open(path, &KIND)?))
    }

    /// All entries of all accounts. An entry that this version cannot read is an error: to skip
    /// it would unblock someone.
    pub(crate) fn all(&self) -> Result<Vec<(Username, Target)>, ListError> {
        let mut statement = self
            .0
            .prepare("SELECT account, who, is_address FROM blocked")?;
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, bool>(2)?))
        })?;
        rows.map(|row| {
            let (account, who, is_address): (String, String, bool) = row?;
            let unreadable = || ListError::Entry(who.clone());
            let target = if is_address {
                who.parse().ok().map(Target::Address)
            } else {
                Username::new(&who).ok().map(Target::Name)
            };
            let account = Username::new(&account).map_err(|_| unreadable())?;
            Ok((account, target.ok_or_else(unreadable)?))
        })
        .collect()
    }

    /// Writes a change.
    pub(crate) fn keep(&self, account: Username, change: BlockChange) -> Result<(), ListError> {
        let (sql, who) = match change {
            BlockChange::Blocked(who) => (
                "INSERT INTO blocked (account, who, is_address) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO NOTHING",
                who,
            ),
            BlockChange::Unblocked(who) => (
                "DELETE FROM blocked WHERE account = ?1 AND who = ?2 AND is_address = ?3",
                who,
            ),
        };
        let is_address = matches!(who, Target::Address(_));
        self.0.execute(
            sql,
            rusqlite::params![account.as_str(), who.to_string(), is_address],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn name(name: &str) -> Username {
        name.parse().unwrap()
    }

    fn sorted(path: &Path) -> Vec<(Username, Target)> {
        let mut all = Blocks::open(path).unwrap().all().unwrap();
        all.sort();
        all
    }

    #[test]
    fn blocks_survive_a_restart_until_they_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/blocks.sqlite3");
        let (ann, bob) = (name("ann"), Target::Name(name("bob")));
        let at = Target::Address("10.0.0.9".parse().unwrap());
        let blocks = Blocks::open(&path).unwrap();
        for who in [bob, at, bob] {
            blocks.keep(ann, BlockChange::Blocked(who)).unwrap();
        }
        blocks.keep(name("cem"), BlockChange::Blocked(bob)).unwrap();
        drop(blocks);
        assert_eq!(sorted(&path), [(ann, bob), (ann, at), (name("cem"), bob)]);

        let blocks = Blocks::open(&path).unwrap();
        blocks.keep(ann, BlockChange::Unblocked(bob)).unwrap();
        assert_eq!(sorted(&path), [(ann, at), (name("cem"), bob)]);
    }

    #[test]
    fn processes_that_share_the_file_lose_no_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blocks.sqlite3");
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let path = path.clone();
                thread::spawn(move || {
                    let blocks = Blocks::open(&path).unwrap();
                    for n in 0..25 {
                        let who = Target::Name(name(&format!("w{writer}n{n}")));
                        blocks.keep(name("ann"), BlockChange::Blocked(who)).unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        assert_eq!(sorted(&path).len(), 100);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blocks.sqlite3");
        Blocks::open(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_file_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blocks.sqlite3");
        std::fs::write(&path, "no database at all ".repeat(100)).unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(
            Blocks::open(&path),
            Err(ListError::File(FileError::NotOurs(_)))
        ));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
