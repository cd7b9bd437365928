//! The registry of the demo.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::process::Group;

/// How long a registry may take until it listens.
const START: Duration = Duration::from_secs(20);

/// A registry on free ports of 127.0.0.1.
#[derive(Debug)]
pub(super) struct Registry {
    /// Where it takes sessions.
    pub(super) tcp: u16,
    /// Where it takes hellos.
    pub(super) udp: u16,
    _group: Group,
}

impl Registry {
    /// Starts it with an empty store in `folder`.
    pub(super) async fn start(command: &mut Command, folder: &Path) -> Result<Self> {
        command
            .arg("--store")
            .arg(folder.join("registry.sqlite3"))
            .args(["--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut group = Group::spawn(command)?;
        let stdout = group.child.stdout.take().context("no output to read")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(START, lines.next_line()).await.with_context(|| {
            format!("the registry did not start within {} s", START.as_secs())
        })??;
        let Some(line) = line else {
            bail!("the registry did not start: {}", group.wait().await?);
        };
        let port = |word| {
            port_after(&line, word)
                .with_context(|| format!("the registry does not say its {word} port: {line}"))
        };
        Ok(Self {
            tcp: port("tcp")?,
            udp: port("udp")?,
            _group: group,
        })
    }
}

/// The port in `… tcp 127.0.0.1:40123 …`.
fn port_after(line: &str, word: &str) -> Option<u16> {
    let mut words = line.split([' ', ',']);
    words.find(|&found| found == word)?;
    words.next()?.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_are_in_the_line_that_a_registry_starts_with() {
        let line = "p2pchat-registry: listening on tcp 127.0.0.1:4711 and udp 127.0.0.1:815, accounts in /tmp/udp 1:2/x";
        assert_eq!(port_after(line, "tcp"), Some(4711));
        assert_eq!(port_after(line, "udp"), Some(815));
        assert_eq!(port_after("hello", "tcp"), None);
    }
}
