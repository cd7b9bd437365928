//! The keys of a profile: the device's, which never leaves it, and the person's, which can be
//! taken to another machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64;
use p2pchat_platform::files::private_folder;
use p2pchat_protocol::v2::{Certificate, DeviceKey, Passphrase, PersonKey};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::key::{KeyFileError, SecretKey, io_error, later_form, random, sync_folder_of};

/// The folder of the keys, in that of a profile.
const FOLDER: &str = "identity";
/// The key of this device.
const DEVICE: &str = "device.key";
/// The key of the person.
const PERSON: &str = "person.key";
/// What an exported person key begins with, before the number of its form.
const NAME: &str = "p2pchat-person-";
/// The form that is exported, and the last one that can be imported.
const FORM: u32 = 1;
/// The same, with that form; the rest is base64.
const MARK: &str = "p2pchat-person-1 ";
/// 64 MiB and 3 passes, some 0.1 s: the file may fall into the wrong hands.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const SALT: usize = 16;

/// The keys of a profile.
#[derive(Debug, Clone)]
pub struct Identity {
    device: SecretKey,
    person: SecretKey,
    certificate: Certificate,
    /// Where they are kept, if anywhere.
    folder: Option<PathBuf>,
}

/// Why the keys of a profile cannot be used.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// Their folder cannot be made.
    #[error("cannot make the folder {path} for the keys of this profile: {reason}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// One of their files cannot be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
}

/// Why an exported identity cannot be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// It is not one.
    #[error("this is not an exported identity: give all of the file, which begins with `{}`", MARK.trim_end())]
    NotOne,
    /// A later version of p2pchat exported it.
    #[error(
        "a later version of p2pchat exported it (form {found}, this one knows {FORM}): install that version"
    )]
    Later {
        /// The form that it has.
        found: u32,
    },
    /// The password is not the one that it was exported with.
    #[error("the password is wrong, or the file is damaged")]
    Password,
    /// It could not be kept. The earlier one still counts.
    #[error(transparent)]
    Kept(#[from] KeyFileError),
}

impl Identity {
    /// The keys in the folder of a profile. Makes those that are missing.
    ///
    /// # Errors
    /// If there are files that cannot be used, or none can be made.
    pub fn open(profile: &Path) -> Result<Self, IdentityError> {
        let folder = profile.join(FOLDER);
        private_folder()
            .create(&folder)
            .map_err(|reason| IdentityError::Folder {
                path: folder.clone(),
                reason,
            })?;
        let device = SecretKey::load_or_create(&folder.join(DEVICE))?;
        let person = SecretKey::load_or_create(&folder.join(PERSON))?;
        Ok(Self::new(device, person, Some(folder)))
    }

    /// Whether a profile has keys already.
    #[must_use]
    pub fn exists(profile: &Path) -> bool {
        profile.join(FOLDER).join(PERSON).exists()
    }

    /// New keys that are kept nowhere.
    #[must_use]
    pub fn ephemeral() -> Self {
        Self::new(SecretKey::generate(), SecretKey::generate(), None)
    }

    fn new(device: SecretKey, person: SecretKey, folder: Option<PathBuf>) -> Self {
        Self {
            certificate: person.certify(DeviceKey(device.public())),
            device,
            person,
            folder,
        }
    }

    /// The key that authenticates TLS.
    #[must_use]
    pub fn device(&self) -> &SecretKey {
        &self.device
    }

    /// The file of that key, if it is kept.
    #[must_use]
    pub fn device_file(&self) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        Some(folder.join(DEVICE))
    }

    /// The key that others pin.
    #[must_use]
    pub fn person(&self) -> PersonKey {
        self.certificate.person
    }

    /// The person's statement that the device is theirs.
    #[must_use]
    pub fn certificate(&self) -> Certificate {
        self.certificate
    }

    /// The person key as text, encrypted by a password. Takes some 0.1 s and 64 MiB.
    #[must_use]
    pub fn export(&self, password: &Passphrase) -> String {
        let (mut salt, mut nonce) = ([0; SALT], [0; NONCE_LEN]);
        random(&mut salt);
        random(&mut nonce);
        seal(&self.person, password, &salt, nonce)
    }

    /// Makes this a device of the person that `exported` has. Keeps the earlier person key in a
    /// file beside the new one. Takes some 0.1 s and 64 MiB.
    ///
    /// # Errors
    /// If the text or the password is wrong, or the key cannot be kept: nothing has changed then.
    pub fn import(&self, exported: &str, password: &Passphrase) -> Result<Self, ImportError> {
        let person = open_export(exported, password)?;
        if person.public() == self.person.public() {
            return Ok(self.clone());
        }
        if let Some(folder) = &self.folder {
            replace(folder, &person)?;
        }
        Ok(Self::new(self.device.clone(), person, self.folder.clone()))
    }
}

