//! Presence: the datagram that says "still here".

use thiserror::Error;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::KEY;
use crate::field::{filled, text_bytes};
use crate::name::{Username, UsernameError};

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Raw {
    kind: u8,
    username: [u8; Username::MAX],
    message: [u8; 10],
    key: u8,
}

const _: () = assert!(size_of::<Raw>() == Hello::LEN);

/// A hello: "this user is still here", sent by a logged-in peer from its own address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// The user.
    pub username: Username,
}

/// Why a datagram is not a [`Hello`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HelloError {
    /// Not 22 bytes.
    #[error("a hello has {max} bytes, this datagram has {0}", max = Hello::LEN)]
    Length(usize),
    /// Not of type 5, or without the word `HELLO`.
    #[error("not a hello")]
    NotHello,
    /// The name is invalid.
    #[error(transparent)]
    Username(#[from] UsernameError),
}

impl Hello {
    /// The length of the datagram, in bytes.
    pub const LEN: usize = 22;
    const KIND: u8 = 5;
    const WORD: &'static str = "HELLO";

    /// The datagram.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LEN] {
        zerocopy::transmute!(Raw {
            kind: Self::KIND,
            username: filled(self.username.as_str()),
            message: filled(Self::WORD),
            key: KEY,
        })
    }

    /// Reads a datagram.
    ///
    /// # Errors
    /// If it has another length, type or word, or an invalid name.
    pub fn decode(datagram: &[u8]) -> Result<Self, HelloError> {
        let raw = Raw::ref_from_bytes(datagram).map_err(|_| HelloError::Length(datagram.len()))?;
        if raw.kind != Self::KIND || text_bytes(&raw.message) != Self::WORD.as_bytes() {
            return Err(HelloError::NotHello);
        }
        Ok(Self {
            username: Username::from_field(&raw.username)?,
        })
    }
}
