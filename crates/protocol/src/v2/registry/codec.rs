//! The frames as bytes.

use prost::Message as _;

use super::{
    Binding, Endpoint, FromRegistry, Goodbye, MAX_DEVICES, MAX_TO_REGISTRY, Malformed, Refusal,
    Seat, SeatState, SeatUpdate, SignIn, SignUp, SignedIn, Status, ToRegistry,
};
use crate::PeerAddr;
use crate::v2::frame::{self, Frame, put_message as put};
use crate::v2::key::{Certificate, DeviceId, PersonKey, PublicKey};
use crate::v2::wire;

mod kind {
    pub(super) const SIGN_UP: u8 = 1;
    pub(super) const SIGN_IN: u8 = 2;
    pub(super) const SUBSCRIBE: u8 = 3;
    pub(super) const LOOKUP: u8 = 4;
    pub(super) const SET_STATUS: u8 = 5;
    pub(super) const SET_DISPLAY_NAME: u8 = 6;
    pub(super) const CHANGE_PASSWORD: u8 = 7;
    pub(super) const ALLOW_VERSION_1: u8 = 8;
    pub(super) const SIGN_OUT: u8 = 9;
    pub(super) const PING: u8 = 10;
    // Added later, so one that may be passed over.
    pub(super) const LOOKUP_KEY: u8 = 129;

    pub(super) const WELCOME: u8 = 65;
    pub(super) const DONE: u8 = 66;
    pub(super) const REFUSED: u8 = 67;
    pub(super) const SIGNED_IN: u8 = 68;
    pub(super) const FOUND: u8 = 69;
    pub(super) const SNAPSHOT: u8 = 70;
    pub(super) const DELTA: u8 = 71;
    pub(super) const PONG: u8 = 72;
    pub(super) const GOODBYE: u8 = 73;
}

impl ToRegistry {
    /// Appends the frame to `out`, which the caller wipes if it has a password.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::SignUp(sign_up) => put(out, kind::SIGN_UP, &wire::SignUp::from(sign_up)),
            Self::SignIn(sign_in) => put(out, kind::SIGN_IN, &wire::SignIn::from(sign_in)),
            Self::Subscribe => put(out, kind::SUBSCRIBE, &wire::Empty {}),
            Self::Lookup(name) => put_name(out, kind::LOOKUP, name.as_str()),
            Self::LookupKey(person) => {
                let person = person.0.0.to_vec();
                put(out, kind::LOOKUP_KEY, &wire::LookupKey { person });
            }
            Self::SetStatus(status) => put_number(out, kind::SET_STATUS, *status as u32),
            Self::SetDisplayName(name) => put_name(out, kind::SET_DISPLAY_NAME, name.as_str()),
            Self::ChangePassword { old, new } => {
                let (old, new) = (old.expose().to_owned(), new.expose().to_owned());
                put(
                    out,
                    kind::CHANGE_PASSWORD,
                    &wire::ChangePassword { old, new },
                );
            }
            Self::AllowVersion1(on) => put_number(out, kind::ALLOW_VERSION_1, (*on).into()),
            Self::SignOut => put(out, kind::SIGN_OUT, &wire::Empty {}),
            Self::Ping => put(out, kind::PING, &wire::Empty {}),
        }
    }

    /// Reads a frame. `None` if its kind is unknown and may be skipped.
    ///
    /// # Errors
    /// If it is unknown or malformed.
    pub fn decode(frame: &Frame) -> Result<Option<Self>, Malformed> {
        let message = &frame.message[..];
        let read = match frame.kind {
            kind::SIGN_UP => SignUp::read(message).map(Self::SignUp),
            kind::SIGN_IN => SignIn::read(message).map(Self::SignIn),
            kind::SUBSCRIBE => read_empty(message).map(|()| Self::Subscribe),
            kind::LOOKUP => {
                read_name(message).and_then(|name| Some(Self::Lookup(name.parse().ok()?)))
            }
            kind::LOOKUP_KEY => read_person(message).map(Self::LookupKey),
            kind::SET_STATUS => {
                read_number(message).and_then(|number| Some(Self::SetStatus(status(number)?)))
            }
            kind::SET_DISPLAY_NAME => {
                read_name(message).and_then(|name| Some(Self::SetDisplayName(name.parse().ok()?)))
            }
            kind::CHANGE_PASSWORD => read_passwords(message),
            kind::ALLOW_VERSION_1 => match read_number(message) {
                Some(number @ 0..=1) => Some(Self::AllowVersion1(number == 1)),
                _ => None,
            },
            kind::SIGN_OUT => read_empty(message).map(|()| Self::SignOut),
            kind::PING => read_empty(message).map(|()| Self::Ping),
            kind => return unknown(kind),
        };
        read.map(Some).ok_or(Malformed::Message(frame.kind))
    }
}

