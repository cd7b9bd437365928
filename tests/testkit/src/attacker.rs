//! An attacker in the middle: stands where clients look for their registry, and reads, cuts or
//! answers what they send.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use p2pchat_protocol::v2::FromRegistry;
use p2pchat_protocol::v2::registry::ALPN;
use p2pchat_protocol::{Request, Response};
use p2pchat_secure::{Acceptor, SecretKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The bytes before a record of TLS: its type, its version, its length.
const RECORD_HEAD: usize = 5;

/// What the attacker does with each connection.
#[derive(Debug, Clone)]
pub enum Attack {
    /// Carries every byte, and reads along.
    Listen,
    /// Carries so many records of TLS from each side. One more closes the connection.
    Cut {
        /// From the client.
        from_client: usize,
        /// From the registry.
        from_registry: usize,
    },
    /// Answers as a registry of version 1 which lets everyone in.
    Version1,
    /// Answers in TLS with a key of its own. What it reads is decrypted.
    OtherKey(SecretKey),
}

/// An attacker on the line to a registry. Everything through it ends on drop.
#[derive(Debug)]
pub struct Attacker {
    /// Where clients are led to.
    pub address: SocketAddr,
    attack: watch::Sender<Attack>,
    read: Read,
    _accepting: JoinSet<()>,
}

/// What was read from clients, by connection.
#[derive(Debug, Clone, Default)]
struct Read(Arc<Mutex<Vec<Vec<u8>>>>);

impl Read {
    /// A new connection.
    fn begin(&self) -> usize {
        let mut connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connections.push(Vec::new());
        connections.len() - 1
    }

    fn add(&self, connection: usize, bytes: &[u8]) {
        let mut connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The list is emptied for another attack.
        if let Some(read) = connections.get_mut(connection) {
            read.extend_from_slice(bytes);
        }
    }
}

impl Attacker {
    /// Starts one on the line to a registry, on a free port of 127.0.0.1. It listens at first.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(registry: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (attack, attacks) = watch::channel(Attack::Listen);
        let read = Read::default();
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, registry, attacks, read.clone()));
        Ok(Self {
            address,
            attack,
            read,
            _accepting: accepting,
        })
    }

    /// Changes the attack. Earlier connections are reset, and what was read is forgotten.
    pub fn set(&self, attack: Attack) {
        self.attack.send_modify(|now| {
            let mut connections = self.read.0.lock().unwrap_or_else(PoisonError::into_inner);
            connections.clear();
            *now = attack;
        });
    }

    /// What it could read, by connection: the first byte, and all that followed, as it came or
    /// decrypted. Connections on which nothing came are left out.
    #[must_use]
    pub fn read(&self) -> Vec<Vec<u8>> {
        let connections = self.read.0.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = connections.iter().filter(|read| !read.is_empty());
        connections.cloned().collect()
    }
}

async fn accept(
    listener: TcpListener,
    registry: SocketAddr,
    attacks: watch::Receiver<Attack>,
    read: Read,
) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                let (mut attacks, read) = (attacks.clone(), read.clone());
                connections.spawn(async move {
                    let attack = attacks.borrow_and_update().clone();
                    tokio::select! {
                        // However it ends, the client is cut off.
                        _ = meet(client, registry, attack, read) => {}
                        _ = attacks.changed() => {}
                    }
                });
            }
            // No file descriptor is free: one will be.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn meet(
    mut client: TcpStream,
    registry: SocketAddr,
    attack: Attack,
    read: Read,
) -> Result<()> {
    let connection = read.begin();
    let hear = |bytes: &[u8]| read.add(connection, bytes);
    match attack {
        Attack::Listen => {
            let mut server = TcpStream::connect(registry).await?;
            let (mut from_client, mut to_client) = client.split();
            let (mut from_server, mut to_server) = server.split();
            let back = async {
                tokio::io::copy(&mut from_server, &mut to_client).await?;
                to_client.shutdown().await
            };
            let there = carry(&mut from_client, &mut to_server, hear);
            tokio::try_join!(there, back)?;
        }
        Attack::Cut {
            from_client: client_records,
            from_registry: registry_records,
        } => {
            let mut server = TcpStream::connect(registry).await?;
            let (mut from_client, mut to_client) = client.split();
            let (mut from_server, mut to_server) = server.split();
            tokio::select! {
                cut = carry_records(&mut from_client, &mut to_server, client_records, hear) => cut?,
                cut = carry_records(&mut from_server, &mut to_client, registry_records, |_| {}) => cut?,
            }
        }
        Attack::Version1 => answer_by_version_1(&mut client, hear).await?,
        Attack::OtherKey(key) => {
            let mut first = [0];
            let length = client.peek(&mut first).await?;
            hear(&first[..length]);
            let mut client = Acceptor::new(&key, ALPN).accept(client).await?;
            let mut welcome = Vec::new();
            FromRegistry::Welcome { time: 1 }.encode(&mut welcome);
            client.write_all(&welcome).await?;
            client.flush().await?;
            loop {
                let mut buffer = [0; 4096];
                match client.read(&mut buffer).await? {
                    0 => break,
                    length => hear(&buffer[..length]),
                }
            }
        }
    }
    Ok(())
}

/// Carries bytes until they end.
async fn carry(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    hear: impl Fn(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        hear(&buffer[..length]);
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..length]).await?;
    }
}

/// Carries so many records of TLS, and ends when one more comes.
async fn carry_records(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    count: usize,
    hear: impl Fn(&[u8]),
) -> io::Result<()> {
    for number in 0.. {
        let mut record = vec![0; RECORD_HEAD];
        from.read_exact(&mut record).await?;
        hear(&record);
        if number == count {
            break;
        }
        let length = u16::from_be_bytes([record[3], record[4]]);
        record.resize(RECORD_HEAD + usize::from(length), 0);
        from.read_exact(&mut record[RECORD_HEAD..]).await?;
        hear(&record[RECORD_HEAD..]);
        to.write_all(&record).await?;
    }
    Ok(())
}

/// Answers whatever comes as if it was a login that succeeds.
async fn answer_by_version_1(client: &mut TcpStream, hear: impl Fn(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; 4096];
    loop {
        let length = client.read(&mut buffer).await?;
        hear(&buffer[..length]);
        if length == 0 {
            return Ok(());
        }
        let mut answers = Vec::new();
        for _ in 0..length.div_ceil(Request::LEN) {
            Response::LoggedIn.encode(&mut answers);
        }
        client.write_all(&answers).await?;
    }
}
