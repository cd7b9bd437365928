//! A `mongod` for the tests that ask for a URI and cannot start one themselves.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::process::Group;

/// How long a new database may take until it listens.
const START: Duration = Duration::from_secs(60);
/// Another program may take the free port that was just found.
const TRIES: usize = 3;

/// A `mongod` on a free port of 127.0.0.1, with an empty database.
#[derive(Debug)]
pub(super) struct Mongod {
    port: u16,
    // In this order: first the process ends, then its folder goes.
    group: Group,
    _folder: TempDir,
}

impl Mongod {
    pub(super) async fn start(program: &Path) -> Result<Self> {
        let mut tries = 1;
        loop {
            match Self::start_once(program).await {
                Err(error) if tries < TRIES => println!("once more: {error:#}"),
                result => return result,
            }
            tries += 1;
        }
    }

    async fn start_once(program: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("p2pchat-mongod-")
            .tempdir()?;
        let port = free_port().await?;
        let log = folder.path().join("log");
        let group = Group::spawn(
            Command::new(program)
                .arg("--dbpath")
                .arg(folder.path())
                .arg("--logpath")
                .arg(&log)
                .args(["--bind_ip", "127.0.0.1", "--port", &port.to_string()])
                .args(["--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"])
                .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        let mut mongod = Self {
            port,
            group,
            _folder: folder,
        };
        mongod.wait_until_it_listens().await.with_context(|| {
            format!("mongod did not start; the end of its log:\n{}", tail(&log))
        })?;
        Ok(mongod)
    }

    async fn wait_until_it_listens(&mut self) -> Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let deadline = Instant::now() + START;
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = self.group.child.try_wait()? {
                bail!("it ended: {status}");
            }
            if Instant::now() >= deadline {
                bail!("it did not listen within {} s", START.as_secs());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    pub(super) fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}", self.port)
    }
}

async fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Ok(listener.local_addr()?.port())
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
