//! The options of a peer.

use std::path::PathBuf;
use std::time::Duration;

use p2pchat_protocol::{PeerAddr, REGISTRY_UDP_PORT, Username};

/// The options of a peer.
#[derive(Debug, Clone)]
pub struct Options {
    /// The registry: a name or an address, with or without `:PORT` ([`REGISTRY_TCP_PORT`] if
    /// without) and `#FINGERPRINT`, that of its key. Or several, with commas between them, that
    /// serve the same users and have the same key: if one is gone, the next is tried. If empty, the
    /// one that the profile has used last; without that, none until a front end names one.
    ///
    /// [`REGISTRY_TCP_PORT`]: p2pchat_protocol::REGISTRY_TCP_PORT
    pub registry: String,
    /// Speaks version 1, which is not encrypted, with a registry whose key is not known. Ignored
    /// where the registry is pinned or named with a fingerprint.
    pub allow_plaintext: bool,
    /// The folder of the profile: its keys, the keys of registries and of people that it knows,
    /// and the account that was last logged in. `None` forgets all of that when the peer stops,
    /// and with it the key that an account is bound to.
    pub folder: Option<PathBuf>,
    /// A folder for states, outside of those that people copy and put back: by a mark there it is
    /// noticed that an older state of the profile was put back. `None` for none.
    pub states: Option<PathBuf>,
    /// The account that a front end is about to log in to. If another one was logged in last, it
    /// is not logged in by itself.
    pub account: Option<Username>,
    /// The UDP port at which the registry takes hellos.
    pub hello_port: u16,
    /// The own address, at which others reach this peer. If `None`, the one from which this
    /// machine reaches the registry; if that is a loopback address in use, the next free one.
    pub address: Option<PeerAddr>,
    /// Listens for messages at port 5859 without trying 1010.
    pub unprivileged: bool,
    /// How long a chat request waits for an answer, on either side.
    pub request_limit: Duration,
    /// The file of the history; `None` keeps none.
    pub history: Option<PathBuf>,
    /// For how long messages are kept, of the open chat and of encrypted conversations; `None`
    /// keeps them for as long as there is room.
    pub keep: Option<Duration>,
    /// The file of the block lists; `None` forgets them when the peer stops.
    pub blocks: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            registry: String::new(),
            allow_plaintext: false,
            folder: None,
            states: None,
            account: None,
            hello_port: REGISTRY_UDP_PORT,
            address: None,
            unprivileged: false,
            request_limit: Self::REQUEST_LIMIT,
            history: None,
            keep: None,
            blocks: None,
        }
    }
}

impl Options {
    /// The default of [`Options::request_limit`].
    pub const REQUEST_LIMIT: Duration = Duration::from_secs(60);
}
