//! Secret keys, and the files that they are kept in.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use p2pchat_platform::files;
use p2pchat_protocol::v2::{Certificate, DeviceKey, PersonKey, PublicKey, Signature};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use thiserror::Error;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// What a key file begins with.
const MARK: &str = "p2pchat-secret-key-1 ";
/// The longest key file that is read, in bytes.
const LONGEST: usize = 1024;

/// An Ed25519 key pair, kept as its seed. Hidden in `Debug`, wiped on drop.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SecretKey {
    seed: [u8; Self::LEN],
}

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
    /// The length of the seed in bytes.
    pub const LEN: usize = 32;

    /// A new key.
    #[must_use]
    pub fn generate() -> Self {
        let mut seed = [0; Self::LEN];
        random(&mut seed);
        Self { seed }
    }

    /// The key with this seed.
    #[must_use]
    pub fn from_seed(seed: [u8; Self::LEN]) -> Self {
        Self { seed }
    }

    /// The seed, to be exported.
    pub(crate) fn seed(&self) -> &[u8; Self::LEN] {
        &self.seed
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let pair = self.pair();
        PublicKey::try_from(pair.public_key().as_ref()).expect("an Ed25519 key has 32 bytes")
    }

    /// Signs a message. The caller begins it with what the signature is for.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signature = self.pair().sign(message);
        let bytes = signature.as_ref().try_into();
        Signature(bytes.expect("an Ed25519 signature has 64 bytes"))
    }

    /// As this person's key, certifies a device.
    #[must_use]
    pub fn certify(&self, device: DeviceKey) -> Certificate {
        let person = PersonKey(self.public());
        Certificate {
            device,
            person,
            signature: self.sign(&Certificate::signed_part(&device, &person)),
        }
    }

    fn pair(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&self.seed).expect("every seed is a key")
    }

    /// The key in PKCS #8, for rustls.
    pub(crate) fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        /// Version 0, the algorithm Ed25519, and an octet string of 32 bytes in another (RFC 8410).
        const HEAD: [u8; 16] = [
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22,
            0x04, 0x20,
        ];
        Zeroizing::new([&HEAD[..], &self.seed].concat())
    }

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
    /// If there is none, others can read it, or it is not a key file.
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
        Self::parse(&text).ok_or(KeyFileError::NotAKey { path })
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

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public())
    }
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

/// Fills bytes with random ones.
///
/// # Panics
/// If the system has none, which no program can work around.
pub(crate) fn random(bytes: &mut [u8]) {
    let filled = SystemRandom::new().fill(bytes);
    filled.expect("the system has random numbers");
}

/// The SHA-256 of bytes. Entries of conversations are named by it.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let hash = digest(&SHA256, bytes);
    let bytes = hash.as_ref().try_into();
    bytes.expect("a SHA-256 has 32 bytes")
}

/// Whether a message is signed by this key (RFC 8032).
#[must_use]
pub fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    let key = UnparsedPublicKey::new(&ED25519, &key.0);
    key.verify(message, &signature.0).is_ok()
}

/// Whether a certificate is signed by the person that it names.
#[must_use]
pub fn verify_certificate(certificate: &Certificate) -> bool {
    let Certificate {
        device,
        person,
        signature,
    } = certificate;
    let signed = Certificate::signed_part(device, person);
    verify(&person.0, &signed, signature)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_test_vector_of_rfc_8032() {
        let hex = |text: &str| HEX.decode(text.as_bytes()).unwrap();
        let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let key = SecretKey::from_seed(seed.try_into().unwrap());
        let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        assert_eq!(key.public().0[..], public);
        let signature = key.sign(b"");
        let expected = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
        assert_eq!(signature.0[..], hex(expected));
        assert!(verify(&key.public(), b"", &signature));
        assert!(!verify(&key.public(), b"a", &signature));
    }

    #[test]
    fn a_certificate_counts_for_its_device_and_person_alone() {
        let (person, device) = (SecretKey::generate(), SecretKey::generate());
        let certificate = person.certify(DeviceKey(device.public()));
        assert!(verify_certificate(&certificate));
        let other = SecretKey::generate().public();
        let device = DeviceKey(other);
        assert!(!verify_certificate(&Certificate {
            device,
            ..certificate
        }));
        let person = PersonKey(other);
        assert!(!verify_certificate(&Certificate {
            person,
            ..certificate
        }));
    }

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

    #[test]
    fn a_key_is_hidden() {
        let key = SecretKey::from_seed([7; 32]);
        assert!(!format!("{key:?}").contains("07"), "{key:?}");
    }
}
