//! Version 2 of the protocol: what programs of ours send each other over TLS.
//!
//! | module | what it has |
//! |---|---|
//! | [`conversation`] | rosters and talk logs: what is signed |
//! | [`frame`] | length, kind, message: how a stream of bytes is cut into frames |
//! | [`key`] | public keys, certificates, and the short forms of them that people read |
//! | [`peer`] | the frames between two peers |
//! | [`registry`] | the frames between a client and a registry |
//! | [`text`] | passwords and display names, which are longer than in version 1 |
//! | `wire` | the protobuf messages, as in `docs/protocol-2.proto` |
//!
//! **Invariant:** what is decoded is checked: there is no value of these types that the page
//! `docs/protocol-2.md` does not allow. No cryptography: keys and signatures are carried.

pub mod conversation;
pub mod frame;
pub mod key;
pub mod peer;
pub mod registry;
pub mod text;
mod wire;

pub use frame::{Frame, FrameDecoder, FrameError};
pub use key::{
    BadText, Certificate, Code, DeviceId, DeviceKey, Fingerprint, PersonKey, PublicKey, Signature,
};
pub use registry::{
    Binding, Endpoint, FromRegistry, Goodbye, Malformed, Refusal, Seat, SeatState, SeatUpdate,
    SignIn, SignUp, SignedIn, Status, ToRegistry,
};
pub use text::{DisplayName, DisplayNameError, Passphrase, PassphraseError};

/// The first byte of a TLS connection. No packet of version 1 begins with it.
pub const FIRST_BYTE: u8 = 22;
