//! A real mongod that can be killed and started again.
//!
//! Each has a shell, which outlives the process that started it by a moment: when the
//! shell's standard input ends, for whatever reason, it kills the mongod and removes its
//! folder. So a mongod dies with the test program, even one in a `static`.

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::address::free_address;
use crate::{SOON, skip};

#[cfg(feature = "mongodb")]
mod replica_set;

#[cfg(feature = "mongodb")]
pub use replica_set::ReplicaSet;

/// A shell script that reads `start` and `kill`, a line each, and repeats the line when that
/// is done. Signals from the terminal, and those sent to the whole process group, do not
/// end it.
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
/// How often a connection is tried meanwhile.
const POLL: Duration = Duration::from_millis(10);
/// A port may be taken between finding it free and mongod's binding it.
const TRIES: usize = 3;

/// A database server that tests may write to: the one that `$MONGODB_URI` names, else a
/// mongod that is killed on drop.
#[derive(Debug)]
pub struct MongoDb {
    uri: String,
    _started: Option<Mongod>,
}

impl MongoDb {
    /// Finds or starts it.
    ///
    /// # Errors
    /// If there is no mongod, or it does not start.
    pub async fn find() -> Result<Self> {
        if let Ok(uri) = env::var("MONGODB_URI") {
            return Ok(Self {
                uri,
                _started: None,
            });
        }
        let mongod = Mongod::start(&[]).await?;
        Ok(Self {
            uri: mongod.uri(),
            _started: Some(mongod),
        })
    }

    /// Its URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }
}

/// Ends a test here where there is no mongod to start: as skipped, or, with `CI=true`, as
/// failed.
#[macro_export]
macro_rules! require_mongod {
    () => {
        if !$crate::has_mongod() {
            return;
        }
    };
}

/// [`require_mongod`] for a test that takes any MongoDB: the one
/// that `$MONGODB_URI` names is enough.
#[macro_export]
macro_rules! require_mongodb {
    () => {
        if std::env::var_os("MONGODB_URI").is_none() && !$crate::has_mongod() {
            return;
        }
    };
}

/// Whether there is a mongod to start. If not, says that the test is skipped.
///
/// # Panics
/// With `CI=true`, where a missing one is a failure.
#[doc(hidden)]
#[must_use]
pub fn has_mongod() -> bool {
    let Err(error) = mongod_program() else {
        return true;
    };
    assert!(env::var("CI").as_deref() != Ok("true"), "{error}");
    skip(&error.to_string());
    false
}

/// The path of the mongod to start: `$P2PCHAT_MONGOD`, else the one on `$PATH`.
///
/// # Errors
/// If there is none.
pub fn mongod_program() -> Result<PathBuf> {
    if let Some(named) = env::var_os("P2PCHAT_MONGOD") {
        return Ok(named.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder| folder.join("mongod"))
        .find(|file| file.is_file())
        .context(
            "this needs MongoDB: run it by `cargo xtask`, which fetches one, or set \
             P2PCHAT_MONGOD to a mongod",
        )
}

/// A mongod on a loopback address and with a folder of its own. Killed on drop.
#[derive(Debug)]
pub struct Mongod {
    /// Where it listens while it runs.
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
        let program = mongod_program()?;
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

    /// Its URI, without a database.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("mongodb://{}", self.address)
    }

    /// Ends it by SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// If its shell is gone.
    pub async fn kill(&mut self) -> Result<()> {
        self.order("kill").await
    }

    /// Starts it again where it was, after [`Mongod::kill`], and waits until it listens.
    ///
    /// # Errors
    /// If it does not within a minute; says how its log ends.
    pub async fn restart(&mut self) -> Result<()> {
        self.order("start").await?;
        let began = Instant::now();
        while TcpStream::connect(self.address).await.is_err() {
            if began.elapsed() > START {
                bail!("mongod does not start; its log ends:\n{}", self.tail());
            }
            sleep(POLL).await;
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
}
