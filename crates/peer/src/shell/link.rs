//! The link: the connection to the registry, and the socket for hellos.
//!
//! A [`Link`] is one connection. Dropping it sends the requests that wait, then closes.
//! Responses that still arrive are discarded, so they are never taken for those of the next
//! link.

mod encrypted;

pub(super) use encrypted::connector;

use std::io::{self, ErrorKind};
use std::net::{SocketAddrV4, UdpSocket};
use std::time::Duration;

use p2pchat_model::{OnlineUser, PeerAddr};
use p2pchat_protocol::v2::{Fingerprint, FromRegistry, ToRegistry};
use p2pchat_protocol::{Hello, Request, Response, ResponseDecoder, ResponseError};
use p2pchat_secure::Connector;
use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{Instrument, info_span};

use super::net;
use super::resolve::{RegistryNames, source_address};

/// How many requests may wait to be written. The machine asks one thing at a time or a
/// few: more means that the registry does not read.
const MAX_REQUESTS: usize = 64;
/// How many events may wait for the driver; the connection is not read meanwhile.
const MAX_EVENTS: usize = 16;
/// How long each of the registry's addresses may take to accept. A failed attempt does no harm:
/// the next one follows by itself, and the user may be waiting to log in.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// The silence that ends an online list of no more bytes than a segment has: it came in one,
/// and no part of it can be late.
const QUIET: Duration = Duration::from_millis(200);
/// The silence that ends a longer one. A lost segment is sent again after 200 ms, after 400 ms
/// more if that is lost too, and so on.
const LONG_QUIET: Duration = Duration::from_secs(1);
/// How often a link looks whether its own address is still there.
const LOOK: Duration = Duration::from_secs(5);
/// After which silence the system probes a connection, and how often.
const KEEPALIVE: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(10)];
/// How long the registry may take to close after this side did: until then it may still
/// be answering Logout.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// An event on the connection.
#[derive(Debug)]
pub(super) enum LinkEvent {
    /// The connection is there, and the registry is at this address.
    Up(SocketAddrV4),
    /// The same where it is encrypted: the registry with this key has sent its first frame.
    Welcome(SocketAddrV4, Fingerprint, u64),
    /// A frame of the registry.
    Frame(FromRegistry),
    /// The connection could not be made, or broke. The last event.
    Down(LinkError),
    /// A response of the registry.
    Response(Response),
    /// More of the online list that was the last response: all of it.
    ListContinued(Vec<OnlineUser>),
}

/// Why there is no connection to the registry. The text stands behind "no connection to the
/// registry NAME: ".
#[derive(Debug, Error)]
pub(super) enum LinkError {
    #[error("its name cannot be resolved: {0}")]
    Unresolved(io::Error),
    /// None of its addresses could be connected to.
    #[error("{}", .reasons.join("; "))]
    NotConnected {
        /// A reason for each.
        reasons: Vec<String>,
        /// The address from which the system would reach the first of them now.
        from: Option<PeerAddr>,
    },
    #[error("it closed the connection")]
    Closed,
    #[error("the server there is not a p2pchat registry: {0}")]
    NotARegistry(#[from] ResponseError),
    /// It has another key than the expected one.
    #[error("it has another key, {0}")]
    OtherKey(Fingerprint),
    #[error(
        "it does not answer encrypted, so it speaks version 1 alone or something in between answers in its place; {}",
        encrypted::remedy(*.is_known)
    )]
    NotEncrypted { is_known: bool },
    #[error(
        "the connection was cut before it was encrypted, so it speaks version 1 alone or something in between prevents encryption; {}",
        encrypted::remedy(*.is_known)
    )]
    Cut { is_known: bool },
    #[error("the server there is not a p2pchat registry: {0}")]
    OtherProtocol(String),
    #[error("it does not read what it is sent")]
    Stuck,
    #[error("it no longer answers")]
    Silent,
    #[error("the network to it is gone")]
    NetworkGone,
    #[error("the connection broke")]
    Reset,
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    #[error("the task of the connection failed")]
    Failed,
}

/// An error on a connection that was there.
impl From<io::Error> for LinkError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Self::Reset,
            ErrorKind::TimedOut => Self::Silent,
            _ if net::is_unreachable(&error) => Self::NetworkGone,
            _ => Self::Broken(error),
        }
    }
}

/// One connection to the registry, from the first attempt until it breaks.
#[derive(Debug)]
pub(super) struct Link {
    requests: mpsc::Sender<ToSend>,
    events: mpsc::Receiver<LinkEvent>,
}

/// What waits to be written.
#[derive(Debug)]
pub(super) enum ToSend {
    /// By version 1.
    Plain(Request),
    /// By version 2.
    Encrypted(ToRegistry),
}

impl From<Request> for ToSend {
    fn from(request: Request) -> Self {
        Self::Plain(request)
    }
}

impl From<ToRegistry> for ToSend {
    fn from(request: ToRegistry) -> Self {
        Self::Encrypted(request)
    }
}