/// Keeps a person key in the place of another, which gets a name that is free. A crash in between
/// leaves the earlier one in its place, and another file with one of the two beside it.
fn replace(folder: &Path, person: &SecretKey) -> Result<(), KeyFileError> {
    let (path, new) = (folder.join(PERSON), folder.join("person.key.new"));
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error("replace", &new)(error));
        }
        _ => {}
    }
    person.keep(&new)?;
    keep_old(folder, &path).map_err(io_error("keep", &path))?;
    fs::rename(&new, &path).map_err(io_error("replace", &path))?;
    // It is replaced, whatever comes of this: only a power cut could undo it.
    let _ = sync_folder_of(&path);
    Ok(())
}

/// Links the person key to the first free name.
fn keep_old(folder: &Path, path: &Path) -> io::Result<()> {
    let mut number = 1;
    loop {
        match fs::hard_link(path, folder.join(format!("person.key.old{number}"))) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            linked => return linked,
        }
    }
}

/// The salt and the nonce are used once.
fn seal(
    person: &SecretKey,
    password: &Passphrase,
    salt: &[u8; SALT],
    nonce: [u8; NONCE_LEN],
) -> String {
    // With room for the tag: a buffer that grows leaves copies behind.
    let mut sealed = Vec::with_capacity(SecretKey::LEN + CHACHA20_POLY1305.tag_len());
    sealed.extend_from_slice(person.seed());
    let done = key_of(password, salt).seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(MARK),
        &mut sealed,
    );
    done.expect("32 bytes are within the limits of the cipher");
    let bytes = [&salt[..], &nonce, &sealed].concat();
    format!("{MARK}{}\n", BASE64.encode(&bytes))
}

fn open_export(exported: &str, password: &Passphrase) -> Result<SecretKey, ImportError> {
    if let Some(found) = later_form(exported.as_bytes(), NAME, FORM) {
        return Err(ImportError::Later { found });
    }
    let text = exported
        .trim()
        .strip_prefix(MARK)
        .ok_or(ImportError::NotOne)?;
    // A mail program or a terminal may have broken the line.
    let text: String = text.split_whitespace().collect();
    let bytes = BASE64.decode(text.as_bytes());
    let bytes = bytes.map_err(|_| ImportError::NotOne)?;
    let parts = bytes.split_first_chunk::<SALT>().and_then(|(salt, rest)| {
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let is_whole = sealed.len() == SecretKey::LEN + CHACHA20_POLY1305.tag_len();
        is_whole.then(|| (*salt, *nonce, Zeroizing::new(sealed.to_vec())))
    });
    let (salt, nonce, mut sealed) = parts.ok_or(ImportError::NotOne)?;
    let nonce = Nonce::assume_unique_for_key(nonce);
    let opened = key_of(password, &salt).open_in_place(nonce, Aad::from(MARK), &mut sealed);
    let seed = opened.map_err(|_| ImportError::Password)?;
    let seed = <[u8; SecretKey::LEN]>::try_from(&*seed).map_err(|_| ImportError::NotOne)?;
    Ok(SecretKey::from_seed(seed))
}

