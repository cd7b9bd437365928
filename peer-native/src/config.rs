//! The section `[peer]` of the config file.

use std::path::PathBuf;

use p2pchat_settings::{PeerArgs, Program, Section};
use serde::Deserialize;

/// What the section `[peer]` says. Every key may be absent.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PeerSection {
    /// See [`PeerArgs::registry`] and [`Given`](crate::cli::Given); so for all that follow.
    pub registry: Option<String>,
    /// The address to be reached at.
    pub address: Option<String>,
    /// The account to log in with.
    pub user: Option<String>,
    /// Where its password is.
    pub password_file: Option<PathBuf>,
    /// Whether to make the account first.
    pub register: Option<bool>,
    /// Whether to read and write plain lines.
    pub plain: Option<bool>,
    /// Whether to read and write JSON lines.
    pub json: Option<bool>,
    /// Where to keep what was said.
    pub history: Option<PathBuf>,
    /// Whether to keep nothing.
    pub no_history: Option<bool>,
    /// As `--blocks`.
    pub blocks: Option<PathBuf>,
    /// How long a chat request waits, in seconds.
    pub request_limit: Option<u64>,
    /// Where the registry takes hellos.
    pub hello_port: Option<u16>,
    /// Whether to leave port 1010 alone.
    pub unprivileged: Option<bool>,
    /// Whether the mouse wheel scrolls.
    pub mouse: Option<bool>,
    /// Whether a chat request rings the bell.
    pub bell: Option<bool>,
    /// Where logs go.
    pub log_file: Option<PathBuf>,
}

impl Section for PeerSection {
    const PROGRAM: Program = Program::Peer;
}

impl PeerSection {
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
    fn an_unknown_key_is_named() {
        let text = "[peer]\nregistri = \"x\"\n";
        let error = parse::<PeerSection>(Path::new("c.toml"), text).unwrap_err();
        let message = error.to_string();
        let start = "the config file c.toml, line 2: ";
        assert!(message.starts_with(start), "{message}");
        assert!(message.contains("registri"), "{message}");
    }

    #[test]
    fn a_broken_line_of_another_program_is_not_shown() {
        let text = "[registry]\nstore = 'mongodb://u:secret@db\n";
        let error = parse::<PeerSection>(Path::new("c.toml"), text).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("line 2"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
}
