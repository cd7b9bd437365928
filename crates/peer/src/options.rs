//! What a peer has to know before it starts.

use std::path::PathBuf;
use std::time::Duration;

use p2pchat_protocol::{PeerAddr, REGISTRY_TCP_PORT, REGISTRY_UDP_PORT};

/// What a peer has to know before it starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the registry is: a name or an address, with or without `:PORT`
    /// ([`REGISTRY_TCP_PORT`] if without). Or several, with commas between them, that serve
    /// the same users: where one is gone, the next is taken.
    pub registry: String,
    /// Where the registry takes hellos, by UDP.
    pub hello_port: u16,
    /// The address to be reached at. If `None`, the one from which this machine reaches
    /// the registry; where that is a loopback address already in use, the next free one.
    pub address: Option<PeerAddr>,
    /// Takes messages at 5859 without trying 1010.
    pub unprivileged: bool,
    /// How long a chat request waits for an answer, on either side.
    pub request_limit: Duration,
    /// The file to keep what was said in; `None` keeps nothing.
    pub history: Option<PathBuf>,
    /// The file to keep in who is blocked; `None` forgets it when the peer stops.
    pub blocks: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            registry: format!("127.0.0.1:{REGISTRY_TCP_PORT}"),
            hello_port: REGISTRY_UDP_PORT,
            address: None,
            unprivileged: false,
            request_limit: Self::REQUEST_LIMIT,
            history: None,
            blocks: None,
        }
    }
}

impl Options {
    /// How long a chat request waits for an answer, unless said otherwise.
    pub const REQUEST_LIMIT: Duration = Duration::from_secs(60);
}