fn key_of(password: &Passphrase, salt: &[u8; SALT]) -> LessSafeKey {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32));
    let params = params.expect("the constants above are within Argon2's limits");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    let hashed = argon2.hash_password_into(password.expose().as_bytes(), salt, &mut key[..]);
    hashed.expect("a password and a salt are within Argon2's limits");
    let key = UnboundKey::new(&CHACHA20_POLY1305, &key[..]);
    LessSafeKey::new(key.expect("the cipher has keys of 32 bytes"))
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;
    use crate::key::verify_certificate;

    fn password(text: &str) -> Passphrase {
        Passphrase::new(text).unwrap()
    }

    #[test]
    fn a_profile_keeps_its_keys() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!Identity::exists(folder.path()));
        let made = Identity::open(folder.path()).unwrap();
        assert!(Identity::exists(folder.path()));
        assert!(verify_certificate(&made.certificate()));
        let again = Identity::open(folder.path()).unwrap();
        assert_eq!(again.certificate(), made.certificate());
    }

    #[test]
    fn an_exported_person_has_a_further_device() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = Identity::open(one.path()).unwrap();
        let exported = first.export(&password("secret"));
        let before = Identity::open(two.path()).unwrap();
        let second = before.import(&exported, &password("secret")).unwrap();
        assert_eq!(second.person(), first.person());
        assert_ne!(second.certificate().device, first.certificate().device);
        assert_eq!(second.certificate().device, before.certificate().device);
        assert!(verify_certificate(&second.certificate()));
        let kept = Identity::open(two.path()).unwrap();
        assert_eq!(kept.certificate(), second.certificate());
        let old = two.path().join(FOLDER).join("person.key.old1");
        let old = SecretKey::load(&old).unwrap();
        assert_eq!(PersonKey(old.public()), before.person());
    }

    /// The other way is in `tests/vectors.rs`: nothing else can choose the salt.
    #[test]
    fn an_identity_is_exported_as_by_others() {
        let all = include_str!("../../protocol/tests/vectors-2.json");
        let all: serde_json::Value = serde_json::from_str(all).unwrap();
        for vector in all["exported"].as_array().unwrap() {
            let text = |field: &str| vector[field].as_str().unwrap();
            let bytes = |field: &str| HEXLOWER.decode(text(field).as_bytes()).unwrap();
            let person = SecretKey::from_seed(bytes("seed").try_into().unwrap());
            let salt = bytes("salt").try_into().unwrap();
            let nonce = bytes("nonce").try_into().unwrap();
            let sealed = seal(&person, &password(text("password")), &salt, nonce);
            assert_eq!(sealed, text("text"));
        }
    }

    #[test]
    fn an_import_goes_on_after_one_that_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::open(folder.path()).unwrap();
        let kept = folder.path().join(FOLDER);
        // The steps before the last one, by a program that was killed.
        let left_behind = SecretKey::generate();
        left_behind.keep(&kept.join("person.key.new")).unwrap();
        keep_old(&kept, &kept.join(PERSON)).unwrap();
        let after = Identity::open(folder.path()).unwrap();
        assert_eq!(after.certificate(), identity.certificate());

        let exported = Identity::ephemeral().export(&password("secret"));
        // As a terminal breaks it.
        let broken = exported.replace('A', "A\n");
        let imported = after.import(&broken, &password("secret")).unwrap();
        let again = Identity::open(folder.path()).unwrap();
        assert_eq!(again.certificate(), imported.certificate());
        let old = SecretKey::load(&kept.join("person.key.old2")).unwrap();
        assert_eq!(PersonKey(old.public()), identity.person());
        assert!(!kept.join("person.key.new").exists());
    }

    #[test]
    fn an_import_that_cannot_be_kept_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::open(folder.path()).unwrap();
        let kept = folder.path().join(FOLDER);
        fs::create_dir(kept.join("person.key.new")).unwrap();
        let exported = Identity::ephemeral().export(&password("secret"));
        let error = identity.import(&exported, &password("secret")).unwrap_err();
        assert!(matches!(error, ImportError::Kept(_)), "{error}");
        let again = Identity::open(folder.path()).unwrap();
        assert_eq!(again.certificate(), identity.certificate());
    }

    #[test]
    fn a_wrong_password_or_a_damaged_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::open(folder.path()).unwrap();
        let exported = Identity::ephemeral().export(&password("secret"));
        let wrong = identity.import(&exported, &password("other"));
        assert!(matches!(wrong, Err(ImportError::Password)));
        let cut = &exported[..exported.len() - 9];
        for text in ["", "hello", cut, &format!("{MARK}AAAA")] {
            let refused = identity.import(text, &password("secret"));
            assert!(matches!(refused, Err(ImportError::NotOne)), "{text}");
        }
        let kept = Identity::open(folder.path()).unwrap();
        assert_eq!(kept.certificate(), identity.certificate());
    }

    #[test]
    fn an_export_of_a_later_version_is_named_as_such() {
        let later = Identity::ephemeral().import("\np2pchat-person-2 A\n", &password("secret"));
        let expected = "a later version of p2pchat exported it (form 2, this one knows 1): install that version";
        assert_eq!(later.unwrap_err().to_string(), expected);
    }
}
