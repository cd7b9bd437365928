//! The built registry as a process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::sleep;

use crate::Programs;
use crate::process::{Process, memory};

/// A running registry. Killed on drop.
#[derive(Debug)]
pub struct Registry {
    process: Process,
    /// Where it takes sessions.
    pub tcp: SocketAddr,
    /// Where it takes Hello datagrams.
    pub udp: SocketAddr,
}

/// Where peers find a registry: the arguments of their `--registry` and `--hello-port`.
#[derive(Debug, Clone)]
pub struct RegistryAt {
    /// One address, or several with commas between them.
    pub tcp: String,
    /// The port of Hello datagrams.
    pub hello_port: u16,
}

impl From<[SocketAddr; 2]> for RegistryAt {
    /// From TCP and UDP.
    fn from([tcp, udp]: [SocketAddr; 2]) -> Self {
        Self {
            tcp: tcp.to_string(),
            hello_port: udp.port(),
        }
    }
}

impl From<&Registry> for RegistryAt {
    fn from(registry: &Registry) -> Self {
        registry.ports().into()
    }
}

impl RegistryAt {
    /// The arguments of a peer.
    #[must_use]
    pub fn arguments(&self) -> [String; 4] {
        let port = self.hello_port.to_string();
        let tcp = self.tcp.clone();
        ["--registry".into(), tcp, "--hello-port".into(), port]
    }
}

/// Free ports of 127.0.0.1.
const ANY_PORTS: [SocketAddr; 2] =
    [SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0); 2];

impl Registry {
    /// Starts one on free ports of 127.0.0.1 and waits until it listens. `home` holds its
    /// log, `registry.log`; `more` are further arguments.
    ///
    /// # Errors
    /// If it is not built or does not start; says what it printed.
    pub async fn start(
        programs: &Programs,
        home: &Path,
        store: &str,
        more: &[&str],
    ) -> Result<Self> {
        Self::start_at(ANY_PORTS, programs, home, store, more).await
    }

    /// [`Registry::start`] on given addresses: TCP, UDP.
    ///
    /// # Errors
    /// The same.
    pub async fn start_at(
        ports: [SocketAddr; 2],
        programs: &Programs,
        home: &Path,
        store: &str,
        more: &[&str],
    ) -> Result<Self> {
        let mut process = spawn(ports, programs, home, store, more)?;
        let line = process.first_line().await?;
        let printed = || format!("it printed {line:?}; its log is {}", log(home).display());
        Ok(Self {
            tcp: address_after(&line, "tcp").with_context(printed)?,
            udp: address_after(&line, "udp").with_context(printed)?,
            process,
        })
    }

    /// Starts one and ends it by SIGKILL after this time, ready or not.
    ///
    /// # Errors
    /// If it is not built, or the system refuses.
    pub async fn start_and_kill(
        after: Duration,
        ports: [SocketAddr; 2],
        programs: &Programs,
        home: &Path,
        store: &str,
        more: &[&str],
    ) -> Result<()> {
        let mut process = spawn(ports, programs, home, store, more)?;
        sleep(after).await;
        process.kill().await
    }

    /// Its addresses, TCP and UDP, to start another one on.
    #[must_use]
    pub fn ports(&self) -> [SocketAddr; 2] {
        [self.tcp, self.udp]
    }

    /// Its process id.
    ///
    /// # Errors
    /// If it has ended.
    pub fn pid(&self) -> Result<u32> {
        self.process.pid()
    }

    /// Its resident memory, in bytes.
    ///
    /// # Errors
    /// If it has ended.
    pub fn memory(&self) -> Result<u64> {
        memory(self.pid()?)
    }

    /// Ends it by SIGTERM, and waits until it has ended.
    ///
    /// # Errors
    /// If it does not end, or its exit code is a failure.
    pub async fn stop(self) -> Result<()> {
        self.process.stop().await
    }

    /// Ends it by SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn kill(mut self) -> Result<()> {
        self.process.kill().await
    }
}

fn log(home: &Path) -> std::path::PathBuf {
    home.join("registry.log")
}

/// Starts the program. Its first line is on its standard output.
fn spawn(
    [tcp, udp]: [SocketAddr; 2],
    programs: &Programs,
    home: &Path,
    store: &str,
    more: &[&str],
) -> Result<Process> {
    let mut command = programs.command("p2pchat-registry", home)?;
    command
        .args(["--store", store])
        .args(["--tcp", &tcp.to_string(), "--udp", &udp.to_string()])
        .args(more)
        .stdin(Stdio::null());
    if store.starts_with("mongodb") {
        // It has to be named there, and is the same for all registries over one database.
        let key = std::env::temp_dir().join("p2pchat-testkit-registry.key");
        command.arg("--key-file").arg(key);
    }
    Process::spawn("the registry", &mut command, &log(home))
}

/// The address behind a word of the line that the registry prints.
fn address_after(line: &str, word: &str) -> Result<SocketAddr> {
    let mut words = line.split([' ', ',']).skip_while(|found| *found != word);
    let address = words.nth(1).context("no such word")?;
    Ok(address.parse()?)
}
