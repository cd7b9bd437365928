//! The frames between a client and a registry, over one TLS connection (ALPN [`ALPN`]).
//!
//! The registry sends [`FromRegistry::Welcome`] first. It answers requests in their order, one
//! answer each; snapshots, deltas and goodbyes come in between.

use std::time::Duration;

use prost::Message as _;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::frame::{self, Frame};
use super::key::{Certificate, DeviceId, PersonKey, PublicKey};
use super::text::{DisplayName, Passphrase};
use super::wire;
use crate::{PeerAddr, Username};

/// The name of this protocol in TLS.
pub const ALPN: &[u8] = b"p2pchat-registry/2";
/// The longest message of a client that is not signed in, in bytes: a sign-up has some 500.
pub const MAX_FIRST: usize = 1024;
/// The longest message of a client that is signed in, in bytes.
pub const MAX_TO_REGISTRY: usize = 4096;
/// The longest message of a registry, in bytes: a snapshot comes in pieces.
pub const MAX_FROM_REGISTRY: usize = 64 * 1024;
/// The most devices that one person has at a registry.
pub const MAX_DEVICES: usize = 16;
/// After how much time without a frame of its own a client sends a ping.
pub const PING_INTERVAL: Duration = Duration::from_secs(15);
/// After how much time without a frame the other side counts as gone: three pings.
pub const SILENCE: Duration = Duration::from_secs(45);

/// Whether a user can be talked to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// They are there.
    #[default]
    Available,
    /// They take no chat requests.
    Busy,
    /// They have not used the program for a while.
    Away,
}

/// Where a program listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The address that its connection to the registry comes from.
    pub address: PeerAddr,
    /// The port that it has named; not 0.
    pub port: u16,
}

/// One place where a user is online: an account on a device; without one, a login of version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat {
    /// The account.
    pub name: Username,
    /// The device.
    pub device: Option<DeviceId>,
}

/// What presence tells of a [`Seat`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatState {
    /// Where it listens. The port of a version 1 login is that of version 1.
    pub endpoint: Endpoint,
    /// Whether it listens for version 1 at that address.
    pub version_1: bool,
    /// Whether they can be talked to.
    pub status: Status,
    /// The serial of the binding of the name; 0 if it has none. Keys are looked up when it has
    /// changed.
    pub serial: u64,
    /// The display name: in each snapshot, and in a delta if the serial has changed.
    pub display_name: Option<DisplayName>,
}

/// The state of a seat, `None` if it is not online any more.
pub type SeatUpdate = (Seat, Option<SeatState>);

/// What a registry vouches for: the person key of a name, and their devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The account.
    pub name: Username,
    /// Counts the changes. A lower one than was seen before is ignored.
    pub serial: u64,
    /// The person. `None` after an operator has reset the key: the next one who signs in with the
    /// password is bound.
    pub person: Option<PersonKey>,
    /// The display name.
    pub display_name: DisplayName,
    /// At most [`MAX_DEVICES`], each certified by the person.
    pub devices: Vec<Certificate>,
}

/// A new account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignUp {
    /// Its name.
    pub name: Username,
    /// Its password.
    pub password: Passphrase,
    /// The device that TLS has authenticated, certified by the person that the name is bound to.
    pub certificate: Certificate,
    /// The display name.
    pub display_name: DisplayName,
}

/// The begin of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The account.
    pub name: Username,
    /// The device that TLS has authenticated, certified by a person.
    pub certificate: Certificate,
    /// The password, where the name is bound to no person yet.
    pub password: Option<Passphrase>,
    /// The port at which the client listens for peers.
    pub port: u16,
    /// Whether it listens for version 1 at the address of this connection.
    pub version_1: bool,
    /// Whether the user can be talked to.
    pub status: Status,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToRegistry {
    /// Create an account: `Done` or `Refused`.
    SignUp(SignUp),
    /// Begin a session: `SignedIn` or `Refused`.
    SignIn(SignIn),
    /// Send a snapshot of who is online, and deltas from then on: `Done` or `Refused`.
    Subscribe,
    /// Who is bound to a name: `Found` or `Refused`.
    Lookup(Username),
    /// Set the status: `Done` or `Refused`.
    SetStatus(Status),
    /// Set the display name: `Done` or `Refused`.
    SetDisplayName(DisplayName),
    /// Change the password: `Done` or `Refused`.
    ChangePassword {
        /// The one that it is now.
        old: Passphrase,
        /// The one that it shall be.
        new: Passphrase,
    },
    /// Set whether the name can log in by version 1, with its password and unencrypted: `Done` or
    /// `Refused`.
    AllowVersion1(bool),
    /// End the session: `Done` or `Refused`.
    SignOut,
    /// A sign of life: `Pong`.
    Ping,
}

