//! The texts in packets, each checked in one place: [`Username`], [`Password`] and
//! [`ChatText`].

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use arrayvec::ArrayString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::field;

/// The name of an account: 1 to 10 bytes of UTF-8 without control characters.
///
/// That is the rule for names in packets. The rule for *new* names is stricter, see
/// [`Username::check_new`]: the names of accounts in a legacy database may hold spaces or look
/// like addresses, and their owners must still be able to log in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Username(ArrayString<{ Username::MAX }>);

/// Why a text is not a [`Username`], and what would be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UsernameError {
    /// No bytes at all.
    #[error("a name is needed, of up to {} letters", Username::MAX)]
    Empty,
    /// More bytes than the field holds.
    #[error(
        "this name is too long by {}; accented and non-Latin letters count double or more",
        .0.saturating_sub(Username::MAX)
    )]
    TooLong(usize),
    /// Bytes that are not UTF-8.
    #[error("a name must be UTF-8 text")]
    NotUtf8,
    /// A control character, which could break lists and terminals.
    #[error("no control characters in the name, please: this one has U+{:04X}", *.0 as u32)]
    Control(char),
    /// White space in a new name.
    #[error("no spaces in the name, please")]
    WhiteSpace,
    /// A new name that is read as an address where both can be typed.
    #[error("a name may not look like an IP address")]
    Address,
}

impl Username {
    /// The width of the field, in bytes.
    pub const MAX: usize = 10;

    /// Checks and wraps a name.
    ///
    /// # Errors
    /// If it is empty, longer than [`Username::MAX`] bytes or holds a control character.
    pub fn new(name: &str) -> Result<Self, UsernameError> {
        if name.is_empty() {
            return Err(UsernameError::Empty);
        }
        if let Some(control) = name.chars().find(|c| c.is_control()) {
            return Err(UsernameError::Control(control));
        }
        ArrayString::from(name)
            .map(Self)
            .map_err(|_| UsernameError::TooLong(name.len()))
    }

    /// Checks what a name must satisfy beyond [`Username::new`] to be registered.
    ///
    /// # Errors
    /// If it holds white space, or is an IPv4 or IPv6 address: `/block 10.0.0.42` has to mean
    /// the machine and nobody else.
    pub fn check_new(&self) -> Result<(), UsernameError> {
        if self.0.chars().any(char::is_whitespace) {
            return Err(UsernameError::WhiteSpace);
        }
        if self.0.parse::<IpAddr>().is_ok() {
            return Err(UsernameError::Address);
        }
        Ok(())
    }

    /// Whether legacy clients understand this name: they need a NUL at the end of the field.
    #[must_use]
    pub fn is_legacy_compatible(&self) -> bool {
        self.0.len() < Self::MAX
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn from_field(bytes: &[u8]) -> Result<Self, UsernameError> {
        Self::new(field::text(bytes).ok_or(UsernameError::NotUtf8)?)
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl<'de> Deserialize<'de> for Username {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// A password: 1 to 15 bytes of UTF-8. Hidden in `Debug`, wiped on drop.
///
/// It is serialised as plain text, because that is how a page hands it to its bridge.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Password {
    bytes: [u8; Password::MAX],
    len: usize,
}

/// Why a text is not a [`Password`], and what would be valid. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// No bytes at all.
    #[error("a password is needed, of up to {} letters", Password::MAX)]
    Empty,
    /// More bytes than the field holds.
    #[error(
        "this password is too long by {}; accented and non-Latin letters count double or more",
        .0.saturating_sub(Password::MAX)
    )]
    TooLong(usize),
    /// A NUL, which would end it early.
    #[error("no NUL characters in the password, please")]
    Nul,
    /// Bytes that are not UTF-8.
    #[error("a password must be UTF-8 text")]
    NotUtf8,
}

impl Password {
    /// The width of the field, in bytes.
    pub const MAX: usize = 15;

    /// Checks and copies a password.
    ///
    /// # Errors
    /// If it is empty, longer than [`Password::MAX`] bytes or holds a NUL.
    pub fn new(password: &str) -> Result<Self, PasswordError> {
        let len = password.len();
        if len == 0 {
            return Err(PasswordError::Empty);
        }
        if len > Self::MAX {
            return Err(PasswordError::TooLong(len));
        }
        if password.contains('\0') {
            return Err(PasswordError::Nul);
        }
        Ok(Self {
            bytes: field::filled(password),
            len,
        })
    }

    /// Whether legacy clients understand this password: they need a NUL at the end of the field.
    #[must_use]
    pub fn is_legacy_compatible(&self) -> bool {
        self.len < Self::MAX
    }

    /// The password itself, for the wire and for the hash function.
    #[must_use]
    pub fn expose(&self) -> &str {
        match std::str::from_utf8(&self.bytes[..self.len]) {
            Ok(text) => text,
            Err(_) => unreachable!("made from a str of this length"),
        }
    }

