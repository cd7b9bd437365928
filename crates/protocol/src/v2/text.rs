//! The texts of version 2 that are longer than in version 1.

use std::fmt;
use std::str::FromStr;

use arrayvec::ArrayString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Password, PasswordError};

/// A password: 1 to 256 bytes of UTF-8 without NUL. Hidden in `Debug`, wiped on drop.
///
/// One of up to [`Password::MAX`] bytes can be used by version 1 too.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

/// Why a text is not a [`Passphrase`]. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PassphraseError {
    /// No bytes at all.
    #[error("a password is needed")]
    Empty,
    /// Too many bytes.
    #[error("this password is too long by {}", .0.saturating_sub(Passphrase::MAX))]
    TooLong(usize),
    /// A NUL, which version 1 cannot have.
    #[error("no NUL characters in the password, please")]
    Nul,
}

impl Passphrase {
    /// The longest one, in bytes.
    pub const MAX: usize = 256;

    /// Checks and copies a password.
    ///
    /// # Errors
    /// If it is empty, longer than [`Passphrase::MAX`] bytes or holds a NUL.
    pub fn new(password: &str) -> Result<Self, PassphraseError> {
        match password.len() {
            0 => Err(PassphraseError::Empty),
            length if length > Self::MAX => Err(PassphraseError::TooLong(length)),
            _ if password.contains('\0') => Err(PassphraseError::Nul),
            _ => Ok(Self(password.to_owned())),
        }
    }

    /// The same for version 1.
    ///
    /// # Errors
    /// If it is too long for its field.
    pub fn to_version_1(&self) -> Result<Password, PasswordError> {
        Password::new(&self.0)
    }

    /// The password itself, for the wire and for the hash function.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&Password> for Passphrase {
    fn from(password: &Password) -> Self {
        Self(password.expose().to_owned())
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(hidden)")
    }
}

impl FromStr for Passphrase {
    type Err = PassphraseError;

    fn from_str(password: &str) -> Result<Self, Self::Err> {
        Self::new(password)
    }
}

impl Serialize for Passphrase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Passphrase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Self::new(&text).map_err(de::Error::custom)
    }
}

/// The name of a person as others see it beside the name of the account: 0 to 64 bytes of UTF-8
/// without control characters, with no white space at its ends. Empty if they have chosen none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct DisplayName(ArrayString<{ DisplayName::MAX }>);

/// Why a text is not a [`DisplayName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DisplayNameError {
    /// Too many bytes.
    #[error(
        "this name is too long by {}; accented and non-Latin letters count double or more",
        .0.saturating_sub(DisplayName::MAX)
    )]
    TooLong(usize),
    /// A control character.
    #[error("no control characters in the name, please")]
    Control,
    /// White space at an end.
    #[error("no white space at the ends of the name, please")]
    WhiteSpace,
}

impl DisplayName {
    /// The longest one, in bytes.
    pub const MAX: usize = 64;

    /// Checks and copies a display name.
    ///
    /// # Errors
    /// If it is longer than [`DisplayName::MAX`] bytes, holds a control character, or begins or
    /// ends with white space.
    pub fn new(name: &str) -> Result<Self, DisplayNameError> {
        if name.chars().any(char::is_control) {
            return Err(DisplayNameError::Control);
        }
        if name.trim() != name {
            return Err(DisplayNameError::WhiteSpace);
        }
        ArrayString::from(name)
            .map(Self)
            .map_err(|_| DisplayNameError::TooLong(name.len()))
    }

    /// The display name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether none is chosen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for DisplayName {
    type Err = DisplayNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl<'de> Deserialize<'de> for DisplayName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&<Box<str>>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hidden_and_knows_whether_version_1_can_use_it() {
        let long = Passphrase::new(&"x".repeat(256)).unwrap();
        assert_eq!(format!("{long:?}"), "Passphrase(hidden)");
        assert!(long.to_version_1().is_err());
        let short = Passphrase::new("fifteen letters").unwrap();
        assert_eq!(short.to_version_1().unwrap().expose(), "fifteen letters");
        assert_eq!(Passphrase::new(""), Err(PassphraseError::Empty));
        let too_long = Passphrase::new(&"x".repeat(257));
        assert_eq!(too_long, Err(PassphraseError::TooLong(257)));
        assert_eq!(Passphrase::new("a\0b"), Err(PassphraseError::Nul));
    }

    #[test]
    fn a_display_name_may_have_spaces_inside() {
        assert_eq!(
            DisplayName::new("Zoë van der Berg").unwrap().as_str(),
            "Zoë van der Berg"
        );
        assert!(DisplayName::new("").unwrap().is_empty());
        assert_eq!(DisplayName::new(" a"), Err(DisplayNameError::WhiteSpace));
        assert_eq!(DisplayName::new("a\nb"), Err(DisplayNameError::Control));
        let long = "x".repeat(65);
        assert_eq!(DisplayName::new(&long), Err(DisplayNameError::TooLong(65)));
    }
}
