//! The wire protocols of p2pchat: bytes, limits and nothing else. Version 2 is in [`v2`]; all else is
//! version 1:
//!
//! | direction | module | transport |
//! |---|---|---|
//! | peer ⇄ registry | [`registry`] | TCP [`REGISTRY_TCP_PORT`], one connection a session |
//! | peer → registry | [`hello`] | UDP [`REGISTRY_UDP_PORT`], one datagram each [`Hello`] |
//! | peer ⇄ peer | [`contact`] | TCP [`CONTACT_PORT`]: requests, their answers, notifies |
//! | peer → peer | [`message`] | TCP [`MESSAGE_PORT`] or [`MESSAGE_PORT_UNPRIVILEGED`]: one text each |
//!
//! Packets are made of fields of a fixed width: UTF-8 filled up with NUL ([`field`]). The two
//! lists without a fixed width (the online list, a chat_list) have a limit instead: their
//! decoders are incremental and never hold more than that limit.
//!
//! **Invariant:** no I/O, no clock, no runtime. Encoding fills an array or the caller's
//! buffer. No input makes a decoder panic. Builds for `wasm32-unknown-unknown`.

pub mod address;
pub mod contact;
pub mod field;
mod grapheme;
pub mod hello;
pub mod message;
pub mod name;
pub mod registry;
#[cfg(feature = "schema")]
mod schema;
pub mod split;
pub mod v2;

pub use address::{AddressError, ChatList, ChatListError, PeerAddr};
pub use contact::{ChatAnswer, Contact, ContactDecoder, ContactError};
pub use hello::{Hello, HelloError};
pub use message::{Message, MessageError};
pub use name::{ChatText, ChatTextError, Password, PasswordError, Username, UsernameError};
pub use registry::{
    Kind, MalformedRequest, OnlineUser, Request, RequestDecoder, Response, ResponseDecoder,
    ResponseError,
};
pub use split::split_text;

/// The TCP port at which a registry listens for sessions.
pub const REGISTRY_TCP_PORT: u16 = 3131;
/// The UDP port at which a registry listens for [`Hello`] datagrams.
pub const REGISTRY_UDP_PORT: u16 = 5151;
/// The port at which a peer listens for chat requests and notifies.
pub const CONTACT_PORT: u16 = 5858;
/// The port at which a peer listens for messages, if its system permits that.
pub const MESSAGE_PORT: u16 = 1010;
/// The port at which a peer listens for messages if [`MESSAGE_PORT`] needs a privilege that it
/// lacks.
pub const MESSAGE_PORT_UNPRIVILEGED: u16 = 5859;

/// The last byte of every packet to and from the registry, hellos included. Always sent, ignored
/// on receipt.
pub const KEY: u8 = 15;