/// How a link is encrypted.
#[derive(Debug, Clone)]
pub(super) struct Encryption {
    /// It has the key of this device.
    pub(super) connector: Connector,
    /// The fingerprint of the registry's key, if it is known.
    pub(super) expected: Option<Fingerprint>,
}

/// A connection that is ready for requests.
enum Line {
    Plain(TcpStream),
    Encrypted(Box<encrypted::Line>),
}

impl Link {
    /// Begins to connect, to the first address that accepts: `last`, the address of the last
    /// link, is tried last, after those that follow it and those before it.
    pub(super) fn connect(
        tasks: &mut JoinSet<()>,
        own: PeerAddr,
        registry: RegistryNames,
        last: Option<SocketAddrV4>,
        encryption: Option<Encryption>,
    ) -> Self {
        let (requests, to_write) = mpsc::channel(MAX_REQUESTS);
        let (sender, events) = mpsc::channel(MAX_EVENTS);
        let span = info_span!("link", %registry);
        let task = async move {
            if let Err(error) = run(own, (&registry, last), encryption, to_write, &sender).await {
                tracing::debug!(%error, "no connection");
                // Fails if the link was dropped.
                let _ = sender.send(LinkEvent::Down(error)).await;
            }
        };
        tasks.spawn(task.instrument(span));
        Self { requests, events }
    }

    /// Sends a request. `false` if too many wait already.
    pub(super) fn ask(&self, request: impl Into<ToSend>) -> bool {
        // If the task has ended, its last event says why.
        !matches!(
            self.requests.try_send(request.into()),
            Err(mpsc::error::TrySendError::Full(_))
        )
    }

    /// The next event. Cancel-safe.
    pub(super) async fn event(&mut self) -> LinkEvent {
        let event = self.events.recv().await;
        event.unwrap_or(LinkEvent::Down(LinkError::Failed))
    }
}

async fn run(
    own: PeerAddr,
    to: (&RegistryNames, Option<SocketAddrV4>),
    encryption: Option<Encryption>,
    mut requests: mpsc::Receiver<ToSend>,
    events: &mpsc::Sender<LinkEvent>,
) -> Result<(), LinkError> {
    let (line, at) = tokio::select! {
        connected = connect(own, to, encryption.as_ref()) => connected?,
        () = events.closed() => return Ok(()),
    };
    tracing::debug!(%at, "connected");
    match line {
        Line::Plain(mut stream) => {
            let _ = events.send(LinkEvent::Up(at)).await;
            let result = while_at(own, converse(&mut stream, &mut requests, events)).await;
            net::close_in_order(stream, CLOSE_PATIENCE).await;
            result
        }
        Line::Encrypted(line) => {
            let welcome = LinkEvent::Welcome(at, line.fingerprint, line.time);
            let _ = events.send(welcome).await;
            while_at(own, line.run(&mut requests, events)).await
        }
    }
}

/// Ends a conversation when this machine has no longer the address that it goes from. It has left
/// that network, and TCP would take a minute to notice.
async fn while_at(
    own: PeerAddr,
    conversation: impl Future<Output = Result<(), LinkError>>,
) -> Result<(), LinkError> {
    let left = async {
        while is_of_this_machine(own) {
            sleep(LOOK).await;
        }
    };
    tokio::select! {
        result = conversation => result,
        () = left => Err(LinkError::NetworkGone),
    }
}

fn is_of_this_machine(address: PeerAddr) -> bool {
    let bound = UdpSocket::bind((address.ip(), 0));
    !bound.is_err_and(|error| error.kind() == ErrorKind::AddrNotAvailable)
}

/// Tries all addresses that the registry's names have at this moment: a registry that moves is
/// found again. Where there are several, the last one is gone and has cost its deadline
/// already: it is tried last.
async fn connect(
    own: PeerAddr,
    (registry, last): (&RegistryNames, Option<SocketAddrV4>),
    encryption: Option<&Encryption>,
) -> Result<(Line, SocketAddrV4), LinkError> {
    let mut addresses = registry.resolve().await.map_err(LinkError::Unresolved)?;
    let first = addresses[0];
    if let Some(tried) = addresses.iter().position(|at| Some(*at) == last) {
        addresses.rotate_left(tried + 1);
    }
    let mut reasons: Vec<String> = Vec::new();
    let mut add = |reason| {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    };
    for at in addresses {
        // That no route leads there is not mended by trying for seconds, as what is lost is.
        if let Err(error) = source_address(at) {
            add(connect_failure(registry, own, at, &error));
            continue;
        }
        match net::dial(own, at.into(), CONNECT_DEADLINE).await {
            Ok(stream) => {
                keep_alive(&stream);
                match open(stream, encryption).await {
                    Ok(line) => return Ok((line, at)),
                    Err(other @ LinkError::OtherKey(_)) => return Err(other),
                    Err(error) => add(error.to_string()),
                }
            }
            Err(error) => add(connect_failure(registry, own, at, &error)),
        }
    }
    let from = source_address(first).ok();
    Err(LinkError::NotConnected { reasons, from })
}