impl FromRegistry {
    /// Appends the frame to `out`. Its message must not exceed
    /// [`MAX_FROM_REGISTRY`](super::MAX_FROM_REGISTRY), so the caller cuts a snapshot or delta into
    /// pieces of at most [`Self::USERS`] seats.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Welcome { time } => put(out, kind::WELCOME, &wire::Welcome { time: *time }),
            Self::Done => put(out, kind::DONE, &wire::Empty {}),
            Self::Refused(refusal) => put_number(out, kind::REFUSED, *refusal as u32),
            Self::SignedIn(signed_in) => {
                put(out, kind::SIGNED_IN, &wire::SignedIn::from(signed_in));
            }
            Self::Found(binding) => put(out, kind::FOUND, &wire::Found::from(binding)),
            Self::Snapshot {
                users,
                begins,
                ends,
            } => put(out, kind::SNAPSHOT, &wire_users(users, *begins, *ends)),
            Self::Delta(users) => put(out, kind::DELTA, &wire_users(users, false, false)),
            Self::Pong => put(out, kind::PONG, &wire::Empty {}),
            Self::Goodbye(goodbye) => put_number(out, kind::GOODBYE, *goodbye as u32),
        }
    }

    /// Reads a frame. `None` if its kind is unknown and may be skipped.
    ///
    /// # Errors
    /// If it is unknown or malformed.
    pub fn decode(frame: &Frame) -> Result<Option<Self>, Malformed> {
        let message = &frame.message[..];
        let is_list = matches!(frame.kind, kind::SNAPSHOT | kind::DELTA);
        if !is_list && message.len() > MAX_TO_REGISTRY {
            return Err(Malformed::Message(frame.kind));
        }
        let read = match frame.kind {
            kind::WELCOME => wire::Welcome::decode(message)
                .ok()
                .map(|welcome| Self::Welcome { time: welcome.time }),
            kind::DONE => read_empty(message).map(|()| Self::Done),
            kind::REFUSED => {
                read_number(message).and_then(|number| Some(Self::Refused(refusal(number)?)))
            }
            kind::SIGNED_IN => SignedIn::read(message).map(Self::SignedIn),
            kind::FOUND => Binding::read(message).map(Self::Found),
            kind::SNAPSHOT => read_snapshot(message),
            kind::DELTA => read_users(message).map(|(users, ..)| Self::Delta(users)),
            kind::PONG => read_empty(message).map(|()| Self::Pong),
            kind::GOODBYE => {
                read_number(message).and_then(|number| Some(Self::Goodbye(goodbye(number)?)))
            }
            kind => return unknown(kind),
        };
        read.map(Some).ok_or(Malformed::Message(frame.kind))
    }
}

fn unknown<T>(kind: u8) -> Result<Option<T>, Malformed> {
    if kind >= frame::OPTIONAL {
        Ok(None)
    } else {
        Err(Malformed::Kind(kind))
    }
}

