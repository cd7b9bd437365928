//! Why a peer does not start.

use std::io;
use std::path::PathBuf;

use p2pchat_model::PeerAddr;
use thiserror::Error;

use crate::{HistoryError, ListError};

/// Why a peer could not start, and what to do. What the system says stands in the middle
/// of that, so it is no `source` that would be told once more.
#[derive(Debug, Error)]
pub enum StartError {
    /// The registry is not given as a name or address with or without a port.
    #[error("`{0}` is not HOST or HOST:PORT, or several with commas: where is the registry?")]
    BadRegistry(String),
    /// The registry's name means nothing here.
    #[error(
        "the registry's name `{name}` means nothing here ({reason}): check it, or give its address"
    )]
    UnknownRegistry {
        /// The name.
        name: String,
        /// What the resolver says.
        reason: io::Error,
    },
    /// There is no way from this machine to the registry.
    #[error(
        "this machine has no way to the registry {name} ({reason}): connect it to a network, or name the address to be reached at with --address"
    )]
    NoRoute {
        /// The registry.
        name: String,
        /// What the system says.
        reason: io::Error,
    },
    /// The address to be reached at is not one of this machine.
    #[error("this machine does not have the address {address}: {}", remedy(*.address))]
    NotOurAddress {
        /// Which.
        address: PeerAddr,
    },
    /// Somebody listens at the port already.
    #[error(
        "port {port} at {address} is in use: another p2pchat runs there, so name another address with --address"
    )]
    PortInUse {
        /// Where.
        address: PeerAddr,
        /// Which.
        port: u16,
    },
    /// All loopback addresses that are tried are in use.
    #[error(
        "p2pchat runs at each address from {first} to {last} already: stop one, or name another address with --address"
    )]
    NoFreeAddress {
        /// The first that was tried.
        first: PeerAddr,
        /// The last that was tried.
        last: PeerAddr,
    },
    /// The port cannot be listened at for another reason.
    #[error("cannot listen at {address}, port {port}: {reason}")]
    Listen {
        /// Where.
        address: PeerAddr,
        /// Which.
        port: u16,
        /// What the system says.
        reason: io::Error,
    },
    /// The history cannot be opened.
    #[error(
        "the history in {path} cannot be opened: {reason}; name another file with --history, or keep none with --no-history"
    )]
    History {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: HistoryError,
    },
    /// The block list cannot be opened or read: nobody would be blocked.
    #[error(
        "the block list in {path} cannot be read: {reason}; move the file away to begin with nobody blocked"
    )]
    Blocks {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: ListError,
    },
    /// The system refused what every program needs.
    #[error("cannot {what}: {reason}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        reason: io::Error,
    },
}

fn remedy(address: PeerAddr) -> String {
    match address.ip().is_loopback() {
        true => format!("on macOS `sudo ifconfig lo0 alias {address} up` adds it"),
        false => "`ip address` or `ifconfig` shows which it has".to_owned(),
    }
}