/// The fingerprint of the registry at an address, which is asked nothing else.
pub(super) async fn fingerprint_at(
    own: PeerAddr,
    at: SocketAddrV4,
    encryption: &Encryption,
) -> Result<Fingerprint, LinkError> {
    let stream = net::dial(own, at.into(), CONNECT_DEADLINE).await?;
    let line = encrypted::Line::open(stream, encryption).await?;
    Ok(line.fingerprint)
}

/// Encrypts a connection, if it is to be.
async fn open(stream: TcpStream, encryption: Option<&Encryption>) -> Result<Line, LinkError> {
    match encryption {
        None => Ok(Line::Plain(stream)),
        Some(encryption) => {
            let line = encrypted::Line::open(stream, encryption).await?;
            Ok(Line::Encrypted(Box::new(line)))
        }
    }
}

fn keep_alive(stream: &TcpStream) {
    let [time, interval] = KEEPALIVE;
    let keepalive = TcpKeepalive::new().with_time(time).with_interval(interval);
    if let Err(error) = SockRef::from(stream).set_tcp_keepalive(&keepalive) {
        tracing::debug!(%error, "no keepalive on the connection to the registry");
    }
}

/// Writes requests and reads responses, until the link is dropped and all is written.
async fn converse(
    stream: &mut TcpStream,
    requests: &mut mpsc::Receiver<ToSend>,
    events: &mpsc::Sender<LinkEvent>,
) -> Result<(), LinkError> {
    let mut decoder = ResponseDecoder::default();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        tokio::select! {
            request = requests.recv() => match request {
                Some(ToSend::Plain(request)) => net::write(stream, &request.encode()).await?,
                // Nothing of version 2 goes out unencrypted.
                Some(ToSend::Encrypted(_)) => return Err(LinkError::Failed),
                None => return Ok(()),
            },
            read = stream.read(&mut buffer) => match read? {
                0 => return Err(LinkError::Closed),
                bytes => decode(&mut decoder, &buffer[..bytes], events).await?,
            },
            () = quiet(&decoder) => {
                if let Some(list) = decoder.quiet() {
                    let _ = events.send(event(&decoder, list)).await;
                }
            }
        }
    }
}

/// Waits for the silence that ends an online list, if one may end here.
async fn quiet(decoder: &ResponseDecoder) {
    match decoder.may_end() {
        Some(bytes) if bytes + Response::HEAD_LEN <= net::SMALLEST_SEGMENT => sleep(QUIET).await,
        Some(_) => sleep(LONG_QUIET).await,
        None => std::future::pending().await,
    }
}

/// The event of a response that the decoder has just returned.
fn event(decoder: &ResponseDecoder, response: Response) -> LinkEvent {
    match response {
        Response::Online(users) if decoder.continues() => LinkEvent::ListContinued(users),
        response => LinkEvent::Response(response),
    }
}

async fn decode(
    decoder: &mut ResponseDecoder,
    mut bytes: &[u8],
    events: &mpsc::Sender<LinkEvent>,
) -> Result<(), LinkError> {
    while let Some(response) = decoder.next(&mut bytes)? {
        let _ = events.send(event(decoder, response)).await;
    }
    Ok(())
}

/// Why an address of the registry could not be connected to. Names the address only if the
/// user did not.
fn connect_failure(
    registry: &RegistryNames,
    own: PeerAddr,
    at: SocketAddrV4,
    error: &io::Error,
) -> String {
    let named = registry.to_string() == at.to_string();
    match error.kind() {
        ErrorKind::ConnectionRefused => {
            format!("nothing answers at {}, port {}", at.ip(), at.port())
        }
        ErrorKind::TimedOut if named => "it does not answer".to_owned(),
        ErrorKind::TimedOut => format!("it does not answer at {at}"),
        ErrorKind::AddrNotAvailable => format!("this machine no longer has the address {own}"),
        _ if net::is_unreachable(error) => {
            format!("no route to {}; is the network connected?", at.ip())
        }
        _ => format!("it cannot be reached from {own}: {error}"),
    }
}

/// The socket that sends hellos. UDP never waits: a hello that does not fit is lost, as any
/// datagram may be.
#[derive(Debug)]
pub(super) struct HelloSocket {
    socket: UdpSocket,
    port: u16,
    /// The address at which the registry was last reached.
    pub(super) registry: Option<SocketAddrV4>,
}

impl HelloSocket {
    /// A socket at a peer's own address, for a registry that takes hellos at `port`.
    pub(super) fn bind(own: PeerAddr, port: u16) -> io::Result<Self> {
        let socket = UdpSocket::bind((own.ip(), 0))?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            port,
            registry: None,
        })
    }

    /// The port of the registry that it sends to.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn send(&self, hello: &Hello) {
        let Some(registry) = self.registry else {
            return;
        };
        let to = SocketAddrV4::new(*registry.ip(), self.port);
        if let Err(error) = self.socket.send_to(&hello.encode(), to) {
            tracing::debug!(%registry, %error, "a hello was not sent");
        }
    }
}

#[cfg(test)]
mod tests;
