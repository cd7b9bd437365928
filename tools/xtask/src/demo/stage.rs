//! What all peers of the demo share: the programs, the registry, a folder that goes away.

use std::env;
use std::fs::{self, Permissions};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::process::Command;

use super::client::Client;
use super::loopback;
use super::server::Registry;
use crate::cargo::Programs;

/// Everybody's password: nobody else can reach a registry on 127.0.0.1 of free ports
/// that forgets all accounts in a minute.
const PASSWORD: &str = "only a demo";

/// What all peers of the demo share.
#[derive(Debug)]
pub struct Stage {
    programs: Programs,
    // In this order: first the registry ends, then its folder goes.
    registry: Registry,
    folder: TempDir,
}

impl Stage {
    /// Makes the folder and starts the registry.
    ///
    /// # Errors
    /// If the registry does not start.
    pub async fn set(programs: Programs) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("p2pchat-demo-").tempdir()?;
        // An empty one, so that the user's own does not get into the demo.
        fs::write(folder.path().join("config.toml"), "")?;
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        fs::set_permissions(&password, Permissions::from_mode(0o600))?;
        let mut command = clean(&programs.registry, folder.path());
        let registry = Registry::start(&mut command, folder.path())
            .await
            .with_context(|| format!("{}", programs.registry.display()))?;
        Ok(Self {
            programs,
            registry,
            folder,
        })
    }

    /// A peer, registered and logged in, that keeps nothing.
    pub(super) fn peer(&self, name: &str, address: Ipv4Addr) -> Command {
        let mut command = clean(&self.programs.peer, self.folder.path());
        self.tell(&mut command, address);
        command
            .args(["--user", name, "--register", "--password-file"])
            .arg(self.folder.path().join("password"));
        command
    }

    /// The command that somebody else at this machine can join with.
    pub(super) fn guest(&self, name: &str, address: Ipv4Addr) -> Command {
        let mut command = Command::new(&self.programs.peer);
        self.tell(&mut command, address);
        command
            .args(["--user", name, "--register", "--password-file"])
            .arg(self.folder.path().join("password"));
        command
    }

    /// A bridge that keeps nothing.
    pub(super) fn bridge(&self, name: &str, address: Ipv4Addr) -> Command {
        let mut command = clean(&self.programs.bridge, self.folder.path());
        self.tell(&mut command, address);
        command
            .arg("--secret-file")
            .arg(self.folder.path().join(format!("{name}.secret")));
        command
    }

    /// Makes an account.
    ///
    /// # Errors
    /// If the registry does not take it.
    pub async fn register(&self, name: &str) -> Result<()> {
        let [address] = loopback::free()?;
        Client::start(self, name, address).await?.quit().await
    }

    /// Everybody's password.
    #[must_use]
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// What all peers are told.
    fn tell(&self, command: &mut Command, address: Ipv4Addr) {
        command
            .args(["--registry", &format!("127.0.0.1:{}", self.registry.tcp)])
            .args(["--hello-port", &self.registry.udp.to_string()])
            .args(["--address", &address.to_string(), "--no-history"])
            .arg("--blocks")
            .arg(self.folder.path().join("blocks.sqlite3"));
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
