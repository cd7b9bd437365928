//! The section `[bridge]` of the config file.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use p2pchat_settings::{PeerArgs, Program, Section};
use serde::Deserialize;

/// What the section `[bridge]` says. Every key may be absent; each is under the name of
/// its option in [`Given`](crate::cli::Given).
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BridgeSection {
    /// Where to listen for the browser.
    pub listen: Option<SocketAddr>,
    /// Whether others may reach that.
    pub expose_unencrypted: Option<bool>,
    /// Pages that are let in besides our own.
    #[serde(default)]
    pub allow_origin: Vec<String>,
    /// Whether to open the page.
    pub open: Option<bool>,
    /// Where the secret is.
    pub secret_file: Option<PathBuf>,
    /// How many connections there may be.
    pub max_browser_connections: Option<NonZeroUsize>,
    /// The registry.
    pub registry: Option<String>,
    /// Where it takes hellos.
    pub hello_port: Option<u16>,
    /// The address to be reached at.
    pub address: Option<String>,
    /// Whether to leave port 1010 alone.
    pub unprivileged: Option<bool>,
    /// How long a chat request waits, in seconds.
    pub request_limit: Option<u64>,
    /// Where to keep what was said.
    pub history: Option<PathBuf>,
    /// Whether to keep nothing.
    pub no_history: Option<bool>,
    /// As `--blocks`.
    pub blocks: Option<PathBuf>,
}

impl Section for BridgeSection {
    const PROGRAM: Program = Program::Bridge;
}

impl BridgeSection {
    /// The keys that each program with a peer has.
    pub(crate) fn shared(&mut self) -> PeerArgs {
        PeerArgs {
            registry: self.registry.take(),
            hello_port: self.hello_port,
            address: self.address.take(),
            unprivileged: self.unprivileged,
            request_limit: self.request_limit,
            history: self.history.take(),
            no_history: self.no_history,
            blocks: self.blocks.take(),
            config: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use p2pchat_settings::config::parse;

    use super::*;

    #[test]
    fn every_option_has_a_place_in_the_file() {
        let text = "[bridge]\nlisten = '127.0.0.1:1'\nexpose-unencrypted = true\n\
                    allow-origin = ['http://a']\nopen = true\nsecret-file = 's'\n\
                    max-browser-connections = 2\nregistry = 'r'\nhello-port = 3\n\
                    address = '127.0.0.2'\nunprivileged = true\nrequest-limit = 4\n\
                    history = 'h'\nno-history = true\n";
        let section: BridgeSection = parse(Path::new("c.toml"), text).unwrap();
        assert_eq!(section.allow_origin, ["http://a"]);
        assert_eq!(section.no_history, Some(true));
    }
}
