//! Packets between peer and registry: requests of 27 bytes, responses of 18 (and a list).

use thiserror::Error;

use crate::name::{PasswordError, UsernameError};

mod decode;
mod request;
mod response;

pub use decode::{RequestDecoder, ResponseDecoder};
pub use request::Request;
pub use response::{OnlineUser, Response};

/// The type byte of a request and of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A new account.
    Register = 0,
    /// The start of a session.
    Login = 1,
    /// The address of a user.
    Search = 2,
    /// The end of a session.
    Logout = 3,
    /// The online list.
    AllOnline = 4,
}

impl Kind {
    /// The kind that a type byte stands for.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Register),
            1 => Some(Self::Login),
            2 => Some(Self::Search),
            3 => Some(Self::Logout),
            4 => Some(Self::AllOnline),
            _ => None,
        }
    }
}

/// Why 27 bytes are not a [`Request`]. Each has its response: [`MalformedRequest::response`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MalformedRequest {
    /// No request has this type.
    #[error("unknown request type {0}")]
    UnknownKind(u8),
    /// A name is invalid, or may not be registered.
    #[error("{kind:?}: {source}")]
    Username {
        /// The kind of request.
        kind: Kind,
        /// What is wrong with the name.
        source: UsernameError,
    },
    /// The password is invalid.
    #[error("{kind:?}: {source}")]
    Password {
        /// The kind of request.
        kind: Kind,
        /// What is wrong with the password.
        source: PasswordError,
    },
}

/// Why bytes are not a [`Response`]. Then the connection has to be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ResponseError {
    /// No response has this type.
    #[error("the registry sent a response of unknown type {0}")]
    UnknownKind(u8),
    /// "Found" without a valid address.
    #[error("the registry found a user but sent no address")]
    BadAddress,
    /// An entry of the online list without an end.
    #[error(
        "the registry sent an online list entry of more than {} bytes",
        OnlineUser::MAX_ENTRY
    )]
    LongEntry,
    /// More users than [`ResponseDecoder::MAX_USERS`].
    #[error(
        "the registry sent an online list of more than {} users",
        ResponseDecoder::MAX_USERS
    )]
    LongList,
}
