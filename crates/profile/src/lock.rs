//! The lock of a profile: the process that holds it runs the peer.
//!
//! It is the file `lock` in the profile's folder. It says who the owner is, and how they are
//! reached, so that who attaches needs the folder and nothing else: a job of cron has no
//! `$XDG_RUNTIME_DIR`. The file `attached` beside it is locked by those who would take over.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use p2pchat_platform::files::private_file;
use p2pchat_platform::lock::Lock;

use crate::owner::Entry;

/// Tries to lock the profile in this folder; `None` if another process holds the lock.
///
/// # Errors
/// If the file cannot be made, opened or locked.
pub(crate) fn try_take(folder: &Path) -> io::Result<Option<Lock>> {
    Lock::try_take(&path_in(folder))
}

/// Writes who holds the lock.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn name(lock: &Lock, entry: &Entry) -> io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    lock.write(&line)
}

/// Forgets who held the lock: they have ended in order, and no one goes on with their peer.
pub(crate) fn clear(lock: &Lock) {
    // If that fails, the next process to start only looks for heirs.
    let _ = lock.write(b"");
}

/// Who wrote themself into the lock last. `None` where no one did, or is about to.
pub(crate) fn named_in(folder: &Path) -> Option<Entry> {
    let line = fs::read(path_in(folder)).ok()?;
    serde_json::from_slice(&line).ok()
}

/// The mark of a process that is attached and would take over, until it is dropped: a shared lock
/// of the file `attached`.
#[derive(Debug)]
pub(crate) struct Heir {
    _file: File,
}

impl Heir {
    /// Marks this process. `None` where the file cannot be made or locked: then a process that
    /// starts when the owner ends may be faster.
    pub(crate) fn mark(folder: &Path) -> Option<Self> {
        let file = heirs_file(folder).ok()?;
        file.try_lock_shared().ok()?;
        Some(Self { _file: file })
    }

    /// Whether there is one, in this or another process.
    pub(crate) fn is_there(folder: &Path) -> bool {
        let file = heirs_file(folder);
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

fn heirs_file(folder: &Path) -> io::Result<File> {
    let path = folder.join("attached");
    private_file().create(true).truncate(false).open(path)
}

pub(crate) fn path_in(folder: &Path) -> PathBuf {
    folder.join("lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(folder: &Path) -> Option<Lock> {
        try_take(folder).unwrap()
    }

    #[test]
    fn one_at_a_time_holds_it_and_the_next_gets_it_when_they_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        let first = take(folder.path()).unwrap();
        assert!(take(folder.path()).is_none());
        drop(first);
        assert!(take(folder.path()).is_some());
        assert!(path_in(folder.path()).exists(), "it is never deleted");
    }

    #[test]
    fn it_names_its_owner_and_an_earlier_longer_name_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(named_in(folder.path()).is_none());
        let lock = take(folder.path()).unwrap();
        for program in ["a program with a long name", "p2pchat"] {
            let entry = Entry::for_test(program, 7);
            name(&lock, &entry).unwrap();
            let named = named_in(folder.path()).unwrap();
            assert_eq!(named.owner, entry.owner);
        }
        fs::write(path_in(folder.path()), "half a na").unwrap();
        assert!(named_in(folder.path()).is_none());
    }

    #[test]
    fn an_heir_is_there_until_the_last_one_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!Heir::is_there(folder.path()));
        let heirs = [0; 2].map(|_| Heir::mark(folder.path()).unwrap());
        for heir in heirs {
            assert!(Heir::is_there(folder.path()));
            drop(heir);
        }
        assert!(!Heir::is_there(folder.path()));
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_whose_file_was_replaced_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let first = take(folder.path()).unwrap();
        assert!(first.counts());
        fs::remove_file(path_in(folder.path())).unwrap();
        assert!(!first.counts());
        let second = take(folder.path()).unwrap();
        assert!(second.counts() && !first.counts());
    }

    #[cfg(unix)]
    #[test]
    fn it_is_its_user_s_alone() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        drop(take(folder.path()));
        let mode = fs::metadata(path_in(folder.path())).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }
}
