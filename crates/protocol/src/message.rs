//! Chat messages: one message, one connection, 111 bytes.

use thiserror::Error;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::field::filled;
use crate::name::{ChatText, ChatTextError, Username, UsernameError};

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Raw {
    kind: u8,
    username: [u8; Username::MAX],
    text: [u8; ChatText::MAX],
}

const _: () = assert!(size_of::<Raw>() == Message::LEN);

/// A text from one member of a chat to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// The type byte: 0 as specified (and as [`Message::new`] has it), 2 from legacy clients.
    /// Receivers ignore it.
    pub kind: u8,
    /// The name that the sender gives.
    pub from: Username,
    /// The text.
    pub text: ChatText,
}

/// Why bytes are not a [`Message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MessageError {
    /// Not 111 bytes.
    #[error("a message has {max} bytes, here are {0}", max = Message::LEN)]
    Length(usize),
    /// The sender's name is invalid.
    #[error(transparent)]
    From(#[from] UsernameError),
    /// The text is invalid.
    #[error(transparent)]
    Text(#[from] ChatTextError),
}

impl Message {
    /// The length of the packet, in bytes.
    pub const LEN: usize = 111;

    /// A message as it is sent: of type 0.
    #[must_use]
    pub fn new(from: Username, text: ChatText) -> Self {
        Self {
            kind: 0,
            from,
            text,
        }
    }

    /// The packet.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LEN] {
        zerocopy::transmute!(Raw {
            kind: self.kind,
            username: filled(self.from.as_str()),
            text: filled(self.text.as_str()),
        })
    }

    /// Reads a packet.
    ///
    /// # Errors
    /// If it has another length, or its name or text is invalid.
    pub fn decode(packet: &[u8]) -> Result<Self, MessageError> {
        let raw = Raw::ref_from_bytes(packet).map_err(|_| MessageError::Length(packet.len()))?;
        Ok(Self {
            kind: raw.kind,
            from: Username::from_field(&raw.username)?,
            text: ChatText::from_field(&raw.text)?,
        })
    }
}
