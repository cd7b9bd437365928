//! A link that is encrypted: version 2.

use std::io::ErrorKind;
use std::time::Duration;

use p2pchat_protocol::v2::registry::{ALPN, MAX_FROM_REGISTRY, MAX_TO_REGISTRY};
use p2pchat_protocol::v2::{Fingerprint, FrameDecoder, FromRegistry, frame};
use p2pchat_secure::{Connector, Expected, HandshakeError, SecretKey, Secured, fingerprint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::super::net;
use super::{CLOSE_PATIENCE, Encryption, LinkError, LinkEvent, ToSend};

/// How long the registry may take from the begin of the handshake to its first frame.
const OPEN_DEADLINE: Duration = Duration::from_secs(10);
/// Room for any request, so that the buffer never grows: a smaller one that it leaves is not
/// wiped.
const REQUEST_ROOM: usize = frame::HEAD + MAX_TO_REGISTRY;

/// What encrypts the links of a device.
pub(crate) fn connector(device: &SecretKey) -> Connector {
    Connector::new(device, ALPN)
}

/// An encrypted connection whose first frame has come.
pub(super) struct Line {
    stream: Secured<TcpStream>,
    decoder: FrameDecoder,
    /// What came behind the first frame.
    rest: Vec<u8>,
    pub(super) fingerprint: Fingerprint,
    /// The clock of the registry when it was opened, in milliseconds since 1970.
    pub(super) time: u64,
}

impl Line {
    /// Encrypts a connection, and waits for the first frame: before that nothing counts as
    /// connected.
    pub(super) async fn open(
        stream: TcpStream,
        encryption: &Encryption,
    ) -> Result<Self, LinkError> {
        let opened = timeout(OPEN_DEADLINE, Self::open_slowly(stream, encryption)).await;
        opened.unwrap_or(Err(LinkError::Silent))
    }

    async fn open_slowly(stream: TcpStream, encryption: &Encryption) -> Result<Self, LinkError> {
        let is_known = encryption.expected.is_some();
        let expected = encryption.expected;
        let expected = expected.map_or(Expected::Any, Expected::Fingerprint);
        let secured = encryption.connector.connect(stream, expected).await;
        let stream = secured.map_err(|error| not_opened(error, is_known))?;
        let mut line = Self {
            fingerprint: fingerprint(&stream.peer()),
            stream,
            time: 0,
            decoder: FrameDecoder::default(),
            rest: Vec::new(),
        };
        let mut buffer = vec![0; 4096];
        loop {
            let read = line.stream.read(&mut buffer).await?;
            if read == 0 {
                return Err(LinkError::Closed);
            }
            let mut bytes = &buffer[..read];
            match line.frame(&mut bytes)? {
                None => {}
                Some(FromRegistry::Welcome { time }) => {
                    line.time = time;
                    line.rest = bytes.to_vec();
                    return Ok(line);
                }
                Some(FromRegistry::Goodbye(_)) => return Err(LinkError::Closed),
                Some(_) => {
                    let what = "its first frame is no welcome".to_owned();
                    return Err(LinkError::OtherProtocol(what));
                }
            }
        }
    }

    /// The next whole frame that is known.
    fn frame(&mut self, bytes: &mut &[u8]) -> Result<Option<FromRegistry>, LinkError> {
        loop {
            let frame = self.decoder.next(bytes, MAX_FROM_REGISTRY);
            let frame = frame.map_err(|error| LinkError::OtherProtocol(error.to_string()))?;
            let Some(frame) = frame else {
                return Ok(None);
            };
            let read = FromRegistry::decode(&frame);
            let read = read.map_err(|error| LinkError::OtherProtocol(error.to_string()))?;
            // One of a later version is not needed.
            if read.is_some() {
                return Ok(read);
            }
        }
    }

    /// Writes requests and reads frames, until the link is dropped and all is written; then
    /// closes.
    pub(super) async fn run(
        mut self: Box<Self>,
        requests: &mut mpsc::Receiver<ToSend>,
        events: &mpsc::Sender<LinkEvent>,
    ) -> Result<(), LinkError> {
        let result = self.converse(requests, events).await;
        // However this ends, the connection does too.
        let _ = timeout(CLOSE_PATIENCE, self.close()).await;
        result
    }

    async fn converse(
        &mut self,
        requests: &mut mpsc::Receiver<ToSend>,
        events: &mpsc::Sender<LinkEvent>,
    ) -> Result<(), LinkError> {
        let rest = std::mem::take(&mut self.rest);
        self.decode(&rest, events).await?;
        let mut buffer = vec![0; 16 * 1024];
        loop {
            tokio::select! {
                request = requests.recv() => match request {
                    Some(ToSend::Encrypted(request)) => {
                        // It may have a password in it.
                        let mut bytes = Zeroizing::new(Vec::with_capacity(REQUEST_ROOM));
                        request.encode(&mut bytes);
                        self.write(&bytes).await?;
                    }
                    Some(ToSend::Plain(_)) => return Err(LinkError::Failed),
                    None => return Ok(()),
                },
                read = self.stream.read(&mut buffer) => match read? {
                    0 => return Err(LinkError::Closed),
                    bytes => self.decode(&buffer[..bytes], events).await?,
                },
            }
        }
    }

    async fn decode(
        &mut self,
        mut bytes: &[u8],
        events: &mpsc::Sender<LinkEvent>,
    ) -> Result<(), LinkError> {
        while let Some(frame) = self.frame(&mut bytes)? {
            let _ = events.send(LinkEvent::Frame(frame)).await;
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        let write = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        let written = timeout(net::WRITE_DEADLINE, write).await;
        written.map_err(|_| LinkError::Stuck)??;
        Ok(())
    }

    async fn close(&mut self) {
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let mut buffer = vec![0; 4096];
        while matches!(self.stream.read(&mut buffer).await, Ok(1..)) {}
    }
}

fn not_opened(error: HandshakeError, is_known: bool) -> LinkError {
    match error {
        HandshakeError::OtherKey(key) => LinkError::OtherKey(fingerprint(&key)),
        HandshakeError::NotEncrypted => LinkError::NotEncrypted { is_known },
        HandshakeError::OtherProtocol(what) => LinkError::OtherProtocol(what),
        HandshakeError::Io(error) => match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                LinkError::Cut { is_known }
            }
            _ => error.into(),
        },
    }
}

/// What to do about a registry that does not encrypt. Where its key is known it once did.
pub(super) fn remedy(is_known: bool) -> &'static str {
    if is_known {
        "its key is known, so nothing was sent unencrypted"
    } else {
        "if you trust this network and its operator, use --allow-plaintext"
    }
}
