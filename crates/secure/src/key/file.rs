//! The files of secret keys.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use p2pchat_platform::files;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{SecretKey, random};

/// What a key file begins with, before the number of its form.
const NAME: &str = "p2pchat-secret-key-";
/// The form that is written, and the last one that can be read.
const FORM: u32 = 1;
/// The same, with that form; the rest is the seed in hexadecimal digits.
const MARK: &str = "p2pchat-secret-key-1 ";
/// The longest key file that is read, in bytes.
const LONGEST: usize = 1024;

/// Why a key file cannot be used, and what to do about it.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// The system refuses.
    #[error("cannot {what} the key file {path}: {reason}")]
    Io {
        /// The attempt.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// It is not a key file.
    #[error("{path} is not a key file of p2pchat: restore it from a backup, or name another file")]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// A later version of p2pchat wrote it.
    #[error(
        "{path} was written by a later version of p2pchat (form {found} of a key file, this one knows {FORM}): install that version"
    )]
    Later {
        /// The file.
        path: PathBuf,
        /// The form that it has.
        found: u32,
    },
    /// Other users can read it.
    #[error(
        "other users of this machine can read the key in {path}: take that from them with `chmod 600 {path}`, and make a new key if one of them may have read it"
    )]
    Readable {
        /// The file.
        path: PathBuf,
    },
}

impl SecretKey {
    /// Reads the key in a file, or makes one and keeps it there if there is no file.
    ///
    /// # Errors
    /// If there is a file that cannot be used, or none can be made.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        match Self::load(path) {
            Err(KeyFileError::Io { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {}
            loaded => return loaded,
        }
        let key = Self::generate();
        match key.keep(path) {
            // Another process was faster.
            Err(KeyFileError::Io { reason, .. })
                if reason.kind() == io::ErrorKind::AlreadyExists =>
            {
                Self::load(path)
            }
            kept => kept.map(|()| key),
        }
    }

    /// Reads the key in a file.
    ///
    /// # Errors
    /// If there is none, others can read it, it has a later form, or it is not a key file.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let failed = io_error("read", path);
        let file = File::open(path).map_err(&failed)?;
        let metadata = file.metadata().map_err(&failed)?;
        let path = path.to_owned();
        if !metadata.is_file() {
            return Err(KeyFileError::NotAKey { path });
        }
        if files::is_open_to_others(&file).map_err(&failed)? {
            return Err(KeyFileError::Readable { path });
        }
        // All of its room at once: a buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(2 * LONGEST));
        let read = file.take(LONGEST as u64).read_to_end(&mut text);
        read.map_err(&failed)?;
        match (Self::parse(&text), later_form(&text, NAME, FORM)) {
            (Some(key), _) => Ok(key),
            (None, Some(found)) => Err(KeyFileError::Later { path, found }),
            (None, None) => Err(KeyFileError::NotAKey { path }),
        }
    }

    /// Reads what is in a key file.
    fn parse(text: &[u8]) -> Option<Self> {
        let hex = text.trim_ascii_end().strip_prefix(MARK.as_bytes())?;
        let seed = Zeroizing::new(HEX.decode(hex).ok()?);
        seed[..].try_into().ok().map(Self::from_seed)
    }

    /// Keeps the key in a new file, for its owner alone. It is there as a whole or not at all.
    ///
    /// # Errors
    /// If there is a file already, or none can be made.
    pub fn keep(&self, path: &Path) -> Result<(), KeyFileError> {
        let hex = Zeroizing::new(HEX.encode(&self.seed));
        let text = Zeroizing::new([MARK, &hex, "\n"].concat());
        write_private(path, text.as_bytes()).map_err(io_error("write", path))
    }
}

/// The number of the form of a text that begins with `name`, if that is above the known one:
/// then a later version of p2pchat wrote it.
pub(crate) fn later_form(text: &[u8], name: &str, known: u32) -> Option<u32> {
    let rest = text.trim_ascii_start().strip_prefix(name.as_bytes())?;
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let (number, rest) = rest.split_at(end);
    let form = str::from_utf8(number).ok()?.parse().ok()?;
    (form > known && rest.first().is_some_and(u8::is_ascii_whitespace)).then_some(form)
}

