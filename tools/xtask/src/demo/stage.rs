//! What all peers of the demo share: the registry, and a folder that is removed at the end.

use std::env;
use std::fs::{self, Permissions};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::cargo::Programs;
use crate::process::{self, Group};

/// The password of every user. It protects nothing: the registry listens on free ports of
/// 127.0.0.1 and forgets all accounts when the demo ends.
const PASSWORD: &str = "only a demo";
/// The most time that a server may take until it listens.
const START: Duration = Duration::from_secs(20);

/// What all peers of the demo share.
#[derive(Debug)]
pub struct Stage {
    peer: PathBuf,
    tcp: u16,
    udp: u16,
    fingerprint: String,
    // In this order: first the registry ends, then its folder is removed.
    _registry: Group,
    folder: TempDir,
}

impl Stage {
    /// Makes the folder and starts a registry on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// If the registry does not start.
    pub async fn set(programs: &Programs) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("p2pchat-demo-").tempdir()?;
        // An empty one, so that the user's own is not used.
        fs::write(folder.path().join("config.toml"), "")?;
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        fs::set_permissions(&password, Permissions::from_mode(0o600))?;
        let mut command = clean(programs.path("p2pchat-registry")?, folder.path());
        command
            .arg("--store")
            .arg(folder.path().join("registry.sqlite3"))
            .args(["--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"]);
        let (registry, line) = start(&mut command).await?;
        let port = |word| {
            port_after(&line, word)
                .with_context(|| format!("the registry does not say its {word} port: {line}"))
        };
        let fingerprint = fingerprint_in(&line)
            .with_context(|| format!("the registry does not say its fingerprint: {line}"))?;
        Ok(Self {
            fingerprint: fingerprint.to_owned(),
            peer: programs.path("p2pchat")?.to_owned(),
            tcp: port("tcp")?,
            udp: port("udp")?,
            _registry: registry,
            folder,
        })
    }

    /// A peer that is logged in, and registered before if it was not. What it keeps ends with the
    /// demo.
    pub(super) fn peer(&self, name: &str, address: Ipv4Addr) -> Command {
        let mut command = clean(&self.peer, self.folder.path());
        self.tell(&mut command, name, address);
        if !self.folder.path().join(name).exists() {
            command.arg("--register");
        }
        command
            .args(["--user", name, "--password-file"])
            .arg(self.folder.path().join("password"));
        command
    }

    /// The command that joins from another terminal of this machine.
    pub(super) fn guest(&self, name: &str, address: Ipv4Addr) -> Command {
        let mut command = Command::new(&self.peer);
        self.tell(&mut command, name, address);
        command
            .args(["--user", name, "--register", "--password-file"])
            .arg(self.folder.path().join("password"));
        command
    }

    /// Where cargo puts another program of the workspace.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.peer.with_file_name(name)
    }

    /// A bridge that keeps nothing.
    #[must_use]
    pub fn bridge(&self, program: &Path, name: &str, address: Ipv4Addr) -> Command {
        let mut command = clean(program, self.folder.path());
        self.tell(&mut command, name, address);
        command
    }

    /// The registry as peers name it, with the fingerprint of its key.
    pub(super) fn registry(&self) -> String {
        format!("127.0.0.1:{}#{}", self.tcp, self.fingerprint)
    }

    /// The password of every user.
    #[must_use]
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Adds the options that all peers have, each with a profile of its own.
    fn tell(&self, command: &mut Command, name: &str, address: Ipv4Addr) {
        command
            .args(["--registry", &self.registry()])
            .args(["--hello-port", &self.udp.to_string()])
            .args(["--address", &address.to_string(), "--no-history"])
            .arg("--profile")
            .arg(self.folder.path().join(name));
    }
}

/// A command that takes no option from the user's environment or configuration.
fn clean(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    let ours = env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("P2PCHAT_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.env("P2PCHAT_CONFIG", folder.join("config.toml"));
    command
}

/// A bridge.
#[derive(Debug)]
pub struct Bridge {
    /// What to open in a browser.
    pub url: String,
    _group: Group,
}

impl Bridge {
    /// Starts a bridge.
    ///
    /// # Errors
    /// If it cannot be started, or does not say where it listens.
    pub async fn start(command: &mut Command) -> Result<Self> {
        let (group, line) = start(command).await?;
        let url = url_in(&line).with_context(|| format!("the bridge prints no URL: {line}"))?;
        Ok(Self {
            url: url.to_owned(),
            _group: group,
        })
    }

    /// The key that lets a page in.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.url.split_once('#').map_or("", |(_, secret)| secret)
    }
}

/// Starts a server, and waits for the line that it prints when it listens.
pub(crate) async fn start(command: &mut Command) -> Result<(Group, String)> {
    command
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let shown = process::shown(command);
    let mut group = Group::spawn(command)?;
    let stdout = group.child.stdout.take().context("no output to read")?;
    let mut lines = BufReader::new(stdout).lines();
    let line = timeout(START, lines.next_line())
        .await
        .with_context(|| format!("not started within {} s: `{shown}`", START.as_secs()))??;
    let Some(line) = line else {
        bail!("not started: `{shown}`: {}", group.child.wait().await?);
    };
    Ok((group, line))
}

/// The port in `… tcp 127.0.0.1:40123 …`.
fn port_after(line: &str, word: &str) -> Option<u16> {
    let mut words = line.split([' ', ',']);
    words.find(|&found| found == word)?;
    words.next()?.rsplit_once(':')?.1.parse().ok()
}

/// The fingerprint in `… --registry 127.0.0.1:40123#ABCD…, …`.
fn fingerprint_in(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once('#')?;
    rest.split([' ', ',']).next()
}

/// The URL in `… open http://127.0.0.1:7878/#…`.
fn url_in(line: &str) -> Option<&str> {
    line.split_whitespace()
        .find(|word| word.starts_with("http://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_are_in_the_line_that_a_registry_starts_with() {
        let line = "p2pchat-registry: listening on tcp 127.0.0.1:4711 and udp 127.0.0.1:815, \
                    for clients with --registry 127.0.0.1:4711#ABCD, accounts in /tmp/udp 1:2/x";
        assert_eq!(fingerprint_in(line), Some("ABCD"));
        assert_eq!(port_after(line, "tcp"), Some(4711));
        assert_eq!(port_after(line, "udp"), Some(815));
        assert_eq!(port_after("hello", "tcp"), None);
    }

    #[test]
    fn the_url_is_in_the_line_that_a_bridge_starts_with() {
        let line = "p2pchat-bridge: peer at 127.0.0.2, open http://127.0.0.1:7878/#ab12";
        assert_eq!(url_in(line), Some("http://127.0.0.1:7878/#ab12"));
        assert_eq!(url_in("hello"), None);
    }
}
