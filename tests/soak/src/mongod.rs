//! A real mongod that can be killed and started again, and several as a replica set.
//!
//! Each has a shell that outlives whoever started it for a moment: when its standard
//! input ends, however that came about, it kills the mongod and removes its folder.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mongodb::Client;
use mongodb::options::ClientOptions;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::programs::own_address;
use crate::wait::SOON;

mod replica_set;

pub use replica_set::ReplicaSet;

/// Takes `start` and `kill` a line and answers when that is done. The signals of a
/// terminal, and those that are meant for whoever started it, do not end it.
const SHELL: &str = r#"
    trap '' INT HUP TERM
    folder=$1; shift; pid=
    while read -r word; do
        case $word in
            start) "$@" --dbpath "$folder" >/dev/null 2>&1 & pid=$! ;;
            kill) kill -9 $pid; wait $pid 2>/dev/null ;;
        esac
        echo "$word"
    done
    [ -n "$pid" ] && kill -9 $pid; wait
    rm -rf "$folder"
"#;
/// How long a mongod may take until it listens; after a kill it reads its journal first.
const START: Duration = Duration::from_secs(60);
/// How often it is looked whether it does.
const LOOK: Duration = Duration::from_millis(10);
/// A port may be taken between looking for it and mongod's binding it.
const TRIES: usize = 3;
/// How long a command to a mongod waits for it.
const SELECTION: Duration = Duration::from_secs(1);

/// A mongod on a loopback address and with a folder of its own. Killed on drop.
#[derive(Debug)]
pub struct Mongod {
    /// Where it listens, whenever it runs.
    pub address: SocketAddr,
    folder: PathBuf,
    _shell: Child,
    orders: ChildStdin,
    done: Lines<BufReader<ChildStdout>>,
}

impl Mongod {
    /// Starts one on a free port, with further arguments, and waits until it listens.
    ///
    /// # Errors
    /// If there is no mongod, or it does not start.
    pub async fn start(more: &[&str]) -> Result<Self> {
        let program = find()?;
        let mut tries = 1;
        loop {
            let mut mongod = Self::new(&program, more)?;
            match mongod.restart().await {
                Ok(()) => return Ok(mongod),
                Err(_) if tries < TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn new(program: &Path, more: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("p2pchat-mongod-")
            .tempdir()?
            .keep();
        let address = free_address()?;
        let mut shell = Command::new("sh")
            .args(["-c", SHELL, "sh"])
            .arg(&folder)
            .arg(program)
            .args(["--bind_ip", &address.ip().to_string()])
            .args(["--port", &address.port().to_string()])
            .args(["--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"])
            .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
            .arg("--logpath")
            .arg(folder.join("log"))
            .args(["--logappend"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start a shell")?;
        let done = shell.stdout.take().context("no output to read")?;
        Ok(Self {
            address,
            folder,
            orders: shell.stdin.take().context("no input to write to")?,
            done: BufReader::new(done).lines(),
            _shell: shell,
        })
    }

    /// Its URI, with nothing behind the host.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("mongodb://{}", self.address)
    }

    /// Ends it with SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// If its shell is gone.
    pub async fn kill(&mut self) -> Result<()> {
        self.order("kill").await
    }

    /// Starts it again where it was, after [`Mongod::kill`], and waits until it listens.
    ///
    /// # Errors
    /// If it does not within a minute; says what the end of its log is.
    pub async fn restart(&mut self) -> Result<()> {
        self.order("start").await?;
        let began = Instant::now();
        while TcpStream::connect(self.address).await.is_err() {
            if began.elapsed() > START {
                bail!("mongod does not start; its log ends:\n{}", self.tail());
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    async fn order(&mut self, word: &str) -> Result<()> {
        self.orders
            .write_all(format!("{word}\n").as_bytes())
            .await?;
        let answer = timeout(SOON, self.done.next_line()).await;
        answer.context("the shell of a mongod hangs")??;
        Ok(())
    }

    fn tail(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }

    /// A client that talks to this one alone, whatever set it is in.
    ///
    /// # Errors
    /// If the driver refuses its own options.
    pub async fn client(&self) -> Result<Client> {
        let mut options = ClientOptions::parse(self.uri()).await?;
        options.direct_connection = Some(true);
        options.server_selection_timeout = Some(SELECTION);
        Ok(Client::with_options(options)?)
    }
}

/// Where the program is. It being nowhere is a failure and no reason to skip anything.
fn find() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("P2PCHAT_MONGOD") {
        return Ok(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("mongod"))
        .find(|file| file.is_file())
        .context(
            "this needs MongoDB: run it by `cargo xtask`, which fetches one, or set \
             P2PCHAT_MONGOD to a mongod",
        )
}

/// A free port. On a loopback address of one's own, where the system has more than one:
/// there no connection that goes out can take the port while its mongod is away.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((own_address(), 0))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .context("no free port")?;
    Ok(listener.local_addr()?)
}
