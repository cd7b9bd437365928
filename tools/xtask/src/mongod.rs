//! A real MongoDB for the tests: found, or fetched, and run for as long as they take.

mod fetch;

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::process::{self, Group};

/// The variable by which tests learn where a MongoDB is that they may write to.
const URI: &str = "MONGODB_URI";
/// The variable by which tests learn where the program is: those that try what happens
/// when MongoDB goes away start their own.
const PROGRAM: &str = "P2PCHAT_MONGOD";

/// How long a new database may take until it listens.
const START: Duration = Duration::from_secs(60);
/// Another program may take the free port that was just found.
const TRIES: usize = 3;

/// What tests need of MongoDB.
#[derive(Debug)]
pub struct MongoDb {
    program: PathBuf,
    /// `None` if the user has named another.
    server: Option<Mongod>,
}

impl MongoDb {
    /// Finds a `mongod`: the one on `$PATH`, else the one in the cache, which is fetched
    /// if need be. Starts it, unless `$MONGODB_URI` names a database that is there.
    ///
    /// # Errors
    /// If there is none to be had, or it does not start; says what to do.
    pub async fn bring() -> Result<Self> {
        let program = find().await.context(
            "no MongoDB to test with: install one so that `mongod` is on the PATH \
             (on macOS: brew install mongodb-community)",
        )?;
        let server = match env::var_os(URI) {
            Some(_) => None,
            None => Some(Mongod::start(&program).await?),
        };
        match &server {
            None => println!("using the MongoDB that ${URI} names"),
            Some(mongod) => println!("{} is ready at {}", program.display(), mongod.uri()),
        }
        Ok(Self { program, server })
    }

    /// Tells the tests that a command runs.
    pub fn tell(&self, command: &mut Command) {
        command.env(PROGRAM, &self.program);
        if let Some(server) = &self.server {
            command.env(URI, server.uri());
        }
    }
}

async fn find() -> Result<PathBuf> {
    for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        let program = folder.join("mongod");
        if program.is_file() && works(&program).await.is_ok() {
            return Ok(program);
        }
    }
    let cached = fetch::cached().await?;
    works(&cached)
        .await
        .with_context(|| format!("{} does not run on this system", cached.display()))?;
    Ok(cached)
}

async fn works(program: &Path) -> Result<()> {
    process::output(Command::new(program).arg("--version")).await?;
    Ok(())
}

/// A `mongod` on a free port of 127.0.0.1, with an empty database.
#[derive(Debug)]
struct Mongod {
    port: u16,
    // In this order: first the process ends, then its folder goes.
    group: Group,
    _folder: TempDir,
}

impl Mongod {
    async fn start(program: &Path) -> Result<Self> {
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

    fn uri(&self) -> String {
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
