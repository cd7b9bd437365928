//! A lock that says who holds it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::files::private_file;

/// How often a lock that was replaced while it was taken is tried again.
const TRIES: usize = 16;

/// A file that one process holds, until this is dropped or the process ends, and that everyone
/// can read meanwhile.
///
/// It is locked by the system (`flock`) and never deleted. It counts only while it is still the
/// file at its path: otherwise two processes could each hold a lock.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Tries to take the lock at this path; `None` if another process holds it.
    ///
    /// # Errors
    /// If the file cannot be made, opened or locked.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        for _ in 0..TRIES {
            let file = private_file().create(true).truncate(false).open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            let lock = Self {
                file,
                path: path.to_owned(),
            };
            if lock.counts() {
                return Ok(Some(lock));
            }
        }
        Err(io::Error::other("another program keeps replacing it"))
    }

    /// Whether it is still the file at its path.
    #[must_use]
    pub fn counts(&self) -> bool {
        match (self.file.metadata(), fs::metadata(&self.path)) {
            (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }

    /// Replaces what the file says. It is read as any other file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, text: &[u8]) -> io::Result<()> {
        let mut file = &self.file;
        file.rewind()?;
        file.write_all(text)?;
        file.set_len(text.len() as u64)
    }
}
