//! Whether the folder of a profile may be a copy, or an older state of it that was put back.
//!
//! A log of a conversation must not be gone on with from two places: each would write an entry of
//! its own at the same position, and then nothing behind that counts. So a mark beside the key
//! says which machine and which file it belongs to, and has a random word that is another one at
//! each start and stop. The word is in the user's folder for states too, outside of the profile: if
//! it is another one there, the profile is not as it was left. All of that are hints: a folder that
//! was put back together with that one, or after a kill in between, is noticed when others tell
//! what they hold of one's logs.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use p2pchat_platform::files::identity;
use p2pchat_secure::sha256;

/// The mark, in the folder of the profile.
const MARK: &str = "place";

/// Where the folder of a profile is.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    text: String,
    /// The file outside of the profile that has the word too.
    outside: Option<PathBuf>,
}

impl Place {
    /// Where the folder is now, whose device key is in the file `key`; `states` is the folder for
    /// states.
    ///
    /// # Errors
    /// If that file is not there.
    pub(super) fn of(folder: &Path, key: &Path, states: Option<&Path>) -> io::Result<Self> {
        let (path, text) = (folder.join(MARK), identity(key)?);
        let name = HEXLOWER.encode(&sha256(text.as_bytes()));
        let outside = states.map(|states| states.join(name));
        Ok(Self {
            path,
            text,
            outside,
        })
    }

    /// Whether the mark is of another place or another time. A folder without a mark is new.
    ///
    /// # Errors
    /// If the mark cannot be read.
    pub(super) fn is_copied(&self) -> io::Result<bool> {
        let known = match fs::read_to_string(&self.path) {
            Ok(known) => known,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let Some(word) = known.strip_prefix(&self.text) else {
            return Ok(true);
        };
        let outside = self.outside.as_ref();
        let outside = outside.and_then(|path| fs::read_to_string(path).ok());
        Ok(outside.is_some_and(|outside| outside != word))
    }

    /// Sets the mark, once what follows from it is stored, with a new word.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn mark(&self) -> io::Result<()> {
        let word = format!("{:032x}\n", rand::random::<u128>());
        if let Some(outside) = &self.outside
            && let Err(error) = keep_outside(outside, &word)
        {
            tracing::debug!(%error, "no mark is kept outside of the profile");
        }
        fs::write(&self.path, format!("{}{word}", self.text))
    }
}

fn keep_outside(path: &Path, word: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, word)
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
        let states = folders.path().join("states");
        let check = |folder: &Path| {
            let place = Place::of(folder, &folder.join("key"), Some(&states)).unwrap();
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

    #[test]
    fn a_folder_that_is_put_back_in_place_is_noticed_by_what_is_outside_of_it() {
        let folders = tempfile::tempdir().unwrap();
        let [profile, states] = ["profile", "states"].map(|name| folders.path().join(name));
        fs::create_dir(&profile).unwrap();
        fs::write(profile.join("key"), "k").unwrap();
        let place = || Place::of(&profile, &profile.join("key"), Some(&states)).unwrap();
        place().mark().unwrap();
        let older = fs::read(profile.join(MARK)).unwrap();
        place().mark().unwrap();
        assert!(!place().is_copied().unwrap());
        fs::write(profile.join(MARK), older).unwrap();
        assert!(place().is_copied().unwrap(), "it is of an earlier stop");
        fs::remove_dir_all(&states).unwrap();
        assert!(!place().is_copied().unwrap(), "nothing tells");
    }
}
