//! What has to hold for any bytes that others send or leave in a file.
//!
//! Each function here is a case: it takes bytes, makes of them what its part of the
//! product takes, and panics if that part does not do as it should. The fuzzer calls it
//! with bytes of its own making (`tests/fuzz/fuzz_targets`, by `cargo xtask fuzz`); the test of
//! this crate calls it with the inputs that the fuzzer found worth keeping and with those that
//! once failed ([`Corpus`]).
//!
//! | module | cases |
//! |---|---|
//! | `decoders` | [`requests`], [`responses`], [`contacts`], [`packets`] |
//! | `frames` | [`to_registry`], [`from_registry`], [`to_peer`]: version 2 |
//! | `keys` | [`keys()`]: certificates, exported identities, key files |
//! | `entries` | [`entries()`]: roster entries, talk entries, bodies |
//! | `commands` | [`commands()`]: JSON as a command |
//! | `bridge` | [`http`], [`socket`]: bytes on a connection to the bridge |
//! | `files` | [`store`], [`history`]: files that are there already |
//! | `machine` | [`machine()`]: whatever may happen to a peer |

#![allow(
    clippy::unwrap_used,
    reason = "a case is a test: it may fail where it stands"
)]

mod bridge;
mod commands;
mod corpus;
mod decoders;
mod entries;
mod files;
mod frames;
mod keys;
mod machine;
mod pieces;

pub use bridge::http::http;
pub use bridge::socket::socket;
pub use commands::commands;
pub use corpus::{Corpus, Input};
pub use decoders::{contacts, packets, requests, responses};
pub use entries::entries;
pub use files::{history, store};
pub use frames::{from_registry, to_peer, to_registry};
pub use keys::keys;
pub use machine::machine;

/// A case: panics if what it tries does not hold for these bytes.
pub type Case = fn(&[u8]);

/// All cases by the name of their fuzz target.
pub const CASES: [(&str, Case); 15] = [
    ("requests", requests),
    ("responses", responses),
    ("contacts", contacts),
    ("packets", packets),
    ("to_registry", to_registry),
    ("from_registry", from_registry),
    ("to_peer", to_peer),
    ("keys", keys),
    ("entries", entries),
    ("commands", commands),
    ("http", http),
    ("socket", socket),
    ("store", store),
    ("history", history),
    ("machine", machine),
];
