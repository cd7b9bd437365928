//! The connection to the registry.
//!
//! A [`Link`] is one connection. Dropping it sends what was asked before, then closes;
//! nothing that it still receives goes anywhere, so it is never mistaken for its
//! successor.

use std::io::{self, ErrorKind};
use std::net::SocketAddrV4;
use std::time::Duration;

use p2pchat_model::PeerAddr;
use p2pchat_protocol::{Request, Response, ResponseDecoder};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::net;
use super::resolve::RegistryNames;

/// How many requests may wait to be written. The machine asks one thing at a time or a
/// few: more means that the registry does not read.
const MAX_ASKS: usize = 64;
/// How many events may wait for the driver; the connection is not read meanwhile.
const MAX_EVENTS: usize = 16;
/// How long each of the registry's addresses may take to accept. A lost try is no harm: the
/// next one follows by itself, and somebody may be waiting to log in.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How long nothing has to come for an online list to be at its end.
const QUIET: Duration = Duration::from_millis(200);
/// When a connection over which nothing comes is probed by the system, and how often.
const KEEPALIVE: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(10)];
/// How long the registry may take to close after this side did: until then it may still
/// be answering Logout.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// What happens on the connection.
#[derive(Debug)]
pub(super) enum LinkEvent {
    /// It is there, and the registry is at this address.
    Up(SocketAddrV4),
    /// It could not be made, or broke; in words. Nothing comes after this.
    Down(String),
    /// The registry answered.
    Response(Response),
}

/// One connection to the registry, from the first try until it breaks.
#[derive(Debug)]
pub(super) struct Link {
    asks: mpsc::Sender<Request>,
    events: mpsc::Receiver<LinkEvent>,
}

impl Link {
    /// Begins to connect: to the first that accepts of those after `last`, where the last
    /// link was, and then of those before and itself.
    pub(super) fn connect(
        tasks: &mut JoinSet<()>,
        own: PeerAddr,
        registry: RegistryNames,
        last: Option<SocketAddrV4>,
    ) -> Self {
        let (asks, to_ask) = mpsc::channel(MAX_ASKS);
        let (tell, events) = mpsc::channel(MAX_EVENTS);
        tasks.spawn(async move {
            if let Err(reason) = run(own, (&registry, last), to_ask, &tell).await {
                // Nobody listens if the link was dropped.
                let _ = tell.send(LinkEvent::Down(reason)).await;
            }
        });
        Self { asks, events }
    }

    /// Sends a request. `false` if too many wait already.
    pub(super) fn ask(&self, request: Request) -> bool {
        // One that is closed has its last event underway, which says why.
        !matches!(
            self.asks.try_send(request),
            Err(mpsc::error::TrySendError::Full(_))
        )
    }

    /// What happens next. Can be dropped and called again.
    pub(super) async fn event(&mut self) -> LinkEvent {
        let event = self.events.recv().await;
        event.unwrap_or_else(|| LinkEvent::Down("the connection's task failed".to_owned()))
    }
}

type Tell = mpsc::Sender<LinkEvent>;

async fn run(
    own: PeerAddr,
    to: (&RegistryNames, Option<SocketAddrV4>),
    mut asks: mpsc::Receiver<Request>,
    tell: &Tell,
) -> Result<(), String> {
    let (mut stream, at) = tokio::select! {
        connected = connect(own, to) => connected?,
        () = tell.closed() => return Ok(()),
    };
    let _ = tell.send(LinkEvent::Up(at)).await;
    let result = converse(&mut stream, &mut asks, tell).await;
    net::close_in_order(stream, CLOSE_PATIENCE).await;
    result.map_err(|error| broken(&error))
}

/// Tries all addresses of the registry's names as they stand now: a registry that moves is
/// found again. Where there are several, one that is gone has cost its deadline already: it
/// is tried last.
async fn connect(
    own: PeerAddr,
    (registry, last): (&RegistryNames, Option<SocketAddrV4>),
) -> Result<(TcpStream, SocketAddrV4), String> {
    let mut addresses = registry
        .resolve()
        .await
        .map_err(|error| format!("its name means nothing: {error}"))?;
    if let Some(tried) = addresses.iter().position(|at| Some(*at) == last) {
        addresses.rotate_left(tried + 1);
    }
    let mut reasons: Vec<String> = Vec::new();
    for at in addresses {
        match net::dial(own, at.into(), CONNECT_DEADLINE).await {
            Ok(stream) => {
                keep_alive(&stream);
                return Ok((stream, at));
            }
            Err(error) => {
                let reason = unreachable(registry, own, at, &error);
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
    }
    Err(reasons.join("; "))
}

fn keep_alive(stream: &TcpStream) {
    let [time, interval] = KEEPALIVE;
    let keepalive = TcpKeepalive::new().with_time(time).with_interval(interval);
    if let Err(error) = SockRef::from(stream).set_tcp_keepalive(&keepalive) {
        tracing::debug!(%error, "no keepalive on the connection to the registry");
    }
}

/// Writes what is asked and tells what is answered, until there is nothing more to ask.
async fn converse(
    stream: &mut TcpStream,
    asks: &mut mpsc::Receiver<Request>,
    tell: &Tell,
) -> io::Result<()> {
    let mut decoder = ResponseDecoder::default();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        tokio::select! {
            ask = asks.recv() => match ask {
                Some(request) => net::write(stream, &request.encode()).await?,
                None => return Ok(()),
            },
            read = stream.read(&mut buffer) => match read? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                bytes => decode(&mut decoder, &buffer[..bytes], tell).await?,
            },
            () = sleep(QUIET), if decoder.may_end() => {
                if let Some(list) = decoder.quiet() {
                    let _ = tell.send(LinkEvent::Response(list)).await;
                }
            }
        }
    }
}

async fn decode(decoder: &mut ResponseDecoder, mut bytes: &[u8], tell: &Tell) -> io::Result<()> {
    while let Some(response) = decoder
        .next(&mut bytes)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?
    {
        let _ = tell.send(LinkEvent::Response(response)).await;
    }
    Ok(())
}

/// Why there is no connection; stands behind "no connection to the registry NAME: ", so it
/// says where the registry is only if that is news.
fn unreachable(
    registry: &RegistryNames,
    own: PeerAddr,
    at: SocketAddrV4,
    error: &io::Error,
) -> String {
    let named = registry.to_string() == at.to_string();
    match error.kind() {
        ErrorKind::ConnectionRefused => format!("no registry listens at {at}"),
        ErrorKind::TimedOut if named => "it does not answer".to_owned(),
        ErrorKind::TimedOut => format!("it does not answer at {at}"),
        ErrorKind::AddrNotAvailable => format!("this machine no longer has the address {own}"),
        _ if net::is_no_way(error) => {
            format!(
                "no way leads from {own} to {}; is the network connected?",
                at.ip()
            )
        }
        _ => format!("it cannot be reached from {own}: {error}"),
    }
}

/// The same where the connection was there.
fn broken(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "the connection broke".to_owned(),
        ErrorKind::InvalidData => format!("what answers there is no registry: {error}"),
        ErrorKind::TimedOut => "it no longer answers".to_owned(),
        _ if net::is_no_way(error) => "the network to it is gone".to_owned(),
        _ => format!("the connection broke: {error}"),
    }
}

#[cfg(test)]
mod tests;
