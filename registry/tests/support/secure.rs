//! A client of version 2, for tests that do not wait for anything else meanwhile.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use p2pchat_protocol::v2::registry::{ALPN, MAX_FROM_REGISTRY};
use p2pchat_protocol::v2::{
    Certificate, DeviceKey, FrameDecoder, FromRegistry, Goodbye, Passphrase, Refusal, Seat,
    SeatState, SignIn, SignUp, SignedIn, Status, ToRegistry,
};
use p2pchat_secure::{Connector, Expected, HandshakeError, SecretKey, Secured};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::SOON;

/// A person, who can have several devices.
pub(crate) struct Person(SecretKey);

impl Person {
    pub(crate) fn new() -> Self {
        Self(SecretKey::generate())
    }

    pub(crate) fn device(&self) -> Device {
        let key = SecretKey::generate();
        Device {
            certificate: self.0.certify(DeviceKey(key.public())),
            key,
        }
    }
}

/// A device, with the certificate of its person.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) key: SecretKey,
    pub(crate) certificate: Certificate,
}

impl Device {
    /// The only device of a new person.
    pub(crate) fn new() -> Self {
        Person::new().device()
    }

    pub(crate) fn seat(&self, name: &str) -> Seat {
        Seat {
            name: name.parse().unwrap(),
            device: Some(self.certificate.device.id()),
        }
    }

    pub(crate) fn sign_up(&self, name: &str, password: &str) -> ToRegistry {
        ToRegistry::SignUp(SignUp {
            name: name.parse().unwrap(),
            password: passphrase(password),
            certificate: self.certificate,
            display_name: "".parse().unwrap(),
        })
    }

    pub(crate) fn sign_in(&self, name: &str, password: Option<&str>) -> ToRegistry {
        ToRegistry::SignIn(SignIn {
            name: name.parse().unwrap(),
            certificate: self.certificate,
            password: password.map(passphrase),
            port: 5858,
            version_1: true,
            status: Status::Available,
        })
    }
}

pub(crate) fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

/// A refusal as it is answered.
pub(crate) fn refused(refusal: Refusal) -> FromRegistry {
    FromRegistry::Refused(refusal)
}

/// An encrypted connection to a registry.
pub(crate) struct Session {
    runtime: Runtime,
    stream: Secured<TcpStream>,
    decoder: FrameDecoder,
    unread: Vec<u8>,
    /// What was pushed while an answer was awaited.
    pushed: VecDeque<FromRegistry>,
}

impl Session {
    /// Connects from 127.0.0.1, and waits for the first frame.
    pub(crate) fn connect(to: SocketAddr, device: &Device) -> Self {
        Self::connect_from(Ipv4Addr::LOCALHOST, to, device)
    }

    pub(crate) fn connect_from(from: Ipv4Addr, to: SocketAddr, device: &Device) -> Self {
        Self::try_connect(from, to, device, Expected::Any).unwrap()
    }

