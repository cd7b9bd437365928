//! The errors of the start of a peer, and of one that runs.

use std::io;
use std::path::PathBuf;

use p2pchat_model::PeerAddr;
use p2pchat_secure::IdentityError;
use thiserror::Error;

use crate::conversations::StoreError;
use crate::{HistoryError, KnownError, ListError};

/// Why a peer cannot start, and what to do about it. The error of the system is part of the
/// text, so it is not a `source` too, which would be shown twice.
#[derive(Debug, Error)]
pub enum StartError {
    /// The registry's name is not a host with or without a port.
    #[error(
        "`{0}` is not the name of a registry: give HOST or HOST:PORT, with #FINGERPRINT of its key behind it if you know that, or several with commas"
    )]
    BadRegistry(String),
    /// The registry's name cannot be resolved.
    #[error(
        "cannot resolve the registry's name `{name}` ({reason}): check it, or give its address"
    )]
    UnknownRegistry {
        /// The name.
        name: String,
        /// The error of the resolver.
        reason: io::Error,
    },
    /// There is no route from this machine to the registry.
    #[error(
        "no route from this machine to the registry {name} ({reason}): connect it to a network, or name its own address with --address"
    )]
    NoRoute {
        /// The registry.
        name: String,
        /// The error of the system.
        reason: io::Error,
    },
    /// The own address is not one of this machine.
    #[error("this machine does not have the address {address}: {}", remedy(*.address))]
    NotOurAddress {
        /// The address.
        address: PeerAddr,
    },
    /// Another program listens at the port.
    #[error(
        "port {port} at {address} is in use, probably by another p2pchat: name another address with --address"
    )]
    PortInUse {
        /// The address.
        address: PeerAddr,
        /// The port.
        port: u16,
    },
    /// All loopback addresses that are tried are in use.
    #[error(
        "all addresses from {first} to {last} are in use by p2pchat: stop one, or name another address with --address"
    )]
    NoFreeAddress {
        /// The first address that was tried.
        first: PeerAddr,
        /// The last address that was tried.
        last: PeerAddr,
    },
    /// The system refuses to listen at the port for another reason.
    #[error("cannot listen at {address}, port {port}: {reason}")]
    Listen {
        /// The address.
        address: PeerAddr,
        /// The port.
        port: u16,
        /// The error of the system.
        reason: io::Error,
    },
    /// The history cannot be opened.
    #[error(
        "cannot open the history in {path}: {reason}; name another file with --history, or keep none with --no-history"
    )]
    History {
        /// The file.
        path: PathBuf,
        /// The error of the file.
        reason: HistoryError,
    },
    /// The encrypted conversations cannot be opened.
    #[error(
        "cannot open the conversations in {path}: {reason}; move the file away to start without them: what the others have comes again"
    )]
    Chats {
        /// The file.
        path: PathBuf,
        /// The error of the file.
        reason: StoreError,
    },
    /// The block list cannot be opened or read: the peer would start with no one blocked.
    #[error(
        "cannot open the block list in {path}: {reason}; name another file with --blocks, or move this one away to start with an empty list"
    )]
    Blocks {
        /// The file.
        path: PathBuf,
        /// The error of the file.
        reason: ListError,
    },
    /// The keys of the profile cannot be used.
    #[error("{0}")]
    Identity(IdentityError),
    /// What the profile knows of others' keys cannot be read: the peer would start and trust
    /// any key that comes.
    #[error("{0}; correct that, or move the file away to forget what it has")]
    Known(KnownError),
    /// The system refuses what every program needs.
    #[error("cannot {what}: {reason}")]
    System {
        /// The attempt.
        what: &'static str,
        /// The error of the system.
        reason: io::Error,
    },
}

/// A running peer stopped by itself, because a part failed that it cannot do without: a bug.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the peer has stopped by itself, because {0}: please report this")]
pub struct PeerFailed(pub(super) String);

fn remedy(address: PeerAddr) -> String {
    if address.ip().is_loopback() {
        format!("on macOS `sudo ifconfig lo0 alias {address} up` adds it")
    } else {
        "`ip address` or `ifconfig` shows which it has".to_owned()
    }
}
