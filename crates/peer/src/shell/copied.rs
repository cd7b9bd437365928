//! Whether the folder of a profile may be a copy, or an older state of it that was put back.
//!
//! A log of a conversation must not be gone on with from two places: each would write an entry of
//! its own at the same position, and then nothing behind that counts. So a mark beside the key
//! says which machine and which file it belongs to. It is a hint only: a folder that was put back
//! in a way that keeps both is noticed when others tell what they hold of one's logs.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use p2pchat_platform::files::identity;

/// The mark, in the folder of the profile.
const MARK: &str = "place";

/// Where the folder of a profile is.
pub(super) struct Place {
    path: PathBuf,
    text: String,
}

impl Place {
    /// Where the folder is now, whose device key is in the file `key`.
    ///
    /// # Errors
    /// If that file is not there.
    pub(super) fn of(folder: &Path, key: &Path) -> io::Result<Self> {
        let (path, text) = (folder.join(MARK), identity(key)?);
        Ok(Self { path, text })
    }

    /// Whether the mark is of another place. A folder without a mark is new.
    ///
    /// # Errors
    /// If the mark cannot be read.
    pub(super) fn is_copied(&self) -> io::Result<bool> {
        match fs::read_to_string(&self.path) {
            Ok(known) => Ok(known != self.text),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sets the mark, once what follows from it is stored.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn mark(&self) -> io::Result<()> {
        fs::write(&self.path, &self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_folder_is_noticed_once_and_its_original_never() {
        let folders = tempfile::tempdir().unwrap();
        let [original, copy] = ["original", "copy"].map(|name| folders.path().join(name));
        fs::create_dir(&original).unwrap();
        fs::write(original.join("key"), "k").unwrap();
        let check = |folder: &Path| {
            let place = Place::of(folder, &folder.join("key")).unwrap();
            let is_copied = place.is_copied().unwrap();
            place.mark().unwrap();
            is_copied
        };
        assert!(!check(&original), "it is new");
        assert!(!check(&original));
        fs::create_dir(&copy).unwrap();
        for file in ["key", MARK] {
            fs::copy(original.join(file), copy.join(file)).unwrap();
        }
        assert!(check(&copy));
        assert!(!check(&copy), "it is its own place now");
        assert!(!check(&original));
    }
}
