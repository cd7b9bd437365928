//! Password hashing: [`Hasher`] makes and verifies Argon2id hashes in PHC form, and verifies
//! the plain text of legacy databases.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use p2pchat_protocol::v2::Passphrase;
use p2pchat_protocol::{Password, field};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::store::StoredPassword;

mod fair_queue;
mod pool;

pub use pool::{HashPool, PoolError, Priority};

/// 19 MiB, 2 passes, 1 lane: OWASP's first recommendation, 20 to 30 ms on a core.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// The most memory that a stored hash may ask for. Ours ask for less; a hash from
/// elsewhere must not be able to use up the machine.
const MAX_MEMORY_KIB: u32 = 64 * 1024;
/// The most passes that a stored hash may ask for.
const MAX_PASSES: u32 = 10;

/// The result of checking a password against an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The password is wrong, or there is no such account.
    Wrong,
    /// The password is right.
    Right,
    /// The password is right, and stored in plain text: this hash should replace it.
    RightInPlainText(StoredPassword),
}

/// Why no hash was made. Neither happens to passwords from packets.
#[derive(Debug, Error)]
pub enum HashError {
    /// The hash function refused.
    #[error("Argon2id failed: {0}")]
    Argon2(argon2::Error),
    /// The hash could not be written in PHC form.
    #[error("a password hash could not be encoded: {0}")]
    Encoding(argon2::password_hash::Error),
}

impl From<argon2::Error> for HashError {
    fn from(error: argon2::Error) -> Self {
        Self::Argon2(error)
    }
}

impl From<argon2::password_hash::Error> for HashError {
    fn from(error: argon2::password_hash::Error) -> Self {
        Self::Encoding(error)
    }
}

impl From<argon2::password_hash::phc::Error> for HashError {
    fn from(error: argon2::password_hash::phc::Error) -> Self {
        Self::Encoding(error.into())
    }
}

/// Hashes and verifies, with memory that is kept from one password to the next.
#[derive(Debug)]
pub struct Hasher {
    argon2: Argon2<'static>,
    /// Empty until the first password, so that an idle registry is small.
    memory: Vec<Block>,
}

impl Default for Hasher {
    fn default() -> Self {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
            .expect("the constants above are within Argon2's limits");
        Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            memory: Vec::new(),
        }
    }
}

impl Hasher {
    /// Hashes a password with a salt of its own.
    ///
    /// # Errors
    /// If the hash function fails, which it does for no [`Passphrase`].
    pub fn hash(&mut self, password: &Passphrase) -> Result<StoredPassword, HashError> {
        let salt = Salt::generate();
        let mut bytes = [0; Params::DEFAULT_OUTPUT_LEN];
        let password = password.expose().as_bytes();
        self.reserve(self.argon2.params().block_count());
        self.argon2.hash_password_into_with_memory(
            password,
            &salt,
            &mut bytes,
            &mut self.memory,
        )?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(self.argon2.params())?,
            salt: Some(salt),
            hash: Some(Output::new(&bytes)?),
        };
        Ok(StoredPassword::new(hash.to_string()))
    }

    /// Compares a password with what is stored for its account (`None`: there is no such
    /// account). Takes the time of one hash in any case, so that the time does not tell which
    /// names exist.
    pub fn verify(&mut self, password: &Passphrase, stored: Option<&StoredPassword>) -> Verdict {
        let stored = stored.map_or("", StoredPassword::expose);
        if let Some(hash) = parse(stored) {
            return if self.matches(password, &hash) {
                Verdict::Right
            } else {
                Verdict::Wrong
            };
        }
        let plain = field::text_bytes(stored.as_bytes());
        // A longer text is a hash of another program: who has read it must not log in with it.
        let is_plain = stored.len() <= Password::MAX;
        let is_right = is_plain & bool::from(plain.ct_eq(password.expose().as_bytes()));
        match (self.hash(password), is_right) {
            (Ok(hash), true) => Verdict::RightInPlainText(hash),
            (Err(_), true) => Verdict::Right,
            (_, false) => Verdict::Wrong,
        }
    }

    fn matches(&mut self, password: &Passphrase, stored: &PasswordHash) -> bool {
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
            return false;
        };
        let Some(argon2) = as_stored(stored) else {
            return false;
        };
        self.reserve(argon2.params().block_count());
        let mut buffer = [0; Output::MAX_LENGTH];
        let bytes = &mut buffer[..expected.len()];
        let password = password.expose().as_bytes();
        argon2
            .hash_password_into_with_memory(password, salt, bytes, &mut self.memory)
            .is_ok_and(|()| bool::from(bytes.ct_eq(expected.as_bytes())))
    }

    fn reserve(&mut self, blocks: usize) {
        if self.memory.len() < blocks {
            self.memory.resize(blocks, Block::default());
        }
    }
}

