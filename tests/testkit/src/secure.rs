//! A client of version 2 of the registry's protocol: one encrypted connection, frame by frame.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::registry::{ALPN, MAX_FROM_REGISTRY};
use p2pchat_protocol::v2::{
    Binding, DisplayName, FrameDecoder, FromRegistry, Passphrase, SignIn, SignUp, SignedIn, Status,
    ToRegistry,
};
use p2pchat_protocol::v2::{Certificate, DeviceKey, PersonKey};
use p2pchat_secure::{Connector, Expected, SecretKey, Secured};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// How long a registry may take to accept, and to answer: longer than any of its own timeouts.
const LIMIT: Duration = Duration::from_secs(30);
/// How much is read at a time, in bytes.
const BUFFER: usize = 16 * 1024;
/// The port that is named as the one at which peers are awaited; nothing listens there.
const PORT: u16 = 5858;

/// A device of a person, with keys that are kept nowhere.
#[derive(Debug, Clone)]
pub struct Device {
    key: SecretKey,
    person: SecretKey,
    certificate: Certificate,
}

impl Device {
    /// The first device of a new person.
    #[must_use]
    pub fn of_new_person() -> Self {
        Self::of(SecretKey::generate())
    }

    /// A further device of the same person.
    #[must_use]
    pub fn further(&self) -> Self {
        Self::of(self.person.clone())
    }

    fn of(person: SecretKey) -> Self {
        let key = SecretKey::generate();
        Self {
            certificate: person.certify(DeviceKey(key.public())),
            key,
            person,
        }
    }

    /// What signs for it.
    #[must_use]
    pub fn secret(&self) -> &SecretKey {
        &self.key
    }

    /// That it is its person's.
    #[must_use]
    pub fn certificate(&self) -> Certificate {
        self.certificate
    }

    /// Its key, as TLS shows it.
    #[must_use]
    pub fn key(&self) -> DeviceKey {
        self.certificate.device
    }

    /// The key of its person.
    #[must_use]
    pub fn person(&self) -> PersonKey {
        self.certificate.person
    }
}

/// A connection to a registry that has accepted the key of the client.
#[derive(Debug)]
pub struct SecureSession {
    stream: Secured<TcpStream>,
    certificate: Certificate,
    decoder: FrameDecoder,
    /// Snapshots, deltas and goodbyes that no one has taken yet.
    pushed: VecDeque<FromRegistry>,
    answers: VecDeque<FromRegistry>,
    /// The bytes that were read last.
    read: Vec<u8>,
}