    pub(crate) fn from_field(bytes: &[u8]) -> Result<Self, PasswordError> {
        Self::new(field::text(bytes).ok_or(PasswordError::NotUtf8)?)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

impl FromStr for Password {
    type Err = PasswordError;

    fn from_str(password: &str) -> Result<Self, Self::Err> {
        Self::new(password)
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Self::new(&text).map_err(de::Error::custom)
    }
}

/// The text of one message packet: 1 to 100 bytes of UTF-8 without NUL.
///
/// Our peers send at most [`ChatText::MAX_SENT`] bytes and understand 100. Control characters
/// are allowed, since a line break is one: a front end has to make a text printable before it
/// shows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ChatText(ArrayString<{ ChatText::MAX }>);

/// Why a text is not a [`ChatText`], and what would be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ChatTextError {
    /// No bytes at all.
    #[error("a message needs a text")]
    Empty,
    /// More bytes than the field holds.
    #[error(
        "one message carries at most {max} bytes, this text has {0}",
        max = ChatText::MAX
    )]
    TooLong(usize),
    /// A NUL, which would end it early.
    #[error("a message may not hold a NUL character")]
    Nul,
    /// Bytes that are not UTF-8.
    #[error("a message must be UTF-8 text")]
    NotUtf8,
}

impl ChatText {
    /// The width of the field, in bytes.
    pub const MAX: usize = 100;
    /// How many bytes we put into the field: a legacy client crashes on a text field without a
    /// NUL.
    pub const MAX_SENT: usize = 99;

    /// Checks and copies a text.
    ///
    /// # Errors
    /// If it is empty, longer than [`ChatText::MAX`] bytes or holds a NUL.
    pub fn new(text: &str) -> Result<Self, ChatTextError> {
        if text.is_empty() {
            return Err(ChatTextError::Empty);
        }
        if text.contains('\0') {
            return Err(ChatTextError::Nul);
        }
        ArrayString::from(text)
            .map(Self)
            .map_err(|_| ChatTextError::TooLong(text.len()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn from_field(bytes: &[u8]) -> Result<Self, ChatTextError> {
        Self::new(field::text(bytes).ok_or(ChatTextError::NotUtf8)?)
    }
}

/// Shows the length only: texts of users must not appear in logs.
impl fmt::Debug for ChatText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChatText({} bytes)", self.0.len())
    }
}

impl FromStr for ChatText {
    type Err = ChatTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for ChatText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_is_wrong_with_it() {
        assert_eq!(Username::new(""), Err(UsernameError::Empty));
        assert_eq!(
            Username::new("elevenbytes"),
            Err(UsernameError::TooLong(11))
        );
        assert_eq!(
            Username::new("a\u{1b}b"),
            Err(UsernameError::Control('\u{1b}'))
        );
        assert_eq!(Username::from_field(b"\xff"), Err(UsernameError::NotUtf8));
        assert_eq!(
            Username::new("ütf-äöüß").unwrap_err().to_string(),
            "this name is too long by 3; accented and non-Latin letters count double or more"
        );
    }

    #[test]
    fn a_legacy_name_may_hold_a_space_and_a_new_one_may_not() {
        let name = Username::new("john doe").unwrap();
        assert_eq!(name.check_new(), Err(UsernameError::WhiteSpace));
        assert_eq!(Username::new("mary-ann").unwrap().check_new(), Ok(()));
    }

    #[test]
    fn a_legacy_name_may_look_like_an_address_and_a_new_one_may_not() {
        for name in [
            "10.0.0.42",
            "127.0.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "::1",
            "fe80::1",
        ] {
            let name = Username::new(name).unwrap();
            assert_eq!(name.check_new(), Err(UsernameError::Address), "{name}");
        }
        // No parser here reads these as an address.
        for name in [
            "1.2.3",
            "10.0.0.420",
            "010.0.0.1",
            "1.2.3.4.5",
            "42",
            "a.b.c.d",
            "v1.0.0.1",
        ] {
            assert_eq!(Username::new(name).unwrap().check_new(), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_and_passwords_that_fill_their_field_are_flagged() {
        assert!(!Username::new("abcdefghij").unwrap().is_legacy_compatible());
        assert!(Username::new("abcdefghi").unwrap().is_legacy_compatible());
        assert!(
            !Password::new("123456789012345")
                .unwrap()
                .is_legacy_compatible()
        );
        assert!(
            Password::new("12345678901234")
                .unwrap()
                .is_legacy_compatible()
        );
    }

    #[test]
    fn a_password_is_hidden_and_wiped() {
        let mut password = Password::new("secret").unwrap();
        assert_eq!(format!("{password:?}"), "Password(hidden)");
        password.zeroize();
        assert_eq!(password.expose(), "");
        assert_eq!(Password::new(""), Err(PasswordError::Empty));
        assert_eq!(
            Password::new("1234567890123456"),
            Err(PasswordError::TooLong(16))
        );
        assert_eq!(Password::new("a\0b"), Err(PasswordError::Nul));
    }

    #[test]
    fn a_chat_text_is_kept_out_of_debug_output() {
        let text = ChatText::new("between us").unwrap();
        assert_eq!(format!("{text:?}"), "ChatText(10 bytes)");
        assert_eq!(
            ChatText::new(&"x".repeat(101)),
            Err(ChatTextError::TooLong(101))
        );
    }
}
