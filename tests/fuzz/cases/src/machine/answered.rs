//! What a registry says.

use arbitrary::Arbitrary;
use p2pchat_model::OnlineUser;
use p2pchat_protocol::{Kind, Response};

use super::ask::Someone;

/// What a registry says.
#[derive(Debug, Arbitrary)]
pub(super) enum Answered {
    Registered,
    LoggedIn,
    WrongCredentials,
    SlowDown,
    NameTaken,
    Found(Someone),
    NotFound,
    LoggedOut,
    WasNotOnline,
    Online(Vec<(Someone, Someone)>),
    NobodyOnline,
    ServerError(u8),
    BadRequest(u8),
    Unknown(u8, u8),
}

impl From<Answered> for Response {
    fn from(answered: Answered) -> Self {
        let kind = |byte: u8| Kind::from_byte(byte % 5).unwrap();
        match answered {
            Answered::Registered => Self::Registered,
            Answered::LoggedIn => Self::LoggedIn,
            Answered::WrongCredentials => Self::WrongCredentials,
            Answered::SlowDown => Self::SlowDown,
            Answered::NameTaken => Self::NameTaken,
            Answered::Found(who) => Self::Found(who.address()),
            Answered::NotFound => Self::NotFound,
            Answered::LoggedOut => Self::LoggedOut,
            Answered::WasNotOnline => Self::WasNotOnline,
            Answered::Online(users) => Self::Online(users.into_iter().map(online).collect()),
            Answered::NobodyOnline => Self::NobodyOnline,
            Answered::ServerError(byte) => Self::ServerError { kind: kind(byte) },
            Answered::BadRequest(kind) => Self::BadRequest { kind },
            Answered::Unknown(byte, status) => Self::Unknown {
                kind: kind(byte),
                status,
            },
        }
    }
}

pub(super) fn online((name, address): (Someone, Someone)) -> OnlineUser {
    OnlineUser {
        name: name.name(),
        address: address.address(),
    }
}