    pub(crate) fn try_connect(
        from: Ipv4Addr,
        to: SocketAddr,
        device: &Device,
        expected: Expected,
    ) -> Result<Self, HandshakeError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let stream = runtime.block_on(async {
            let connecting = connect(from, to, &device.key, expected);
            let in_time = timeout(SOON, connecting).await;
            in_time.unwrap_or_else(|_| Err(HandshakeError::Io(io::ErrorKind::TimedOut.into())))
        })?;
        let mut session = Self {
            runtime,
            stream,
            decoder: FrameDecoder::default(),
            unread: Vec::new(),
            pushed: VecDeque::new(),
        };
        match session.next() {
            Some(FromRegistry::Welcome { .. }) => Ok(session),
            _ => Err(HandshakeError::Io(io::ErrorKind::UnexpectedEof.into())),
        }
    }

    pub(crate) fn send(&mut self, requests: &[ToRegistry]) {
        let mut bytes = Vec::new();
        requests
            .iter()
            .for_each(|request| request.encode(&mut bytes));
        self.send_bytes(&bytes).unwrap();
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream = &mut self.stream;
        self.runtime.block_on(async {
            stream.write_all(bytes).await?;
            stream.flush().await
        })
    }

    /// Sends a request, and returns its answer. What is pushed meanwhile is kept.
    pub(crate) fn ask(&mut self, request: ToRegistry) -> FromRegistry {
        self.send(&[request]);
        self.answer()
    }

    /// The next frame that is an answer.
    pub(crate) fn answer(&mut self) -> FromRegistry {
        loop {
            match self.next().expect("an answer") {
                pushed @ (FromRegistry::Snapshot { .. } | FromRegistry::Delta(_)) => {
                    self.pushed.push_back(pushed);
                }
                answer => return answer,
            }
        }
    }

    /// The seats of the next snapshot or delta.
    pub(crate) fn pushed(&mut self) -> Vec<(Seat, Option<SeatState>)> {
        let pushed = self.pushed.pop_front().or_else(|| self.next());
        match pushed.expect("something pushed") {
            FromRegistry::Snapshot { users, .. } => users,
            FromRegistry::Delta(users) => users,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until something is pushed of a seat, and returns it.
    pub(crate) fn pushed_of(&mut self, seat: Seat) -> Option<SeatState> {
        loop {
            let pushed = self.pushed();
            if let Some((_, state)) = pushed.into_iter().find(|(pushed, _)| *pushed == seat) {
                return state;
            }
        }
    }

    /// The next frame, `None` if the connection ends.
    pub(crate) fn next(&mut self) -> Option<FromRegistry> {
        self.next_within(SOON)
    }

    pub(crate) fn next_within(&mut self, within: Duration) -> Option<FromRegistry> {
        loop {
            let mut bytes = &self.unread[..];
            let frame = self.decoder.next(&mut bytes, MAX_FROM_REGISTRY).unwrap();
            self.unread = bytes.to_vec();
            if let Some(frame) = frame {
                return FromRegistry::decode(&frame).unwrap();
            }
            let mut buffer = vec![0; 64 * 1024];
            let stream = &mut self.stream;
            let reading = async { timeout(within, stream.read(&mut buffer)).await };
            match self.runtime.block_on(reading) {
                Ok(Ok(length)) if length > 0 => self.unread.extend_from_slice(&buffer[..length]),
                Ok(_) => return None,
                Err(_) => panic!("nothing within {within:?}"),
            }
        }
    }

    /// The reason why the registry closes the connection, which it then does.
    pub(crate) fn goodbye(&mut self) -> Goodbye {
        self.goodbye_within(SOON)
    }

    pub(crate) fn goodbye_within(&mut self, within: Duration) -> Goodbye {
        loop {
            match self.next_within(within) {
                Some(FromRegistry::Goodbye(goodbye)) => {
                    assert_eq!(self.next(), None, "it is the last frame");
                    return goodbye;
                }
                Some(_) => {}
                None => panic!("closed without a goodbye"),
            }
        }
    }

    /// Signs up and in.
    pub(crate) fn enter(&mut self, device: &Device, name: &str, password: &str) -> SignedIn {
        assert_eq!(self.ask(device.sign_up(name, password)), FromRegistry::Done);
        self.sign_in(device, name)
    }

    /// Signs in by the key.
    pub(crate) fn sign_in(&mut self, device: &Device, name: &str) -> SignedIn {
        match self.ask(device.sign_in(name, None)) {
            FromRegistry::SignedIn(signed_in) => signed_in,
            other => panic!("{other:?}"),
        }
    }

    /// Subscribes, and returns who is online.
    pub(crate) fn subscribe(&mut self) -> Vec<(Seat, Option<SeatState>)> {
        assert_eq!(self.ask(ToRegistry::Subscribe), FromRegistry::Done);
        self.pushed()
    }
}

async fn connect(
    from: Ipv4Addr,
    to: SocketAddr,
    key: &SecretKey,
    expected: Expected,
) -> Result<Secured<TcpStream>, HandshakeError> {
    let socket = TcpSocket::new_v4().map_err(HandshakeError::Io)?;
    let bound = socket.bind((from, 0).into());
    bound.map_err(HandshakeError::Io)?;
    let stream = socket.connect(to).await.map_err(HandshakeError::Io)?;
    let connector = Connector::new(key, ALPN);
    connector.connect(stream, expected).await
}