/// The answer to [`ToRegistry::SignIn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedIn {
    /// The serial of the binding.
    pub serial: u64,
    /// The display name.
    pub display_name: DisplayName,
    /// The address that others see.
    pub address: PeerAddr,
    /// Whether the name can log in by version 1.
    pub allows_version_1: bool,
}

/// What a registry sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromRegistry {
    /// The first frame: the key of the client is accepted.
    Welcome {
        /// The wall clock of the registry, in milliseconds since 1970.
        time: u64,
    },
    /// It is done.
    Done,
    /// It is not done.
    Refused(Refusal),
    /// The session has begun.
    SignedIn(SignedIn),
    /// The binding of a name.
    Found(Binding),
    /// A part of the list of who is online.
    Snapshot {
        /// Seats that are online.
        users: Vec<SeatUpdate>,
        /// Whether it is the first part: what was known before is forgotten.
        begins: bool,
        /// Whether it is the last.
        ends: bool,
    },
    /// What has changed since.
    Delta(Vec<SeatUpdate>),
    /// The answer to a ping.
    Pong,
    /// The last frame: why the registry closes the connection.
    Goodbye(Goodbye),
}

/// Why a registry refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// There is an account with this name.
    NameTaken = 1,
    /// The name may not be registered.
    BadName = 2,
    /// No account with this name, or a wrong password: it does not tell which.
    WrongCredentials = 3,
    /// Too many attempts.
    SlowDown = 4,
    /// The database of the registry failed.
    Failed = 5,
    /// The name is bound to no person: the password is needed.
    PasswordNeeded = 6,
    /// The name is bound to another person.
    OtherPerson = 7,
    /// The certificate is not one for the key that TLS has authenticated.
    BadCertificate = 8,
    /// An operator has removed this device.
    DeviceForgotten = 9,
    /// The person has [`MAX_DEVICES`] devices.
    TooManyDevices = 10,
    /// This needs a session.
    NotSignedIn = 11,
    /// There is a session on this connection.
    AlreadySignedIn = 12,
    /// The name is bound to no person.
    NotFound = 13,
    /// The client has no address that others could reach.
    NoAddress = 14,
}

/// Why a registry closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Goodbye {
    /// It stops.
    Stopping = 1,
    /// An operator has removed the account or the device, or has reset the key.
    AccessChanged = 2,
    /// It could not read a frame.
    Malformed = 3,
    /// The device has signed in on another connection.
    Replaced = 4,
}

