//! The HTTP server: accepts connections, gives each a slot and its deadlines.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use p2pchat_profile::{Ended, Profile};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info_span};

use crate::assets::Assets;
use crate::gate::Gate;
use crate::http;
use crate::limits::{Limits, MAX_HEADER_BYTES, MAX_HEADERS};
use crate::secret::Secret;
use crate::shared::Shared;
use crate::slots::{ConnectionSlots, Slot};

/// How long all connections together have to end when the bridge stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// The first backoff after accepting failed; it doubles up to [`MAX_BACKOFF`].
const MIN_BACKOFF: Duration = Duration::from_millis(10);
const MAX_BACKOFF: Duration = Duration::from_secs(1);
/// How many connections beyond the limit get an answer at a time; more are just closed.
const REFUSED_AT_ONCE: usize = 16;
/// How long each of them has to read the answer.
const REFUSED_TIMEOUT: Duration = Duration::from_secs(1);
/// The answer.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\
    content-type: text/plain\r\ncontent-length: 22\r\n\r\nToo many connections.\n";

/// Why the port cannot be listened on, and what to do about it.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Another program listens there.
    #[error(
        "{0} is taken by another program (a second bridge?): stop it, or choose another with --listen ADDR:PORT"
    )]
    Taken(SocketAddr),
    /// The system refuses for another reason.
    #[error("cannot listen on {address}: {source}; choose another address with --listen ADDR:PORT")]
    Other {
        /// The address to bind.
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
}

/// The profile has ended by itself, and a bridge is of no use without it.
#[derive(Debug, Error)]
#[error("the bridge has stopped, because {0}; start it again")]
pub struct ProfileEnded(Ended);

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

/// What a server needs besides its port and its profile.
#[derive(Debug)]
pub struct Setup {
    /// The secret that lets a page in.
    pub secret: Secret,
    /// The web UI.
    pub assets: Assets,
    /// Origins whose pages are let in besides our own.
    pub origins: Vec<String>,
    /// Limits on connections and frames.
    pub limits: Limits,
}

/// The service behind the port: answers on each connection, whatever carries its bytes.
#[derive(Debug, Clone)]
pub struct Service {
    shared: Arc<Shared>,
    slots: Arc<ConnectionSlots>,
}

impl Service {
    /// A service that can be reached at `address`: `Host` has to name it.
    #[must_use]
    pub fn new(address: SocketAddr, profile: Profile, setup: Setup) -> Self {
        Self {
            slots: ConnectionSlots::new(setup.limits.connections),
            shared: Arc::new(Shared {
                gate: Gate::new(address, setup.origins),
                secret: setup.secret,
                assets: setup.assets,
                limits: setup.limits,
                profile,
                peer_stopped: AtomicBool::new(false),
                stop: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// Serves HTTP on one connection, if there is a slot for it, until it ends or is
    /// evicted. If it becomes a WebSocket, a task serves that from then on.
    pub async fn serve<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if let Some(slot) = self.slots.acquire().await {
            serve(stream, Arc::clone(&self.shared), slot).await;
        }
    }
}

/// The web server of one profile.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    service: Service,
}

impl Server {
    /// A server that answers nothing before [`Server::run`].
    ///
    /// # Errors
    /// If the listener does not know its own address.
    pub fn new(listener: TcpListener, profile: Profile, setup: Setup) -> io::Result<Self> {
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            service: Service::new(address, profile, setup),
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

    /// Serves until `shutdown` is ready. Then it accepts no more connections, tells the
    /// pages, and lets requests under way finish, for at most 5 s.
    ///
    /// # Errors
    /// If it stopped because the profile has ended. The pages are told that.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ProfileEnded> {
        let shared = &self.service.shared;
        // Stops the tasks of all connections, however this future ends.
        let stop_on_drop = shared.stop.clone().drop_guard();
        let ended = tokio::select! {
            never = accept(&self.listener, &self.service) => match never {},
            () = shutdown => Ok(()),
            ended = shared.profile.ended() => Err(ProfileEnded(ended)),
        };
        shared.peer_stopped.store(ended.is_err(), Ordering::Relaxed);
        drop(self.listener);
        drop(stop_on_drop);
        shared.tasks.close();
        let in_time = timeout(STOP_TIMEOUT, shared.tasks.wait()).await;
        if in_time.is_err() {
            tracing::warn!("{} connections did not end in time", shared.tasks.len());
        }
        ended
    }
}

async fn accept(listener: &TcpListener, service: &Service) -> Infallible {
    let Service { shared, slots } = service;
    let refusals = Arc::new(Semaphore::new(REFUSED_AT_ONCE));
    let mut backoff = MIN_BACKOFF;
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection; next try in {backoff:?}");
                sleep(backoff).await;
                backoff = (backoff * 2).min(MAX_BACKOFF);
                continue;
            }
        };
        backoff = MIN_BACKOFF;
        if let Some(slot) = slots.acquire().await {
            // Frames are small and should not wait for more. Without it they come later.
            let _ = stream.set_nodelay(true);
            let serving = serve(stream, Arc::clone(shared), slot);
            shared
                .tasks
                .spawn(serving.instrument(info_span!("conn", %from)));
        } else if let Ok(refusal) = Arc::clone(&refusals).try_acquire_owned() {
            shared.tasks.spawn(async move {
                let _ = timeout(REFUSED_TIMEOUT, refuse(stream)).await;
                drop(refusal);
            });
        }
    }
}

/// Answers that there are too many connections, and waits until that is read: to close
/// earlier, with a request unread, would take the answer back.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(FULL).await?;
    stream.shutdown().await?;
    let mut unread = [0; 1024];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

/// Serves HTTP on one connection until it ends, is evicted or becomes a WebSocket.
async fn serve<S>(stream: S, shared: Arc<Shared>, slot: Slot)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let evicted = slot.evicted().clone();
    let slot = Arc::new(slot);
    let service = service_fn(|request| {
        let answer = http::answer(request, &shared, &slot);
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.header_timeout)
        .max_buf_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let serving = async {
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = sleep(shared.limits.http_life) => {}
            () = shared.stop.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        let finished = timeout(shared.limits.finish_timeout, connection).await;
        finished.unwrap_or(Ok(()))
    };
    // Also while it finishes its last request: another connection waits for the slot.
    match evicted.run_until_cancelled(serving).await {
        Some(Err(error)) => tracing::debug!(%error, "a connection ended badly"),
        Some(Ok(())) => {}
        None => tracing::debug!("evicted a connection"),
    }
}
