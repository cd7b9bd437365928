//! Secret keys, and the files that they are kept in.

mod file;

use std::fmt;

use p2pchat_protocol::v2::{Certificate, DeviceKey, PersonKey, PublicKey, Signature};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::{ZeroizeOnDrop, Zeroizing};

pub use file::KeyFileError;
pub(crate) use file::{io_error, later_form, sync_folder_of};

/// An Ed25519 key pair, kept as its seed. Hidden in `Debug`, wiped on drop.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SecretKey {
    seed: [u8; Self::LEN],
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
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public())
    }
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
    use data_encoding::HEXLOWER as HEX;

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
    fn a_key_is_hidden() {
        let key = SecretKey::from_seed([7; 32]);
        assert!(!format!("{key:?}").contains("07"), "{key:?}");
    }
}