/// The other side sent a frame that cannot be read. The connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// The kind is not known, and is not one that may be skipped.
    #[error("a frame of the unknown kind {0}")]
    Kind(u8),
    /// The message is not what its kind says.
    #[error("a frame of kind {0} cannot be read")]
    Message(u8),
}

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
    /// Appends the frame to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::SignUp(sign_up) => put(out, kind::SIGN_UP, &wire::SignUp::from(sign_up)),
            Self::SignIn(sign_in) => put(out, kind::SIGN_IN, &wire::SignIn::from(sign_in)),
            Self::Subscribe => put(out, kind::SUBSCRIBE, &wire::Empty {}),
            Self::Lookup(name) => put_name(out, kind::LOOKUP, name.as_str()),
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
    /// Appends the frame to `out`. Nothing may be appended that exceeds [`MAX_FROM_REGISTRY`]:
    /// the caller cuts a snapshot or delta into pieces of at most [`Self::USERS`] seats.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Welcome { time } => put(out, kind::WELCOME, &wire::Welcome { time: *time }),
            Self::Done => put(out, kind::DONE, &wire::Empty {}),
            Self::Refused(refusal) => put_number(out, kind::REFUSED, *refusal as u32),
            Self::SignedIn(signed_in) => {
                put(out, kind::SIGNED_IN, &wire::SignedIn::from(signed_in))
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

    /// The most seats in one frame. Each takes at most 128 bytes.
    pub const USERS: usize = MAX_FROM_REGISTRY / 128;

    /// Reads a frame. `None` if its kind is unknown and may be skipped.
    ///
    /// # Errors
    /// If it is unknown or malformed.
    pub fn decode(frame: &Frame) -> Result<Option<Self>, Malformed> {
        let message = &frame.message[..];
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
            kind::SNAPSHOT => read_users(message).map(|(users, begins, ends)| Self::Snapshot {
                users,
                begins,
                ends,
            }),
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

fn put(out: &mut Vec<u8>, kind: u8, message: &impl prost::Message) {
    frame::put(out, kind, |out| {
        message
            .encode(out)
            .expect("a Vec has room for every message");
    });
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

fn read_number(message: &[u8]) -> Option<u32> {
    Some(wire::Number::decode(message).ok()?.number)
}

fn read_passwords(message: &[u8]) -> Option<ToRegistry> {
    let wire::ChangePassword { old, new } = wire::ChangePassword::decode(message).ok()?;
    Some(ToRegistry::ChangePassword {
        old: passphrase(old)?,
        new: passphrase(new)?,
    })
}

/// Checks a password, and wipes what it came in.
fn passphrase(text: String) -> Option<Passphrase> {
    let text = zeroize::Zeroizing::new(text);
    Passphrase::new(&text).ok()
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

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::NameTaken,
        Self::BadName,
        Self::WrongCredentials,
        Self::SlowDown,
        Self::Failed,
        Self::PasswordNeeded,
        Self::OtherPerson,
        Self::BadCertificate,
        Self::DeviceForgotten,
        Self::TooManyDevices,
        Self::NotSignedIn,
        Self::AlreadySignedIn,
        Self::NotFound,
        Self::NoAddress,
    ];
}

impl Goodbye {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Stopping,
        Self::AccessChanged,
        Self::Malformed,
        Self::Replaced,
    ];
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
            password: passphrase(read.password)?,
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
        let password = match read.password {
            Some(password) => Some(passphrase(password)?),
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

fn read_users(message: &[u8]) -> Option<(Vec<SeatUpdate>, bool, bool)> {
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
mod tests {
    use super::*;
    use crate::v2::FrameDecoder;
    use crate::v2::key::{DeviceKey, Signature};

    fn certificate() -> Certificate {
        Certificate {
            device: DeviceKey(PublicKey([1; 32])),
            person: PersonKey(PublicKey([2; 32])),
            signature: Signature([3; 64]),
        }
    }

    fn name() -> Username {
        "bob".parse().unwrap()
    }

    fn to_registry() -> Vec<ToRegistry> {
        let password = Passphrase::new("a long password of many words").unwrap();
        vec![
            ToRegistry::SignUp(SignUp {
                name: name(),
                password: password.clone(),
                certificate: certificate(),
                display_name: "Bob B.".parse().unwrap(),
            }),
            ToRegistry::SignIn(SignIn {
                name: name(),
                certificate: certificate(),
                password: Some(password.clone()),
                port: 5858,
                version_1: true,
                status: Status::Away,
            }),
            ToRegistry::Subscribe,
            ToRegistry::Lookup(name()),
            ToRegistry::SetStatus(Status::Busy),
            ToRegistry::SetDisplayName(DisplayName::default()),
            ToRegistry::ChangePassword {
                old: password.clone(),
                new: password,
            },
            ToRegistry::AllowVersion1(true),
            ToRegistry::SignOut,
            ToRegistry::Ping,
        ]
    }

    fn seat() -> Seat {
        Seat {
            name: name(),
            device: Some(certificate().device.id()),
        }
    }

    fn state() -> SeatState {
        SeatState {
            endpoint: Endpoint {
                address: "10.0.0.9".parse().unwrap(),
                port: 5858,
            },
            version_1: true,
            status: Status::Available,
            serial: 1,
            display_name: Some("Bob".parse().unwrap()),
        }
    }

    fn from_registry() -> Vec<FromRegistry> {
        vec![
            FromRegistry::Welcome { time: 7 },
            FromRegistry::Done,
            FromRegistry::Refused(Refusal::NoAddress),
            FromRegistry::SignedIn(SignedIn {
                serial: 2,
                display_name: DisplayName::default(),
                address: "10.0.0.9".parse().unwrap(),
                allows_version_1: false,
            }),
            FromRegistry::Found(Binding {
                name: name(),
                serial: 3,
                person: Some(certificate().person),
                display_name: "Bob".parse().unwrap(),
                devices: vec![certificate(); MAX_DEVICES],
            }),
            FromRegistry::Snapshot {
                users: vec![(seat(), Some(state()))],
                begins: true,
                ends: false,
            },
            FromRegistry::Delta(vec![(seat(), None)]),
            FromRegistry::Pong,
            FromRegistry::Goodbye(Goodbye::Replaced),
        ]
    }

    fn frame(bytes: &[u8]) -> Frame {
        let mut rest = bytes;
        let frame = FrameDecoder::default().next(&mut rest, bytes.len());
        assert!(rest.is_empty());
        frame.unwrap().unwrap()
    }

    #[test]
    fn what_is_encoded_is_decoded_the_same() {
        for sent in to_registry() {
            let mut bytes = Vec::new();
            sent.encode(&mut bytes);
            assert!(bytes.len() <= MAX_FIRST, "{sent:?}");
            assert_eq!(ToRegistry::decode(&frame(&bytes)), Ok(Some(sent)));
        }
        for sent in from_registry() {
            let mut bytes = Vec::new();
            sent.encode(&mut bytes);
            assert_eq!(FromRegistry::decode(&frame(&bytes)), Ok(Some(sent)));
        }
    }

    #[test]
    fn a_user_in_a_snapshot_takes_at_most_64_bytes_with_a_name_as_people_have() {
        let state = SeatState {
            display_name: Some("Maximilian Mustermann".parse().unwrap()),
            ..state()
        };
        let mut bytes = Vec::new();
        FromRegistry::Delta(vec![(seat(), Some(state))]).encode(&mut bytes);
        assert!(bytes.len() - frame::HEAD <= 64, "{}", bytes.len());
    }

    #[test]
    fn the_longest_users_fit_into_a_frame() {
        let seat = Seat {
            name: "abcdefghij".parse().unwrap(),
            ..seat()
        };
        let state = SeatState {
            status: Status::Away,
            serial: u64::MAX,
            display_name: Some("x".repeat(DisplayName::MAX).parse().unwrap()),
            ..state()
        };
        let mut bytes = Vec::new();
        FromRegistry::Delta(vec![(seat, Some(state)); FromRegistry::USERS]).encode(&mut bytes);
        assert!(
            bytes.len() - frame::HEAD <= MAX_FROM_REGISTRY,
            "{}",
            bytes.len()
        );
    }

    #[test]
    fn unknown_kinds_of_the_upper_half_are_skipped_and_others_end_the_session() {
        let unknown = |kind| Frame {
            kind,
            message: Vec::new(),
        };
        assert_eq!(ToRegistry::decode(&unknown(128)), Ok(None));
        assert_eq!(FromRegistry::decode(&unknown(255)), Ok(None));
        assert_eq!(ToRegistry::decode(&unknown(64)), Err(Malformed::Kind(64)));
        assert_eq!(FromRegistry::decode(&unknown(0)), Err(Malformed::Kind(0)));
    }

    #[test]
    fn values_that_are_not_allowed_are_refused() {
        let refused = |kind, message: &[u8]| {
            let message = message.to_vec();
            ToRegistry::decode(&Frame { kind, message })
        };
        for (kind, message) in [
            (kind::LOOKUP, &b""[..]),
            (kind::LOOKUP, b"\x0a\x0belevenbytes"),
            (kind::LOOKUP, b"\x0a\x02\xff\xff"),
            (kind::SET_STATUS, b"\x08\x03"),
            (kind::ALLOW_VERSION_1, b"\x08\x02"),
            (kind::SIGN_IN, b"\x0a\x03bob"),
            (kind::CHANGE_PASSWORD, b"\x0a\x01a"),
            (kind::PING, b"\xff"),
        ] {
            assert_eq!(
                refused(kind, message),
                Err(Malformed::Message(kind)),
                "{kind}"
            );
        }
    }
}
