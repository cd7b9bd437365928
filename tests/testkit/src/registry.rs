//! The built registry as a process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use p2pchat_protocol::v2::Fingerprint;
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
    /// The line that it prints when it listens.
    line: String,
}

/// Where peers find a registry, and how they speak to it: the arguments of their `--registry`,
/// `--allow-plaintext` and `--hello-port`.
#[derive(Debug, Clone)]
pub struct RegistryAt {
    /// One address, or several with commas between them.
    pub tcp: String,
    /// The port of Hello datagrams.
    pub hello_port: u16,
    /// Whether it is spoken to by version 1, which is not encrypted.
    pub allow_plaintext: bool,
}

impl From<[SocketAddr; 2]> for RegistryAt {
    /// From TCP and UDP; encrypted.
    fn from([tcp, udp]: [SocketAddr; 2]) -> Self {
        Self {
            tcp: tcp.to_string(),
            hello_port: udp.port(),
            allow_plaintext: false,
        }
    }
}

impl From<&Registry> for RegistryAt {
    fn from(registry: &Registry) -> Self {
        registry.ports().into()
    }
}

impl RegistryAt {
    /// The same, spoken to by version 1.
    #[must_use]
    pub fn in_plaintext(self) -> Self {
        Self {
            allow_plaintext: true,
            ..self
        }
    }

    /// The same, named with the fingerprint of its key.
    #[must_use]
    pub fn with_fingerprint(self, fingerprint: Fingerprint) -> Self {
        Self {
            tcp: format!("{}#{}", self.tcp, fingerprint.as_str()),
            ..self
        }
    }

    /// The arguments of a peer.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let port = self.hello_port.to_string();
        let mut arguments = vec!["--registry".to_owned(), self.tcp.clone()];
        arguments.extend(["--hello-port".to_owned(), port]);
        if self.allow_plaintext {
            arguments.push("--allow-plaintext".to_owned());
        }
        arguments
    }
}

/// Free ports of 127.0.0.1.
const ANY_PORTS: [SocketAddr; 2] =
    [SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0); 2];

impl Registry {
    /// Starts one on free ports of 127.0.0.1 and waits until it listens. `home` holds its
    /// log, `registry.log`, and with MongoDB its key; `more` are further arguments.
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
            line,
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

    /// The fingerprint of its key.
    ///
    /// # Errors
    /// If it has not printed one, as an earlier version.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        let printed = || format!("it printed {:?}", self.line);
        fingerprint_in(&self.line).with_context(printed)
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

/// Starts the program. Its first line is on its standard output. With MongoDB its key is in
/// `home`, unless `more` names another file.
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
    if store.starts_with("mongodb") && !more.contains(&"--key-file") {
        command.arg("--key-file").arg(home.join("registry.key"));
    }
    Process::spawn("the registry", &mut command, &log(home))
}

/// The address behind a word of the line that the registry prints.
fn address_after(line: &str, word: &str) -> Result<SocketAddr> {
    let mut words = line.split([' ', ',']).skip_while(|found| *found != word);
    let address = words.nth(1).context("no such word")?;
    Ok(address.parse()?)
}

/// The fingerprint in the line that the registry prints, behind the `#` of `--registry`.
fn fingerprint_in(line: &str) -> Result<Fingerprint> {
    let (_, rest) = line.split_once('#').context("no fingerprint")?;
    let end = rest.find([' ', ',']).unwrap_or(rest.len());
    Ok(rest[..end].trim().parse()?)
}