fn put_name(out: &mut Vec<u8>, kind: u8, name: &str) {
    let name = name.to_owned();
    put(out, kind, &wire::Name { name });
}

fn put_number(out: &mut Vec<u8>, kind: u8, number: u32) {
    put(out, kind, &wire::Number { number });
}

fn read_empty(message: &[u8]) -> Option<()> {
    wire::Empty::decode(message).ok().map(|_| ())
}

fn read_name(message: &[u8]) -> Option<String> {
    Some(wire::Name::decode(message).ok()?.name)
}

fn read_person(message: &[u8]) -> Option<PersonKey> {
    let person = wire::LookupKey::decode(message).ok()?.person;
    Some(PersonKey(PublicKey::try_from(&person[..]).ok()?))
}

fn read_number(message: &[u8]) -> Option<u32> {
    Some(wire::Number::decode(message).ok()?.number)
}

fn read_passwords(message: &[u8]) -> Option<ToRegistry> {
    let read = wire::ChangePassword::decode(message).ok()?;
    Some(ToRegistry::ChangePassword {
        old: read.old.parse().ok()?,
        new: read.new.parse().ok()?,
    })
}

fn status(number: u32) -> Option<Status> {
    let all = [Status::Available, Status::Busy, Status::Away];
    all.into_iter().find(|known| *known as u32 == number)
}

fn refusal(number: u32) -> Option<Refusal> {
    Refusal::ALL
        .into_iter()
        .find(|known| *known as u32 == number)
}

fn goodbye(number: u32) -> Option<Goodbye> {
    Goodbye::ALL
        .into_iter()
        .find(|known| *known as u32 == number)
}

fn address(number: u32) -> Option<PeerAddr> {
    PeerAddr::new(number.into()).ok()
}

fn port(number: u32) -> Option<u16> {
    u16::try_from(number).ok().filter(|port| *port != 0)
}

impl From<&SignUp> for wire::SignUp {
    fn from(sign_up: &SignUp) -> Self {
        Self {
            name: sign_up.name.to_string(),
            password: sign_up.password.expose().to_owned(),
            certificate: sign_up.certificate.to_bytes().to_vec(),
            display_name: sign_up.display_name.to_string(),
        }
    }
}

impl SignUp {
    fn read(message: &[u8]) -> Option<Self> {
        let read = wire::SignUp::decode(message).ok()?;
        Some(Self {
            password: read.password.parse().ok()?,
            name: read.name.parse().ok()?,
            certificate: Certificate::from_bytes(&read.certificate)?,
            display_name: read.display_name.parse().ok()?,
        })
    }
}

impl From<&SignIn> for wire::SignIn {
    fn from(sign_in: &SignIn) -> Self {
        let password = sign_in.password.as_ref();
        Self {
            name: sign_in.name.to_string(),
            certificate: sign_in.certificate.to_bytes().to_vec(),
            password: password.map(|password| password.expose().to_owned()),
            port: sign_in.port.into(),
            version_1: sign_in.version_1,
            status: sign_in.status as u32,
        }
    }
}

impl SignIn {
    fn read(message: &[u8]) -> Option<Self> {
        let read = wire::SignIn::decode(message).ok()?;
        let password = match &read.password {
            Some(password) => Some(password.parse().ok()?),
            None => None,
        };
        Some(Self {
            password,
            name: read.name.parse().ok()?,
            certificate: Certificate::from_bytes(&read.certificate)?,
            port: port(read.port)?,
            version_1: read.version_1,
            status: status(read.status)?,
        })
    }
}

impl From<&SignedIn> for wire::SignedIn {
    fn from(signed_in: &SignedIn) -> Self {
        Self {
            serial: signed_in.serial,
            display_name: signed_in.display_name.to_string(),
            address: signed_in.address.ip().into(),
            allows_version_1: signed_in.allows_version_1,
        }
    }
}

