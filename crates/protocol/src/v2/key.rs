//! Public keys as they are sent, and the short forms of them that people read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// An Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; Self::LEN]);

impl PublicKey {
    /// Its length in bytes.
    pub const LEN: usize = 32;
}

impl TryFrom<&[u8]> for PublicKey {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

/// The first bytes, in hexadecimal: enough to tell keys apart in a log.
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "PublicKey({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// The key of one profile on one machine. It authenticates TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceKey(pub PublicKey);

impl DeviceKey {
    /// The short form that names a device in presence.
    #[must_use]
    pub fn id(&self) -> DeviceId {
        let (first, _) = self.0.0.split_first_chunk().expect("a key is longer");
        DeviceId(*first)
    }
}

/// The key of a person. It certifies their devices, and is what others pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey(pub PublicKey);

/// 64 hexadecimal digits.
impl fmt::Display for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for PersonKey {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let mut key = [0; PublicKey::LEN];
        if text.len() != 2 * key.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(BadText::Key);
        }
        for (at, byte) in key.iter_mut().enumerate() {
            let digits = &text[2 * at..2 * at + 2];
            *byte = u8::from_str_radix(digits, 16).map_err(|_| BadText::Key)?;
        }
        Ok(Self(PublicKey(key)))
    }
}

/// The first 8 bytes of a device key. It tells the devices of one person apart, and proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(pub [u8; 8]);

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; Self::LEN]);

impl Signature {
    /// Its length in bytes.
    pub const LEN: usize = 64;
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature")
    }
}

/// A person's statement that a device is theirs: 1 byte of version, the device key, the person
/// key, and the person's signature over [`Certificate::signed_part`].
///
/// It has no dates, since clocks are wrong: a device is valid as long as the registry lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certificate {
    /// The device.
    pub device: DeviceKey,
    /// The person.
    pub person: PersonKey,
    /// By the person's key.
    pub signature: Signature,
}

impl Certificate {
    /// Its length in bytes.
    pub const LEN: usize = 1 + 2 * PublicKey::LEN + Signature::LEN;
    /// The version, its first byte.
    const VERSION: u8 = 1;
    /// What the signed bytes begin with, so that the signature means nothing anywhere else.
    const DOMAIN: &[u8] = b"p2pchat device certificate";

    /// The bytes that are signed: the domain, the version, the device key, the person key.
    #[must_use]
    pub fn signed_part(device: &DeviceKey, person: &PersonKey) -> Vec<u8> {
        [Self::DOMAIN, &[Self::VERSION], &device.0.0, &person.0.0].concat()
    }

    /// The certificate as it is sent and stored.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let parts: [&[u8]; 4] = [
            &[Self::VERSION],
            &self.device.0.0,
            &self.person.0.0,
            &self.signature.0,
        ];
        let bytes = parts.concat();
        bytes
            .try_into()
            .expect("the parts are as long as the whole")
    }

    /// Reads one. The signature is still to be verified. `None` if it is not of this form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[Self::VERSION], rest) = bytes.split_first_chunk()? else {
            return None;
        };
        let (device, rest) = rest.split_first_chunk()?;
        let (person, signature) = rest.split_first_chunk()?;
        Some(Self {
            device: DeviceKey(PublicKey(*device)),
            person: PersonKey(PublicKey(*person)),
            signature: Signature(signature.try_into().ok()?),
        })
    }
}

/// A text is not what it should be: a [`Fingerprint`], a [`PersonKey`] or a
/// [`Code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadText {
    /// Not a fingerprint.
    #[error(
        "a fingerprint has {} letters and digits (A to Z, 2 to 7), such as ABCD-EFGH-…",
        Fingerprint::LEN
    )]
    Fingerprint,
    /// Not a key.
    #[error("a key has {} hexadecimal digits", 2 * PublicKey::LEN)]
    Key,
    /// Not a code.
    #[error("a code has {} digits, in 5 groups", Code::LEN)]
    Code,
}

/// The fingerprint of a key: the first 16 bytes of its SHA-256 in base32, 26 characters. Made for
/// the key of a registry, which stands behind a `#` in its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; Self::LEN]);

impl Fingerprint {
    /// How many characters it has, without the dashes that group them.
    pub const LEN: usize = 26;

    /// The characters without dashes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII is let in")
    }
}

/// With or without dashes, in upper or lower case.
impl FromStr for Fingerprint {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let is_base32 = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'2'..=b'7');
        characters(text, |byte| byte.to_ascii_uppercase(), is_base32)
            .map(Self)
            .ok_or(BadText::Fingerprint)
    }
}

/// In groups of four, with dashes between them.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&grouped(self.as_str(), '-'))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// The code that two people compare to be sure of each other's key: 20 digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code([u8; Self::LEN]);

impl Code {
    /// How many digits it has.
    pub const LEN: usize = 20;

    /// The digits without spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII is let in")
    }
}

/// With or without spaces or dashes between the digits.
impl FromStr for Code {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        characters(text, |byte| byte, u8::is_ascii_digit)
            .map(Self)
            .ok_or(BadText::Code)
    }
}

/// In groups of four, with spaces between them.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&grouped(self.as_str(), ' '))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({self})")
    }
}

/// The characters of a text that is grouped in some way.
fn characters<const N: usize>(
    text: &str,
    normal: impl Fn(u8) -> u8,
    is_allowed: impl Fn(&u8) -> bool,
) -> Option<[u8; N]> {
    let bytes = text.bytes().filter(|byte| !matches!(byte, b'-' | b' '));
    let mut characters = [0; N];
    let mut count = 0;
    for byte in bytes {
        *characters.get_mut(count)? = normal(byte);
        count += 1;
    }
    (count == N && characters.iter().all(is_allowed)).then_some(characters)
}

fn grouped(characters: &str, between: char) -> String {
    let mut text = String::new();
    for (at, character) in characters.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push(between);
        }
        text.push(character);
    }
    text
}

macro_rules! as_text {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <Box<str>>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

as_text!(Fingerprint, PersonKey, Code);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_people_write_it() {
        let written = "ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ";
        let fingerprint: Fingerprint = written.parse().unwrap();
        assert_eq!(fingerprint.to_string(), written);
        assert_eq!("abcdefghijklmnopqrstuvwxyz".parse(), Ok(fingerprint));
        for bad in ["", "ABCD", "ABCDEFGHIJKLMNOPQRSTUVWXY1", &"A".repeat(27)] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(BadText::Fingerprint));
        }
    }

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code: Code = "12345678901234567890".parse().unwrap();
        assert_eq!(code.to_string(), "1234 5678 9012 3456 7890");
        assert_eq!("1234-5678 9012 3456 7890".parse(), Ok(code));
        assert_eq!("1234 5678".parse::<Code>(), Err(BadText::Code));
    }

    #[test]
    fn a_certificate_is_read_as_it_was_written_and_in_no_other_way() {
        let key = |byte| PublicKey([byte; PublicKey::LEN]);
        let certificate = Certificate {
            device: DeviceKey(key(1)),
            person: PersonKey(key(2)),
            signature: Signature([3; Signature::LEN]),
        };
        let bytes = certificate.to_bytes();
        assert_eq!(Certificate::from_bytes(&bytes), Some(certificate));
        assert_eq!(Certificate::from_bytes(&bytes[1..]), None);
        assert_eq!(Certificate::from_bytes(&[&bytes[..], &[0]].concat()), None);
        let other_version = [&[2], &bytes[1..]].concat();
        assert_eq!(Certificate::from_bytes(&other_version), None);
    }
}