/// A stored hash, `None` if it is plain text. A plain password fits into its field on the
/// wire, which is much shorter than any hash.
fn parse(stored: &str) -> Option<PasswordHash> {
    if stored.len() > Password::MAX {
        PasswordHash::new(stored).ok()
    } else {
        None
    }
}

/// The hash function as it was when the hash was made, if that is one of ours.
fn as_stored(stored: &PasswordHash) -> Option<Argon2<'static>> {
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
    let version = Version::try_from(stored.version?).ok()?;
    let params = Params::try_from(stored).ok()?;
    let is_bounded = params.m_cost() <= MAX_MEMORY_KIB && params.t_cost() <= MAX_PASSES;
    is_bounded.then(|| Argon2::new(algorithm, version, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Passphrase {
        Passphrase::new(text).unwrap()
    }

    #[test]
    fn a_hash_fits_its_password_only_and_names_its_cost() {
        let mut hasher = Hasher::default();
        let hash = hasher.hash(&password("secret")).unwrap();
        assert!(
            hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hash.expose()
        );
        assert_eq!(
            hasher.verify(&password("secret"), Some(&hash)),
            Verdict::Right
        );
        assert_eq!(
            hasher.verify(&password("secreT"), Some(&hash)),
            Verdict::Wrong
        );
        assert_ne!(
            hasher.hash(&password("secret")).unwrap(),
            hash,
            "each has its own salt"
        );
    }

    #[test]
    fn a_hash_of_another_cost_is_understood_and_a_huge_one_refused() {
        let mut hasher = Hasher::default();
        let light = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(64, 1, 1, Some(16)).unwrap(),
        );
        let mut bytes = [0; 16];
        light
            .hash_password_into(b"secret", b"somesalt", &mut bytes)
            .unwrap();
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(light.params()).unwrap(),
            salt: Some(Salt::new(b"somesalt").unwrap()),
            hash: Some(Output::new(&bytes).unwrap()),
        }
        .to_string();
        let stored = StoredPassword::new(hash.clone());
        assert_eq!(
            hasher.verify(&password("secret"), Some(&stored)),
            Verdict::Right
        );
        let huge = StoredPassword::new(hash.replace("m=64", "m=4000000"));
        assert_eq!(
            hasher.verify(&password("secret"), Some(&huge)),
            Verdict::Wrong
        );
    }

    #[test]
    fn plain_text_that_matches_comes_back_as_a_hash() {
        let mut hasher = Hasher::default();
        let stored = StoredPassword::new("old\0\0".to_owned());
        assert_eq!(
            hasher.verify(&password("new"), Some(&stored)),
            Verdict::Wrong
        );
        let verdict = hasher.verify(&password("old"), Some(&stored));
        let Verdict::RightInPlainText(hash) = verdict else {
            panic!("{verdict:?}")
        };
        assert_eq!(hasher.verify(&password("old"), Some(&hash)), Verdict::Right);
    }

    #[test]
    fn a_password_of_256_bytes_counts_to_its_last_one() {
        let mut hasher = Hasher::default();
        let long = "x".repeat(255);
        let hash = hasher.hash(&password(&format!("{long}a"))).unwrap();
        let verify = |hasher: &mut Hasher, text: &str| hasher.verify(&password(text), Some(&hash));
        assert_eq!(verify(&mut hasher, &format!("{long}a")), Verdict::Right);
        assert_eq!(verify(&mut hasher, &format!("{long}b")), Verdict::Wrong);
        assert_eq!(verify(&mut hasher, &long), Verdict::Wrong);
    }

    #[test]
    fn the_hash_of_another_program_is_not_a_password() {
        let mut hasher = Hasher::default();
        let hash = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        let stored = StoredPassword::new(hash.to_owned());
        let verdict = hasher.verify(&password(hash), Some(&stored));
        assert_eq!(verdict, Verdict::Wrong);
    }

    #[test]
    fn no_account_and_no_password_are_wrong() {
        let mut hasher = Hasher::default();
        assert_eq!(hasher.verify(&password("x"), None), Verdict::Wrong);
        let empty = StoredPassword::new(String::new());
        assert_eq!(hasher.verify(&password("x"), Some(&empty)), Verdict::Wrong);
    }
}