impl SignedIn {
    fn read(message: &[u8]) -> Option<Self> {
        let read = wire::SignedIn::decode(message).ok()?;
        Some(Self {
            serial: read.serial,
            display_name: read.display_name.parse().ok()?,
            address: address(read.address)?,
            allows_version_1: read.allows_version_1,
        })
    }
}

impl From<&Binding> for wire::Found {
    fn from(binding: &Binding) -> Self {
        let devices = binding.devices.iter();
        Self {
            name: binding.name.to_string(),
            serial: binding.serial,
            person: binding.person.map_or(Vec::new(), |key| key.0.0.to_vec()),
            display_name: binding.display_name.to_string(),
            devices: devices.map(|device| device.to_bytes().to_vec()).collect(),
        }
    }
}

impl Binding {
    fn read(message: &[u8]) -> Option<Self> {
        let read = wire::Found::decode(message).ok()?;
        if read.devices.len() > MAX_DEVICES {
            return None;
        }
        let person = match &read.person[..] {
            [] => None,
            key => Some(PersonKey(PublicKey::try_from(key).ok()?)),
        };
        let devices = read.devices.iter();
        let devices = devices.map(|device| Certificate::from_bytes(device));
        Some(Self {
            name: read.name.parse().ok()?,
            serial: read.serial,
            person,
            display_name: read.display_name.parse().ok()?,
            devices: devices.collect::<Option<_>>()?,
        })
    }
}

fn wire_users(users: &[SeatUpdate], begins: bool, ends: bool) -> wire::Users {
    let users = users.iter().map(wire_user).collect();
    wire::Users {
        users,
        begins,
        ends,
    }
}

/// A seat that is gone has no address.
fn wire_user((seat, state): &SeatUpdate) -> wire::User {
    let user = wire::User {
        name: seat.name.to_string(),
        device: seat.device.map(|device| u64::from_be_bytes(device.0)),
        ..wire::User::default()
    };
    let Some(state) = state else {
        return user;
    };
    wire::User {
        address: state.endpoint.address.ip().into(),
        port: state.endpoint.port.into(),
        status: state.status as u32,
        version_1: state.version_1,
        serial: state.serial,
        display_name: state.display_name.map(|name| name.to_string()),
        ..user
    }
}

/// A snapshot has those who are online.
fn read_snapshot(message: &[u8]) -> Option<FromRegistry> {
    let (users, begins, ends) = read_users(message)?;
    let are_online = users.iter().all(|(_, state)| state.is_some());
    are_online.then_some(FromRegistry::Snapshot {
        users,
        begins,
        ends,
    })
}

/// The users of a list, counted before there is memory for them: a `Vec` of nothing takes none.
#[derive(Clone, PartialEq, prost::Message)]
struct UserCount {
    #[prost(message, repeated, tag = "1")]
    users: Vec<wire::Empty>,
}

fn read_users(message: &[u8]) -> Option<(Vec<SeatUpdate>, bool, bool)> {
    let count = UserCount::decode(message).ok()?.users.len();
    if count > FromRegistry::USERS {
        return None;
    }
    let read = wire::Users::decode(message).ok()?;
    let users = read.users.iter().map(read_user);
    Some((users.collect::<Option<_>>()?, read.begins, read.ends))
}

fn read_user(read: &wire::User) -> Option<SeatUpdate> {
    let seat = Seat {
        name: read.name.parse().ok()?,
        device: read.device.map(|device| DeviceId(device.to_be_bytes())),
    };
    if read.address == 0 {
        return Some((seat, None));
    }
    let display_name = match &read.display_name {
        Some(name) => Some(name.parse().ok()?),
        None => None,
    };
    let state = SeatState {
        endpoint: Endpoint {
            address: address(read.address)?,
            port: port(read.port)?,
        },
        version_1: read.version_1,
        status: status(read.status)?,
        serial: read.serial,
        display_name,
    };
    Some((seat, Some(state)))
}

#[cfg(test)]
mod tests;
