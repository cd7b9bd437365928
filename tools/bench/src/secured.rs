//! Clients of version 2, and accounts for them that need no password.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::frame::HEAD;
use p2pchat_protocol::v2::registry::{ALPN, MAX_FROM_REGISTRY};
use p2pchat_protocol::v2::{
    Binding, Certificate, DeviceKey, Frame, FromRegistry, SignIn, Status, ToRegistry,
};
use p2pchat_registry::store::{self, Opener, Store, StoredBinding};
use p2pchat_secure::{Connector, Expected, SecretKey, Secured};
use p2pchat_testkit::{Registry, SOON};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::counted::Counted;
use crate::load::connect;
use crate::rows;
use crate::servers::{self, name};

/// What each registry is told: any number of handshakes from anywhere, and sessions that may
/// be silent for as long as they like.
const LIFTED: [&str; 10] = [
    "--session-timeout",
    "86400",
    "--handshakes",
    "1000000000",
    "--handshake-rate",
    "1000000000",
    "--unknown-handshakes",
    "1000000000",
    "--unknown-handshake-rate",
    "1000000000",
];

/// A connection that counts what comes in below TLS.
pub type Stream = Secured<Counted<TcpStream>>;

/// The key of the device of the user of this number.
#[must_use]
pub fn device(number: usize) -> SecretKey {
    key(number, 1)
}

fn key(number: usize, kind: u8) -> SecretKey {
    let mut seed = [kind; SecretKey::LEN];
    seed[..8].copy_from_slice(&(number as u64).to_be_bytes());
    SecretKey::from_seed(seed)
}

/// That device, certified by its person.
#[must_use]
pub fn certificate(number: usize) -> Certificate {
    key(number, 2).certify(DeviceKey(device(number).public()))
}

/// Binds the first accounts of a store, which are there already, to a person each.
///
/// # Errors
/// If the store cannot be written.
pub async fn bind(store: &str, accounts: usize) -> Result<()> {
    bind_to(store, (0..accounts).map(certificate)).await
}

/// The same to people with these devices.
///
/// # Errors
/// If the store cannot be written.
pub async fn bind_to(store: &str, devices: impl Iterator<Item = Certificate>) -> Result<()> {
    let store = store::open(&store.parse()?, Opener::Operator).await?;
    for devices in devices.enumerate().collect::<Vec<_>>().chunks(512) {
        let binding = devices.iter().map(|of| bind_one(&store, *of));
        futures::future::try_join_all(binding).await?;
    }
    store.close().await;
    Ok(())
}

async fn bind_one(
    store: &Arc<dyn Store>,
    (number, certificate): (usize, Certificate),
) -> Result<()> {
    let binding = Binding {
        name: name(number),
        serial: 1,
        person: Some(certificate.person),
        display_name: format!("User {number:08}").parse()?,
        devices: vec![certificate],
    };
    let stored = StoredBinding {
        binding,
        forgotten: Vec::new(),
        allows_version_1: false,
    };
    anyhow::ensure!(store.bind(stored).await?, "it is bound already");
    Ok(())
}

/// The first frame of the user of this number.
#[must_use]
pub fn sign_in(number: usize) -> ToRegistry {
    ToRegistry::SignIn(SignIn {
        name: name(number),
        certificate: certificate(number),
        password: None,
        port: 5858,
        version_1: false,
        status: Status::Available,
    })
}

/// The bytes of a frame.
#[must_use]
pub fn bytes(frame: &ToRegistry) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes
}

/// A lookup of the binding of the user of this number.
#[must_use]
pub fn lookup(user: Username) -> Vec<u8> {
    bytes(&ToRegistry::Lookup(user))
}

/// A connection to a server that has this device's key and any server's.
///
/// # Errors
/// If the server does not take it.
pub async fn secured(from: Ipv4Addr, to: SocketAddr, key: &SecretKey) -> Result<Stream> {
    let stream = Counted::new(connect(from, to).await?);
    let connector = Connector::new(key, ALPN);
    let connecting = connector.connect(stream, Expected::Any);
    Ok(timeout(SOON, connecting).await.context("no handshake")??)
}

/// One client of a registry.
#[derive(Debug)]
pub struct Client {
    /// Its connection.
    pub stream: Stream,
}

impl Client {
    /// Connects, and signs the user of this number in by their key.
    ///
    /// # Errors
    /// If the registry does not take it.
    pub async fn sign_in(from: Ipv4Addr, to: SocketAddr, number: usize) -> Result<Self> {
        Self::sign_in_by(from, to, &device(number), &sign_in(number)).await
    }

    /// The same with a key and a first frame that were made before, which takes two signatures.
    ///
    /// # Errors
    /// If the registry does not take it.
    pub async fn sign_in_by(
        from: Ipv4Addr,
        to: SocketAddr,
        device: &SecretKey,
        sign_in: &ToRegistry,
    ) -> Result<Self> {
        let stream = secured(from, to, device).await?;
        let mut client = Self { stream };
        let (welcome, _) = client.next().await?;
        anyhow::ensure!(
            matches!(welcome, FromRegistry::Welcome { .. }),
            "{welcome:?}"
        );
        let signed_in = client.ask(sign_in).await?;
        anyhow::ensure!(
            matches!(signed_in, FromRegistry::SignedIn(_)),
            "{signed_in:?}"
        );
        Ok(client)
    }

    /// Sends a frame and waits for its answer, which has to come next.
    ///
    /// # Errors
    /// If the connection is lost.
    pub async fn ask(&mut self, frame: &ToRegistry) -> Result<FromRegistry> {
        self.stream.write_all(&bytes(frame)).await?;
        self.stream.flush().await?;
        let (answer, _) = timeout(SOON, self.next()).await.context("no answer")??;
        Ok(answer)
    }

    /// The next frame, and how many bytes it has.
    ///
    /// # Errors
    /// If the connection is lost, or it is no frame.
    pub async fn next(&mut self) -> Result<(FromRegistry, usize)> {
        loop {
            let mut head = [0; HEAD];
            self.stream.read_exact(&mut head).await?;
            let [a, b, c, d, kind] = head;
            let length = usize::try_from(u32::from_be_bytes([a, b, c, d]))?;
            if length > MAX_FROM_REGISTRY {
                bail!("a frame of {length} bytes");
            }
            let mut message = vec![0; length];
            self.stream.read_exact(&mut message).await?;
            if let Some(frame) = FromRegistry::decode(&Frame { kind, message })? {
                return Ok((frame, HEAD + length));
            }
        }
    }
}

/// A registry with so many accounts, each of which is bound to a person and signs in by key.
///
/// # Errors
/// If it does not start.
pub async fn registry(context: &rows::Context, accounts: usize) -> Result<Registry> {
    let store = context.new_store();
    servers::fill(&store, accounts).await?;
    bind(&store, accounts).await?;
    servers::registry_and(&context.programs, context.home(), &store, &LIFTED).await
}

/// How long the frame is that a registry sends first.
#[must_use]
pub fn greeting() -> usize {
    let mut bytes = Vec::new();
    let time = 1_700_000_000_000;
    FromRegistry::Welcome { time }.encode(&mut bytes);
    bytes.len()
}
