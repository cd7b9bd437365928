//! What has to happen for a message of an encrypted conversation, and nothing else.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use p2pchat_protocol::v2::peer::ALPN;
use p2pchat_protocol::v2::{PublicKey, Signature};
use p2pchat_secure::{Acceptor, Connector, Expected, SecretKey, Secured, sha256, verify};
use rusqlite::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::sample::{Sample, Times};

/// How many messages make one measurement.
pub const MESSAGES: usize = 100;
/// How long it is quiet between two. Of one who says more than 20 a second the rest is asked for in
/// its turn.
pub const PAUSE: Duration = Duration::from_millis(75);
/// The bytes of an entry with a text of 60 letters: header and body, and its signature.
pub const ENTRY: usize = 150 + 76;
/// The same and its signature.
pub const SIGNED: usize = ENTRY + Signature::LEN;
/// Far more than one takes.
const SOON: Duration = Duration::from_secs(20);

/// What has to happen for a message that is durable before it is sent and before it is shown, and
/// nothing else.
#[derive(Debug)]
pub struct Chain {
    key: SecretKey,
    store: Connection,
    line: Secured<TcpStream>,
    arrived: mpsc::Receiver<Instant>,
}

impl Chain {
    /// With the stores of both sides in a folder.
    ///
    /// # Errors
    /// If there is no connection.
    pub async fn start(folder: &Path) -> Result<Self> {
        let (key, other) = (SecretKey::generate(), SecretKey::generate());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (tell, arrived) = mpsc::channel(1);
        let receiver = ChainEnd {
            writer: key.public(),
            acceptor: Acceptor::new(&other, ALPN),
            store: open(&folder.join("chain1.sqlite"))?,
            tell,
        };
        // If it fails, nothing arrives, which is noticed.
        tokio::spawn(receiver.run(listener));
        let connector = Connector::new(&key, ALPN);
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let line = connector
            .connect(stream, Expected::Key(other.public()))
            .await?;
        let store = open(&folder.join("chain0.sqlite"))?;
        Ok(Self {
            key,
            store,
            line,
            arrived,
        })
    }

    /// Measures so many messages.
    ///
    /// # Errors
    /// If one does not arrive.
    pub async fn run(&mut self) -> Result<Sample> {
        let mut times = Times::default();
        let wall = Instant::now();
        for number in 0..MESSAGES {
            sleep(PAUSE).await;
            let mut entry = format!("{number:0ENTRY$}").into_bytes();
            let began = Instant::now();
            let signature = self.key.sign(&sha256(&entry));
            entry.extend(signature.0);
            commit(&self.store, &entry)?;
            self.line.write_all(&entry).await?;
            self.line.flush().await?;
            let arrived = timeout(SOON, self.arrived.recv()).await?;
            let arrived = arrived.context("the receiver has ended")?;
            times.record(arrived.duration_since(began));
        }
        Ok(Sample::new(&times, wall.elapsed()))
    }
}

/// The other end of the chain.
struct ChainEnd {
    writer: PublicKey,
    acceptor: Acceptor,
    store: Connection,
    tell: mpsc::Sender<Instant>,
}

impl ChainEnd {
    async fn run(self, listener: TcpListener) -> Result<()> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mut line = self.acceptor.accept(stream).await?;
        let mut entry = [0; SIGNED];
        loop {
            line.read_exact(&mut entry).await?;
            let (bytes, signature) = entry.split_at(ENTRY);
            let signature = Signature(signature.try_into()?);
            if !verify(&self.writer, &sha256(bytes), &signature) {
                bail!("a wrong signature");
            }
            commit(&self.store, &entry)?;
            self.tell.send(Instant::now()).await?;
        }
    }
}

/// Measures so many commits of one entry each.
///
/// # Errors
/// If the disk fails.
pub fn commits_alone(store: &Connection) -> Result<Sample> {
    let mut times = Times::default();
    let wall = Instant::now();
    for _ in 0..MESSAGES {
        let began = Instant::now();
        commit(store, &[7; SIGNED])?;
        times.record(began.elapsed());
    }
    Ok(Sample::new(&times, wall.elapsed()))
}

/// A store of entries that survives a power cut, without anything to find them by.
///
/// # Errors
/// If there can be none.
pub fn open(path: &Path) -> Result<Connection> {
    let store = Connection::open(path)?;
    store.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE entry (position INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;",
    )?;
    Ok(store)
}

/// Commits one entry.
///
/// # Errors
/// If the disk fails.
pub fn commit(store: &Connection, entry: &[u8]) -> Result<()> {
    let mut insert = store.prepare_cached("INSERT INTO entry (bytes) VALUES (?1)")?;
    insert.execute([entry])?;
    Ok(())
}