impl SecureSession {
    /// Connects from a given address, and waits for the welcome.
    ///
    /// # Errors
    /// If the registry does not accept within 30 s, or does not have the key that is expected.
    pub async fn connect(
        device: &Device,
        from: Ipv4Addr,
        to: SocketAddr,
        expected: Expected,
    ) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        let connector = Connector::new(&device.key, ALPN);
        let connecting = async {
            let stream = socket.connect(to).await?;
            // Nagle's delay here would count as the registry's.
            stream.set_nodelay(true)?;
            anyhow::Ok(connector.connect(stream, expected).await?)
        };
        let stream = timeout(LIMIT, connecting)
            .await
            .context("the registry does not accept")??;
        let mut session = Self {
            stream,
            certificate: device.certificate,
            decoder: FrameDecoder::default(),
            pushed: VecDeque::new(),
            answers: VecDeque::new(),
            read: Vec::with_capacity(BUFFER),
        };
        match session.answer().await? {
            FromRegistry::Welcome { .. } => Ok(session),
            other => bail!("the first frame is {other:?}"),
        }
    }

    /// Sends a request, and waits for its answer.
    ///
    /// # Errors
    /// If the connection ends, or no answer comes within 30 s.
    pub async fn ask(&mut self, request: &ToRegistry) -> Result<FromRegistry> {
        self.send(request).await?;
        self.answer().await
    }

    /// Sends a request and does not wait.
    ///
    /// # Errors
    /// If the connection ends.
    pub async fn send(&mut self, request: &ToRegistry) -> Result<()> {
        let mut bytes = Vec::new();
        request.encode(&mut bytes);
        self.stream.write_all(&bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// Creates an account.
    ///
    /// # Errors
    /// If the registry does not, or as [`SecureSession::ask`].
    pub async fn sign_up(&mut self, name: Username, password: Passphrase) -> Result<()> {
        let request = self.sign_up_request(name, password);
        self.done(&request).await
    }

    /// The request that creates an account for this device.
    #[must_use]
    pub fn sign_up_request(&self, name: Username, password: Passphrase) -> ToRegistry {
        ToRegistry::SignUp(SignUp {
            name,
            password,
            certificate: self.certificate,
            display_name: DisplayName::default(),
        })
    }

    /// Begins a session: by the key alone, or with a password.
    ///
    /// # Errors
    /// If the registry refuses, or as [`SecureSession::ask`].
    pub async fn sign_in(
        &mut self,
        name: Username,
        password: Option<Passphrase>,
    ) -> Result<SignedIn> {
        let request = self.sign_in_request(name, password);
        match self.ask(&request).await? {
            FromRegistry::SignedIn(signed_in) => Ok(signed_in),
            other => bail!("the sign-in of {name} was answered {other:?}"),
        }
    }

    /// The request that begins a session of this device.
    #[must_use]
    pub fn sign_in_request(&self, name: Username, password: Option<Passphrase>) -> ToRegistry {
        ToRegistry::SignIn(SignIn {
            name,
            certificate: self.certificate,
            password,
            port: PORT,
            version_1: true,
            status: Status::Available,
        })
    }

    /// Who is bound to a name.
    ///
    /// # Errors
    /// If no one is, or as [`SecureSession::ask`].
    pub async fn lookup(&mut self, name: Username) -> Result<Binding> {
        match self.ask(&ToRegistry::Lookup(name)).await? {
            FromRegistry::Found(binding) => Ok(binding),
            other => bail!("the lookup of {name} was answered {other:?}"),
        }
    }

    /// Sends a request that is answered by `Done`.
    ///
    /// # Errors
    /// If it is answered otherwise, or as [`SecureSession::ask`].
    pub async fn done(&mut self, request: &ToRegistry) -> Result<()> {
        let answer = self.ask(request).await?;
        ensure!(
            answer == FromRegistry::Done,
            "{request:?} was answered {answer:?}"
        );
        Ok(())
    }

    /// The next snapshot, delta or goodbye. Waits as long as it takes. Cancel safe.
    ///
    /// # Errors
    /// If the connection ends.
    pub async fn pushed(&mut self) -> Result<FromRegistry> {
        loop {
            if let Some(pushed) = self.pushed.pop_front() {
                return Ok(pushed);
            }
            self.receive().await?;
        }
    }

    async fn answer(&mut self) -> Result<FromRegistry> {
        let answer = async {
            loop {
                if let Some(answer) = self.answers.pop_front() {
                    return anyhow::Ok(answer);
                }
                self.receive().await?;
            }
        };
        timeout(LIMIT, answer)
            .await
            .context("the registry does not answer")?
    }

    /// Reads once. Cancel safe.
    async fn receive(&mut self) -> Result<()> {
        self.read.clear();
        if self.stream.read_buf(&mut self.read).await? == 0 {
            let last = self.pushed.back();
            bail!("the registry closed the connection; last it pushed {last:?}");
        }
        let mut bytes = &self.read[..];
        while let Some(frame) = self.decoder.next(&mut bytes, MAX_FROM_REGISTRY)? {
            match FromRegistry::decode(&frame)? {
                Some(
                    pushed @ (FromRegistry::Snapshot { .. }
                    | FromRegistry::Delta(_)
                    | FromRegistry::Goodbye(_)),
                ) => self.pushed.push_back(pushed),
                Some(answer) => self.answers.push_back(answer),
                None => {}
            }
        }
        Ok(())
    }
}
