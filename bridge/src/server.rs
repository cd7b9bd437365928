//! The port: connections, as many as may be, each with its deadlines.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use p2pchat_peer::Handle;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::assets::Assets;
use crate::gate::Gate;
use crate::http;
use crate::limits::{Limits, MAX_HEADER_BYTES, MAX_HEADERS};
use crate::secret::Secret;
use crate::slots::{Place, Places};

/// How long an HTTP request under way has when its connection is to end.
const FINISH_TIMEOUT: Duration = Duration::from_secs(2);
/// How long all connections together have when the bridge stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// The first pause after accepting failed; it doubles up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// How many connections beyond the limit are told so at a time; more are just closed.
const REFUSED_AT_ONCE: usize = 16;
/// How long each of them has to read it.
const REFUSED_TIMEOUT: Duration = Duration::from_secs(1);
/// What they are told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\
    content-type: text/plain\r\ncontent-length: 22\r\n\r\nToo many connections.\n";

/// Why the port cannot be listened on, and what to do about it.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Somebody listens there already.
    #[error(
        "{0} is taken by another program (a second bridge?): stop it, or choose another with --listen ADDR:PORT"
    )]
    Taken(SocketAddr),
    /// The system refuses for another reason.
    #[error("cannot listen on {address}: {source}; choose another address with --listen ADDR:PORT")]
    Other {
        /// What was to be bound.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// Binds the port.
///
/// # Errors
/// If it is taken or may not be bound.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => ListenError::Taken(address),
            _ => ListenError::Other { address, source },
        })
}

/// What a server needs besides its port and its peer.
#[derive(Debug)]
pub struct Setup {
    /// What lets a page in.
    pub secret: Secret,
    /// The web UI.
    pub assets: Assets,
    /// Pages that are let in besides our own, by their origin.
    pub origins: Vec<String>,
    /// How much anybody may ask.
    pub limits: Limits,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) gate: Gate,
    pub(crate) secret: Secret,
    pub(crate) assets: Assets,
    pub(crate) limits: Limits,
    pub(crate) handle: Handle,
    /// Cancelled when the bridge stops.
    pub(crate) stop: CancellationToken,
    /// All connections.
    pub(crate) tasks: TaskTracker,
}

/// What answers on each connection, whatever carries its bytes.
#[derive(Debug, Clone)]
pub struct Service {
    shared: Arc<Shared>,
    places: Arc<Places>,
}

impl Service {
    /// Puts it together. It takes `address` for where it can be reached: `Host` has to
    /// name it.
    #[must_use]
    pub fn new(address: SocketAddr, handle: Handle, setup: Setup) -> Self {
        Self {
            places: Places::new(setup.limits.connections),
            shared: Arc::new(Shared {
                gate: Gate::new(address, setup.origins),
                secret: setup.secret,
                assets: setup.assets,
                limits: setup.limits,
                handle,
                stop: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// Serves HTTP on one connection, if there is a place for it, until it ends or has to
    /// make room. If it becomes a WebSocket, a task serves that from then on.
    pub async fn serve<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if let Some(place) = self.places.take().await {
            serve(stream, Arc::clone(&self.shared), place).await;
        }
    }
}

/// The web server of one peer.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    service: Service,
}

impl Server {
    /// Puts it together; nobody is answered before [`Server::run`].
    ///
    /// # Errors
    /// If the listener does not say where it listens.
    pub fn new(listener: TcpListener, handle: Handle, setup: Setup) -> io::Result<Self> {
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            service: Service::new(address, handle, setup),
        })
    }

    /// The URL to open, secret included.
    #[must_use]
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        let address = SocketAddr::new(ip, self.address.port());
        format!("http://{address}/#{}", self.service.shared.secret.expose())
    }

    /// Serves until `shutdown` is ready; then takes no more connections, tells the pages,
    /// and lets what is under way come to its end, 5 s at the most.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let shared = &self.service.shared;
        // However this future ends, its tasks hear of it.
        let stop_on_drop = shared.stop.clone().drop_guard();
        tokio::select! {
            () = accept(&self.listener, &self.service) => {}
            () = shutdown => {}
        }
        drop(self.listener);
        drop(stop_on_drop);
        shared.tasks.close();
        let ended = timeout(STOP_TIMEOUT, shared.tasks.wait()).await;
        if ended.is_err() {
            tracing::warn!("{} connections did not end in time", shared.tasks.len());
        }
    }
}

async fn accept(listener: &TcpListener, service: &Service) {
    let Service { shared, places } = service;
    let refusals = Arc::new(Semaphore::new(REFUSED_AT_ONCE));
    let mut pause = MIN_PAUSE;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection; next try in {pause:?}");
                sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
                continue;
            }
        };
        pause = MIN_PAUSE;
        if let Some(place) = places.take().await {
            // Frames are small, and somebody waits for them. If it fails, they come later.
            let _ = stream.set_nodelay(true);
            shared.tasks.spawn(serve(stream, Arc::clone(shared), place));
        } else if let Ok(refusal) = Arc::clone(&refusals).try_acquire_owned() {
            shared.tasks.spawn(async move {
                let _ = timeout(REFUSED_TIMEOUT, refuse(stream)).await;
                drop(refusal);
            });
        }
    }
}

/// Says that there are too many, and waits for that to be read: closing earlier, with a
/// request unread, would take it back.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(FULL).await?;
    stream.shutdown().await?;
    let mut unread = [0; 1024];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

/// Serves HTTP on one connection, until it ends or becomes a WebSocket.
async fn serve<S>(stream: S, shared: Arc<Shared>, place: Place)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let pushed_out = place.pushed_out().clone();
    let place = Arc::new(place);
    let service = service_fn(|request| {
        let answer = http::answer(request, &shared, &place);
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.header_timeout)
        .max_buf_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = pushed_out.cancelled() => return,
        () = ends_by_itself(&shared) => {
            connection.as_mut().graceful_shutdown();
            timeout(FINISH_TIMEOUT, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}

async fn ends_by_itself(shared: &Shared) {
    tokio::select! {
        () = sleep(shared.limits.http_life) => {}
        () = shared.stop.cancelled() => {}
    }
}
