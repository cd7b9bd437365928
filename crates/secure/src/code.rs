//! The short forms of keys that people read.

use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE32_NOPAD;
use p2pchat_protocol::v2::{Code, Fingerprint, PersonKey, PublicKey};

use crate::key::sha256;

/// 64 MiB and 3 passes: some 0.1 s on a core. A code has 66 bits. Who wants another key with the
/// same code has to compute this for each key that they try.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// Instead of a salt: everyone has to compute the same code.
const DOMAIN: &[u8] = b"p2pchat person code 1";
/// How many of the bytes of its SHA-256 a fingerprint shows: no one finds another key with the
/// same ones.
const FINGERPRINT_BYTES: usize = 16;

/// The code of a person's key. Takes some 0.1 s and 64 MiB: not for a thread that others wait for.
#[must_use]
pub fn code(person: &PersonKey) -> Code {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(16));
    let params = params.expect("the constants above are within Argon2's limits");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut bytes = [0; 16];
    let hashed = argon2.hash_password_into(&person.0.0, DOMAIN, &mut bytes);
    hashed.expect("a key and the domain are within Argon2's limits");
    let number = u128::from_be_bytes(bytes) % 10_u128.pow(20);
    let digits = format!("{number:020}");
    digits.parse().expect("20 digits are a code")
}

/// The fingerprint of a key.
#[must_use]
pub fn fingerprint(key: &PublicKey) -> Fingerprint {
    let text = BASE32_NOPAD.encode(&sha256(&key.0)[..FINGERPRINT_BYTES]);
    text.parse().expect("16 bytes in base32 are a fingerprint")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_forms_of_a_key_never_change() {
        let key = PublicKey([1; 32]);
        assert_eq!(
            fingerprint(&key).to_string(),
            "OLGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU"
        );
        assert_eq!(
            code(&PersonKey(key)).to_string(),
            "1244 0915 3048 5415 5287"
        );
    }
}
