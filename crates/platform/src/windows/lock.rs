//! A lock that says who holds it.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;

use super::files::private_file;

/// Others may open the file meanwhile to read it; not to write, to rename or to remove it.
const FILE_SHARE_READ: u32 = 1;
/// What the system says to those who try.
const ERROR_SHARING_VIOLATION: i32 = 32;

/// A file that one process holds, until this is dropped or the process ends, and that everyone
/// can read meanwhile.
///
/// It is open for writing, which one process at a time can have. The locks of the standard
/// library would keep others from reading.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Tries to take the lock at this path; `None` if another process holds it.
    ///
    /// # Errors
    /// If the file cannot be made or opened.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let mut options = private_file();
        options.create(true).truncate(false);
        match options.share_mode(FILE_SHARE_READ).open(path) {
            Ok(file) => Ok(Some(Self { file })),
            Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether it is still the file at its path: always, because nothing can replace it.
    #[must_use]
    pub fn counts(&self) -> bool {
        true
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn one_at_a_time_holds_it_and_others_can_only_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = Lock::try_take(&path).unwrap().unwrap();
        assert!(Lock::try_take(&path).unwrap().is_none());
        lock.write(b"a long name").unwrap();
        lock.write(b"name").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"name");
        assert!(fs::write(&path, "other").is_err());
        assert!(fs::remove_file(&path).is_err());
        drop(lock);
        assert_eq!(fs::read(&path).unwrap(), b"name", "it is kept");
        assert!(Lock::try_take(&path).unwrap().is_some());
    }
}
