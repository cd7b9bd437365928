//! The frames between a client and a registry, over one TLS connection (ALPN [`ALPN`]).
//!
//! The registry sends [`FromRegistry::Welcome`] first. It answers requests in their order, one
//! answer each; snapshots, deltas and goodbyes come in between.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::key::{Certificate, DeviceId, PersonKey};
use super::text::{DisplayName, Passphrase};
use crate::{PeerAddr, Username};

mod codec;

/// The name of this protocol in TLS.
pub const ALPN: &[u8] = b"p2pchat-registry/2";
/// The longest message of a client that is not signed in, in bytes: a sign-up has some 500.
pub const MAX_FIRST: usize = 1024;
/// The longest message of a client that is signed in, in bytes; of a registry too, but for
/// snapshots and deltas.
pub const MAX_TO_REGISTRY: usize = 4096;
/// The longest snapshot or delta, in bytes: a snapshot comes in pieces.
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
    /// Who is bound to a person key: `Found` or `Refused`. Of several accounts, the first in the
    /// order of their names. A registry that does not know it passes it over without an answer.
    LookupKey(PersonKey),
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
    /// The name is bound to no person, or the person to no name.
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

impl FromRegistry {
    /// The most seats in one frame. Each takes at most 128 bytes.
    pub const USERS: usize = MAX_FROM_REGISTRY / 128;
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
