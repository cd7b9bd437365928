//! Responses of a registry.

use serde::{Deserialize, Serialize};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Kind, ResponseError};
use crate::KEY;
use crate::address::PeerAddr;
use crate::field::filled;
use crate::name::Username;

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Raw {
    kind: u8,
    status: u8,
    message: [u8; 15],
    key: u8,
}

const _: () = assert!(size_of::<Raw>() == Response::HEAD_LEN);

/// A response of a registry. The misspelt texts of PROTOCOL.md are part of the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// (0, 20): the account is created, durably.
    Registered,
    /// (0, 40): there is an account of this name.
    NameTaken,
    /// (0, 42): the name may not be registered.
    BadUsername,
    /// (0, 43): the password may not be used.
    BadPassword,
    /// (1, 21): the session has begun.
    LoggedIn,
    /// (1, 41): wrong user name or password.
    WrongCredentials,
    /// (1, 49): too many recent logins or failures; try again later.
    SlowDown,
    /// (2, 22): the address of the user.
    Found(PeerAddr),
    /// (2, 44): no such user, or not online.
    NotFound,
    /// (3, 25): the session has ended.
    LoggedOut,
    /// (3, 45): there was no such session.
    WasNotOnline,
    /// (4, 24): the online list.
    Online(Vec<OnlineUser>),
    /// (4, 46): no user is online.
    NobodyOnline,
    /// (kind, 50): the store failed.
    ServerError {
        /// The kind of request.
        kind: Kind,
    },
    /// (kind, 48): no request has this type.
    BadRequest {
        /// The type byte that was sent.
        kind: u8,
    },
    /// A failure that this version does not know.
    Unknown {
        /// The kind of request.
        kind: Kind,
        /// The status byte.
        status: u8,
    },
}

impl Response {
    /// The length of a response without its list, in bytes.
    pub const HEAD_LEN: usize = 18;

    /// The type byte of the request that this answers.
    #[must_use]
    pub fn kind_byte(&self) -> u8 {
        self.encode_head()[0]
    }

    /// Appends the whole response to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.encode_head());
        if let Self::Online(users) = self {
            for user in users {
                user.encode(out);
            }
        }
    }

    /// The first 18 bytes: all of any response but [`Response::Online`].
    #[must_use]
    pub fn encode_head(&self) -> [u8; Self::HEAD_LEN] {
        let (kind, status, text) = match *self {
            Self::Registered => (0, 20, "registered"),
            Self::NameTaken => (0, 40, "duplicatecreden"),
            Self::BadUsername => (0, 42, "badusername"),
            Self::BadPassword => (0, 43, "badpassword"),
            Self::LoggedIn => (1, 21, "succesfullyogin"),
            Self::WrongCredentials => (1, 41, "invalidcredent"),
            Self::SlowDown => (1, 49, "slowdown"),
            Self::Found(_) => (2, 22, ""),
            Self::NotFound => (2, 44, "notfound"),
            Self::LoggedOut => (3, 25, "succesfulyexit"),
            Self::WasNotOnline => (3, 45, "usernotfound"),
            Self::Online(_) => (4, 24, "online list"),
            Self::NobodyOnline => (4, 46, "no online user"),
            Self::ServerError { kind } => (kind as u8, 50, "erorserver"),
            Self::BadRequest { kind } => (kind, 48, "badrequest"),
            Self::Unknown { kind, status } => (kind as u8, status, ""),
        };
        let message = match self {
            Self::Found(address) => address.to_field(),
            _ => filled(text),
        };
        zerocopy::transmute!(Raw {
            kind,
            status,
            message,
            key: KEY,
        })
    }

    /// Reads the first 18 bytes. A list that follows is not in it yet.
    pub(super) fn decode_head(head: &[u8; Self::HEAD_LEN]) -> Result<Self, ResponseError> {
        let raw: &Raw = zerocopy::transmute_ref!(head);
        if raw.status == 48 {
            return Ok(Self::BadRequest { kind: raw.kind });
        }
        let kind = Kind::from_byte(raw.kind).ok_or(ResponseError::UnknownKind(raw.kind))?;
        Ok(match (raw.kind, raw.status) {
            (0, 20) => Self::Registered,
            (0, 40) => Self::NameTaken,
            (0, 42) => Self::BadUsername,
            (0, 43) => Self::BadPassword,
            (1, 21) => Self::LoggedIn,
            (1, 41) => Self::WrongCredentials,
            (1, 49) => Self::SlowDown,
            (2, 22) => Self::Found(
                PeerAddr::from_field(&raw.message).map_err(|_| ResponseError::BadAddress)?,
            ),
            (2, 44) => Self::NotFound,
            (3, 25) => Self::LoggedOut,
            (3, 45) => Self::WasNotOnline,
            (4, 24) => Self::Online(Vec::new()),
            (4, 46) => Self::NobodyOnline,
            (_, 50) => Self::ServerError { kind },
            (_, status) => Self::Unknown { kind, status },
        })
    }
}

/// One entry of the online list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OnlineUser {
    /// Their name.
    pub name: Username,
    /// Their address.
    pub address: PeerAddr,
}

impl OnlineUser {
    /// The end of each entry.
    pub const SEPARATOR: &'static [u8; 4] = b" \t\n ";
    /// The longest entry, in bytes, separator included.
    pub const MAX_ENTRY: usize = Username::MAX + 1 + PeerAddr::FIELD + Self::SEPARATOR.len();

    /// Appends the entry, separator included, to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.name.as_str().as_bytes());
        out.push(b'-');
        self.address.put_dotted(out);
        out.extend_from_slice(Self::SEPARATOR);
    }

    /// Reads an entry without its separator; `None` if it is not `name-address`.
    pub(super) fn decode(entry: &[u8]) -> Option<Self> {
        let hyphen = entry.iter().rposition(|&byte| byte == b'-')?;
        Some(Self {
            name: Username::new(std::str::from_utf8(&entry[..hyphen]).ok()?).ok()?,
            address: PeerAddr::from_text_bytes(&entry[hyphen + 1..]).ok()?,
        })
    }
}
