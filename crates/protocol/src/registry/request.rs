//! Requests of a peer to a registry.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Kind, MalformedRequest, Response};
use crate::KEY;
use crate::field::filled;
use crate::name::{Password, Username};

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Raw {
    kind: u8,
    username: [u8; Username::MAX],
    data: [u8; 15],
    key: u8,
}

const _: () = assert!(size_of::<Raw>() == Request::LEN);

/// A request of a peer to a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// "Make an account."
    Register {
        /// Its name.
        username: Username,
        /// Its password.
        password: Password,
    },
    /// "I am this user, at the address that this connection comes from."
    Login {
        /// The user.
        username: Username,
        /// The password of the account.
        password: Password,
    },
    /// "Where is this user?"
    Search {
        /// The user who asks. Nothing depends on it.
        username: Username,
        /// The user to find.
        target: Username,
    },
    /// "I am leaving."
    Logout {
        /// The user.
        username: Username,
    },
    /// "Who is online?"
    AllOnline {
        /// The user who asks. Nothing depends on it.
        username: Username,
    },
}

impl Request {
    /// The length of the packet, in bytes.
    pub const LEN: usize = 27;
    const LOGOUT_WORD: &'static str = "LOGOUT";
    const ALL_WORD: &'static str = "All";

    /// The kind of request.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Register { .. } => Kind::Register,
            Self::Login { .. } => Kind::Login,
            Self::Search { .. } => Kind::Search,
            Self::Logout { .. } => Kind::Logout,
            Self::AllOnline { .. } => Kind::AllOnline,
        }
    }

    /// The packet.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LEN] {
        let (username, data) = match self {
            Self::Register { username, password } | Self::Login { username, password } => {
                (username, password.expose())
            }
            Self::Search { username, target } => (username, target.as_str()),
            Self::Logout { username } => (username, Self::LOGOUT_WORD),
            Self::AllOnline { username } => (username, Self::ALL_WORD),
        };
        zerocopy::transmute!(Raw {
            kind: self.kind() as u8,
            username: filled(username.as_str()),
            data: filled(data),
            key: KEY,
        })
    }

    /// Reads a packet.
    ///
    /// # Errors
    /// If its type is unknown or one of its texts is invalid. The name of a new account has to
    /// pass [`Username::check_new`] too.
    pub fn decode(packet: &[u8; Self::LEN]) -> Result<Self, MalformedRequest> {
        let raw: &Raw = zerocopy::transmute_ref!(packet);
        let kind = Kind::from_byte(raw.kind).ok_or(MalformedRequest::UnknownKind(raw.kind))?;
        let bad_name = |source| MalformedRequest::Username { kind, source };
        let username = Username::from_field(&raw.username).map_err(bad_name)?;
        let password = || {
            Password::from_field(&raw.data)
                .map_err(|source| MalformedRequest::Password { kind, source })
        };
        Ok(match kind {
            Kind::Register => {
                username.check_new().map_err(bad_name)?;
                Self::Register {
                    username,
                    password: password()?,
                }
            }
            Kind::Login => Self::Login {
                username,
                password: password()?,
            },
            Kind::Search => Self::Search {
                username,
                target: Username::from_field(&raw.data).map_err(bad_name)?,
            },
            Kind::Logout => Self::Logout { username },
            Kind::AllOnline => Self::AllOnline { username },
        })
    }
}

impl MalformedRequest {
    /// The response of the registry: to Register, what is wrong; to the others, the failure
    /// that every client knows.
    #[must_use]
    pub fn response(&self) -> Response {
        match *self {
            Self::UnknownKind(kind) => Response::BadRequest { kind },
            Self::Username { kind, .. } => match kind {
                Kind::Register => Response::BadUsername,
                Kind::Login => Response::WrongCredentials,
                Kind::Search => Response::NotFound,
                Kind::Logout => Response::WasNotOnline,
                Kind::AllOnline => Response::NobodyOnline,
            },
            Self::Password { kind, .. } => match kind {
                Kind::Register => Response::BadPassword,
                _ => Response::WrongCredentials,
            },
        }
    }

    /// Whether the connection is closed after the response.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::UnknownKind(_))
    }
}