pub(crate) fn io_error(what: &'static str, path: &Path) -> impl Fn(io::Error) -> KeyFileError {
    move |reason| KeyFileError::Io {
        what,
        path: path.to_owned(),
        reason,
    }
}

/// Writes a new file as a whole: beside its place first, then linked there, which fails where one
/// is.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut suffix = [0; 8];
    random(&mut suffix);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", HEX.encode(&suffix)));
    let beside = PathBuf::from(name);
    let write = || {
        let mut file = files::private_file().create_new(true).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::hard_link(&beside, path)
    };
    let written = write();
    let removed = fs::remove_file(&beside);
    written.and(removed)?;
    sync_folder_of(path)
}

/// Waits until a file that was made or renamed is in its folder for good.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    files::sync_folder(folder.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_kept_for_its_owner_alone_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        let key = SecretKey::load_or_create(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let again = SecretKey::load_or_create(&path).unwrap();
        assert_eq!(again.public(), key.public());
        assert!(key.keep(&path).is_err(), "an existing key is not replaced");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = SecretKey::load_or_create(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        let long = [MARK.as_bytes(), &[b'0'; LONGEST]].concat();
        for text in [&b""[..], b"p2pchat-secret-key-1 1234\n", b"\xff\xfe", &long] {
            write_private(&path, text).unwrap();
            let error = SecretKey::load_or_create(&path).unwrap_err();
            assert!(matches!(error, KeyFileError::NotAKey { .. }), "{error}");
            assert_eq!(fs::read(&path).unwrap(), text);
            fs::remove_file(&path).unwrap();
        }
        let error = SecretKey::load_or_create(folder.path()).unwrap_err();
        assert!(matches!(error, KeyFileError::NotAKey { .. }), "{error}");
    }

    #[test]
    fn a_key_of_a_later_version_is_named_as_such_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        let long = [b"p2pchat-secret-key-12 ", &[b'x'; 2 * LONGEST][..]].concat();
        for (text, form) in [
            (&b"p2pchat-secret-key-2 ab\nand more\n"[..], 2),
            (&long, 12),
        ] {
            write_private(&path, text).unwrap();
            let error = SecretKey::load_or_create(&path).unwrap_err();
            let expected = format!(
                "{} was written by a later version of p2pchat (form {form} of a key file, this one knows 1): install that version",
                path.display()
            );
            assert_eq!(error.to_string(), expected);
            assert_eq!(fs::read(&path).unwrap(), text);
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn only_a_whole_number_above_the_known_one_is_a_later_form() {
        let form = |text: &str| later_form(text.as_bytes(), "key-", 1);
        assert_eq!(form("key-2 ab"), Some(2));
        assert_eq!(form("key-4294967295\n"), Some(u32::MAX));
        for text in [
            "key-1 ab",
            "key-0 ab",
            "key-2",
            "key-2b c",
            "key-+2 c",
            "key- 2",
            "key-4294967296 ",
            "no",
        ] {
            assert_eq!(form(text), None, "{text}");
        }
    }

    #[test]
    fn a_link_is_followed_and_never_made_into_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("real"), folder.path().join("link"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let error = SecretKey::load_or_create(&link).unwrap_err();
        assert!(matches!(error, KeyFileError::Io { .. }), "{error}");
        assert!(!path.exists());
        let key = SecretKey::load_or_create(&path).unwrap();
        let linked = SecretKey::load_or_create(&link).unwrap();
        assert_eq!(linked.public(), key.public());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
        let error = SecretKey::load(&link).unwrap_err();
        assert!(matches!(error, KeyFileError::Readable { .. }), "{error}");
    }

    #[test]
    fn a_key_that_cannot_be_kept_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (path, inside) = (folder.path().join("taken"), folder.path().join("no/such"));
        fs::create_dir(&path).unwrap();
        let key = SecretKey::generate();
        key.keep(&path).unwrap_err();
        let error = SecretKey::load_or_create(&inside).unwrap_err().to_string();
        assert!(error.starts_with("cannot write the key file"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
