//! The secret that lets a page in. It is created once and kept in a file that only its
//! owner can read.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use p2pchat_platform::files::{is_open_to_others, private_folder};
use p2pchat_settings::streams;
use rand::TryRng;
use rand::rngs::SysRng;
use subtle::ConstantTimeEq;
use tempfile::NamedTempFile;
use thiserror::Error;

/// 256 random bits, as 64 hex digits.
#[derive(Clone)]
pub struct Secret([u8; Secret::DIGITS]);

/// Why there is no secret.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The file or its folder cannot be created or read.
    #[error(
        "cannot create or read the file of the secret, {}: {reason}; name another one with --secret-file FILE",
        path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        reason: io::Error,
    },
    /// Users other than its owner may read or change the file.
    #[error(
        "other users may have read the secret in {path}: delete the file, and the next start creates a new one",
        path = path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error(
        "there is no secret in {path}: delete the file, and the next start creates a new one",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

impl Secret {
    /// How many hex digits a secret has.
    pub const DIGITS: usize = 64;

    /// A new secret.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn random() -> Result<Self, SecretError> {
        let mut bytes = [0; Self::DIGITS / 2];
        SysRng
            .try_fill_bytes(&mut bytes)
            .map_err(|error| SecretError::Random(error.to_string()))?;
        let mut digits = [0; Self::DIGITS];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = hex_digit(byte >> 4);
            pair[1] = hex_digit(byte & 15);
        }
        Ok(Self(digits))
    }

    /// The secret in this file; creates folder, file and secret if there is no file.
    ///
    /// # Errors
    /// If the file cannot be created or read, is open to others, or holds something else.
    pub fn load_or_make(path: &Path) -> Result<Self, SecretError> {
        let failed = |reason| SecretError::File {
            path: path.to_owned(),
            reason,
        };
        match File::open(path) {
            Ok(file) => Self::read(file, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secret = Self::random()?;
                if secret.write(path).map_err(failed)? {
                    Ok(secret)
                } else {
                    // Another bridge was faster, and its secret counts.
                    Self::read(File::open(path).map_err(failed)?, path)
                }
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The hex digits, for the URL and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hex digits are ASCII")
    }

    /// Whether this word is the secret. Takes the same time however much of it is right.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        self.0.ct_eq(word.as_bytes()).into()
    }

    fn read(file: File, path: &Path) -> Result<Self, SecretError> {
        let failed = |reason| SecretError::File {
            path: path.to_owned(),
            reason,
        };
        if is_open_to_others(&file).map_err(failed)? {
            return Err(SecretError::Open {
                path: path.to_owned(),
            });
        }
        let mut text = Vec::new();
        // Enough for what an editor adds, and to notice that the file is too long.
        file.take(Self::DIGITS as u64 + 6)
            .read_to_end(&mut text)
            .map_err(failed)?;
        let mark = streams::BYTE_ORDER_MARK.as_bytes();
        let text = text.strip_prefix(mark).unwrap_or(&text);
        let text = text.trim_ascii_end().to_ascii_lowercase();
        let digits = <[u8; Self::DIGITS]>::try_from(text).ok();
        digits
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .map(Self)
            .ok_or_else(|| SecretError::Damaged {
                path: path.to_owned(),
            })
    }

    /// Writes the file, unless there is one by now: then `false`. No other process ever sees
    /// half a file.
    fn write(&self, path: &Path) -> io::Result<bool> {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        private_folder().create(folder)?;
        let mut draft = NamedTempFile::new_in(folder)?;
        writeln!(draft, "{}", self.expose())?;
        draft.as_file().sync_all()?;
        match draft.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(failed) => Err(failed.error),
        }
    }
}

fn hex_digit(value: u8) -> u8 {
    b"0123456789abcdef"[usize::from(value)]
}

/// Hides the secret.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;

    use super::*;

    #[test]
    fn it_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("secret");
        let made = Secret::load_or_make(&path).unwrap();
        let read = Secret::load_or_make(&path).unwrap();
        assert_eq!(made.expose(), read.expose());
        assert!(read.is(made.expose()));
        let files = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "no draft is left");
    }

    #[test]
    fn two_are_different_and_neither_is_nothing() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert!(!one.is(other.expose()));
        assert!(!one.is(""));
        assert!(!one.is(&one.expose()[..63]));
        assert!(!one.is(&format!("{}0", one.expose())));
        assert!(!format!("{one:?}").contains(one.expose()));
    }

    #[test]
    fn many_who_start_at_once_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let first = Secret::random().unwrap();
        assert!(first.write(&path).unwrap());
        assert!(!Secret::random().unwrap().write(&path).unwrap());
        assert!(first.is(Secret::load_or_make(&path).unwrap().expose()));

        let path = folder.path().join("raced");
        let secrets: Vec<_> = thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Secret::load_or_make(&path).unwrap()))
                .collect();
            let secrets = racers.into_iter().map(|racer| racer.join().unwrap());
            secrets.collect()
        });
        assert!(secrets.iter().all(|secret| secret.is(secrets[0].expose())));
        let files = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 2, "no draft is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        Secret::load_or_make(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Secret::load_or_make(&path).unwrap_err();
            assert!(matches!(error, SecretError::Open { .. }), "{error}");
        }
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let digits = "0".repeat(Secret::DIGITS);
        for content in ["", "no secret", &digits[1..], &format!("{digits}0\n")] {
            let mut file = NamedTempFile::new_in(folder.path()).unwrap();
            file.write_all(content.as_bytes()).unwrap();
            file.persist(&path).unwrap();
            let error = Secret::load_or_make(&path).unwrap_err();
            assert!(matches!(error, SecretError::Damaged { .. }), "{error}");
        }
    }
}
