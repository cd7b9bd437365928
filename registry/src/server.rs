//! The sockets and the tasks: [`Server`].
//!
//! One task accepts, one receives Hello datagrams, one reports what was turned away, each
//! connection has its own, and a thread sweeps the presence. They share `Shared` and
//! otherwise know nothing of each other.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use p2pchat_common::rate_limit::RateLimiter;
use p2pchat_protocol::PeerAddr;
use thiserror::Error;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, ClusterError, Feed};
use crate::metrics::{self, Metrics};
use crate::options::{Options, StoreSpec};
use crate::password::HashPool;
use crate::presence::Presence;
use crate::source::Source;
use crate::store::{self, OpenError, Opener, Store};
use crate::throttle::{self, Throttle};

mod accept;
mod accounts;
mod cluster;
mod connection;
mod listener;
mod liveness;
mod monitoring;
mod send_buffers;
mod sessions;
mod slots;

use cluster::{Others, Together};
use connection::Deadlines;
use monitoring::{LogThrottle, MonitoringTasks};
use send_buffers::Rooms;
use slots::Places;

/// How long the requests in flight have when the server stops.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);
/// How many addresses are counted that have made accounts: 3 MB. Each costs its owner a
/// connection and a hash; an address that made one is forgotten after a minute.
const REGISTERING: usize = 65_536;
/// How long the store has to write what it was given when the server stops.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a server cannot start: what is wrong and what to do about it.
#[derive(Debug, Error)]
pub enum BindError {
    /// The account store cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Somebody listens there already.
    #[error("{protocol} {address} is taken by another program (a second registry?); stop it, or choose another with --{flag} ADDR:PORT", flag = .protocol.to_lowercase())]
    Taken {
        /// TCP, UDP or metrics.
        protocol: &'static str,
        /// What was to be bound.
        address: SocketAddr,
    },
    /// It cannot be one of several registries.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The port needs a privilege.
    #[error("no permission to listen on {protocol} {address}; choose a port above 1023 with --{flag} ADDR:PORT", flag = .protocol.to_lowercase())]
    Permission {
        /// TCP, UDP or metrics.
        protocol: &'static str,
        /// What was to be bound.
        address: SocketAddr,
    },
    /// The address is not one of this machine, or the system refuses for another reason.
    #[error("cannot listen on {protocol} {address}: {source}; choose an address of this machine with --{flag} ADDR:PORT", flag = .protocol.to_lowercase())]
    Socket {
        /// TCP, UDP or metrics.
        protocol: &'static str,
        /// What was to be bound.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no threads.
    #[error("cannot start the threads that hash passwords: {0}")]
    Threads(io::Error),
}

/// What all tasks of a server share.
#[derive(Debug)]
struct Shared {
    store: Arc<dyn Store>,
    passwords: HashPool,
    presence: Presence,
    /// Where this is one of several registries.
    together: Option<Arc<Together>>,
    /// Held by whoever makes the online list anew; the others who asked wait for that one.
    listing: Arc<tokio::sync::Mutex<()>>,
    throttle: Throttle,
    registrations: Mutex<RateLimiter<Source>>,
    places: Arc<Places>,
    deadlines: Deadlines,
    rooms: Rooms,
    /// How long an answer takes that tells to slow down.
    slow_answer: Duration,
    metrics: Arc<Metrics>,
    store_failures: LogThrottle,
    /// Whether the last plain-text password that was to be replaced by its hash stayed.
    plain_text_stays: AtomicBool,
    accept_failures: LogThrottle,
    /// The moment that the times given to presence, rate limiters count from.
    started: Instant,
}

impl Shared {
    fn new(
        store: Arc<dyn Store>,
        cluster: Option<Cluster>,
        started: Instant,
        options: &Options,
    ) -> io::Result<Arc<Self>> {
        let limits = &options.limits;
        let presence = match &cluster {
            Some(_) => Presence::new_shared(options.presence_timeout),
            None => Presence::new(options.presence_timeout),
        };
        let registrations = throttle::limiter(
            limits.registrations,
            limits.registration_interval,
            REGISTERING,
        );
        let metrics: Arc<Metrics> = Arc::default();
        let join = |cluster| Arc::new(Together::new(cluster, metrics.cluster()));
        Ok(Arc::new(Self {
            together: cluster.map(join),
            store: metrics::store::measured(store, &metrics),
            metrics,
            passwords: HashPool::start(limits.hash_workers, limits.hash_queue)?,
            presence,
            listing: Arc::default(),
            throttle: Throttle::new(&limits.guessing),
            registrations: Mutex::new(registrations),
            places: Places::new(limits),
            deadlines: limits.into(),
            rooms: Rooms::new(limits.send_buffer),
            slow_answer: limits.slow_answer,
            store_failures: LogThrottle::default(),
            plain_text_stays: AtomicBool::new(false),
            accept_failures: LogThrottle::default(),
            started,
        }))
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn registrations(&self) -> MutexGuard<'_, RateLimiter<Source>> {
        self.registrations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A registry that is ready to run: its store is open, its sockets are bound.
#[derive(Debug)]
pub struct Server {
    tcp: TcpListener,
    udp: UdpSocket,
    tcp_addr: SocketAddr,
    udp_addr: SocketAddr,
    store: StoreSpec,
    metrics: Option<TcpListener>,
    shared: Arc<Shared>,
    /// What the other registries write, if there are any.
    feed: Option<Feed>,
}

impl Server {
    /// Binds the sockets and opens the store that `options` name.
    ///
    /// # Errors
    /// If a port is taken or may not be bound, or the store cannot be opened.
    pub async fn bind(options: Options) -> Result<Self, BindError> {
        let tcp = listener::listen(options.tcp, options.limits.send_buffer)?;
        let udp = listener::receive(options.udp).await?;
        let metrics = match options.metrics {
            Some(address) => Some(listener::watchers(address).await?),
            None => None,
        };
        let server = Self::with_sockets(options, tcp, udp).await?;
        Ok(Self { metrics, ..server })
    }

    /// Takes sockets that the caller has bound; the addresses in `options` do not matter.
    ///
    /// # Errors
    /// If the store cannot be opened.
    pub async fn with_sockets(
        options: Options,
        tcp: TcpListener,
        udp: UdpSocket,
    ) -> Result<Self, BindError> {
        let store = store::open(&options.store, Opener::Registry).await?;
        let started = start_of_time(options.presence_timeout);
        let cluster = match options.cluster {
            true => Some(connect(&options, started).await?),
            false => None,
        };
        let shared = Shared::new(store, cluster, started, &options).map_err(BindError::Threads)?;
        let feed = match &shared.together {
            Some(together) => Some(cluster::begin(&shared, together).await.map_err(|reason| {
                ClusterError::Collection {
                    uri: options.store.to_string(),
                    reason,
                }
            })?),
            None => None,
        };
        let local = |protocol, address| {
            move |source| BindError::Socket {
                protocol,
                address,
                source,
            }
        };
        Ok(Self {
            tcp_addr: tcp.local_addr().map_err(local("TCP", options.tcp))?,
            udp_addr: udp.local_addr().map_err(local("UDP", options.udp))?,
            tcp,
            udp,
            store: options.store,
            metrics: None,
            shared,
            feed,
        })
    }

    /// Where sessions are taken; the real port where 0 was asked for.
    #[must_use]
    pub fn tcp_addr(&self) -> SocketAddr {
        self.tcp_addr
    }

    /// Where Hello datagrams are taken; the real port where 0 was asked for.
    #[must_use]
    pub fn udp_addr(&self) -> SocketAddr {
        self.udp_addr
    }

    /// Where those are answered who watch, if anywhere.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }

    /// Where accounts are kept. Its `Display` shows no password.
    #[must_use]
    pub fn store(&self) -> &StoreSpec {
        &self.store
    }

    /// What is counted and measured; goes on while the server runs.
    #[must_use]
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.shared.metrics)
    }

    /// Serves until `shutdown` is ready, then stops in order: no new connections and
    /// datagrams, the requests in flight (5 s at the most), the hashing threads, the store.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let stop = CancellationToken::new();
        // Whatever way this future ends, its tasks hear of it.
        let stop_on_drop = stop.clone().drop_guard();
        let shared = &self.shared;
        let accepting = tokio::spawn(accept::run(self.tcp, Arc::clone(shared), stop.clone()));
        let receiving = tokio::spawn(liveness::run(self.udp, Arc::clone(shared), stop.clone()));
        let (stop_sweeping, stopped) = mpsc::channel();
        let sweeping = {
            let shared = Arc::clone(shared);
            tokio::task::spawn_blocking(move || sweep(&shared, &stopped))
        };
        let others = match (&shared.together, self.feed) {
            (Some(together), Some(feed)) => Some(Others::start(shared, together, feed)),
            _ => None,
        };
        let watching =
            (self.metrics).map(|listener| MonitoringTasks::start(listener, shared, &stop));
        let reporting = tokio::spawn(monitoring::log_refusals(
            shared.metrics.drops.clone(),
            stop.clone(),
        ));

        shutdown.await;
        tracing::info!("stopping");
        drop(stop_on_drop);
        drop(stop_sweeping);
        for (what, task) in [
            ("accepting", accepting),
            ("receiving", receiving),
            ("sweeping", sweeping),
            ("reporting", reporting),
        ] {
            join(what, task).await;
        }
        shared.passwords.stop().await;
        if let Some(others) = others {
            others.stop().await;
        }
        if tokio::time::timeout(CLOSE_TIMEOUT, shared.store.close())
            .await
            .is_err()
        {
            tracing::error!("the account store did not close within {CLOSE_TIMEOUT:?}");
        }
        if let Some(watching) = watching {
            watching.stop().await;
        }
        tracing::info!("stopped");
    }
}

/// The moment that times count from: a timeout before now, so that what others have seen
/// since then has a time, too.
fn start_of_time(presence_timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_sub(presence_timeout).unwrap_or(now)
}

async fn connect(options: &Options, started: Instant) -> Result<Cluster, ClusterError> {
    match &options.store {
        StoreSpec::Mongo(uri) => Cluster::connect(uri, started, options.presence_timeout).await,
        StoreSpec::Sqlite(_) => Err(ClusterError::File {
            store: options.store.to_string(),
        }),
    }
}

async fn join(what: &str, task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(%error, "the task {what} failed");
    }
}

/// Takes users offline whose time ran out, until the other end of `stopped` is dropped.
///
/// A thread of its own and no task: while a timer of the runtime is due soon, the system
/// sets its clock anew each time that there is nothing to do, which was some 3 % of the time
/// that a request takes.
fn sweep(shared: &Shared, stopped: &mpsc::Receiver<()>) {
    let interval = shared.presence.sweep_interval();
    while stopped.recv_timeout(interval) == Err(mpsc::RecvTimeoutError::Timeout) {
        let gone = shared.presence.sweep(shared.now());
        if !gone.is_empty() {
            gone.iter().for_each(|ended| shared.places.ended(ended));
            let gone = gone.len();
            tracing::debug!(gone, "no Hello came from these users any more");
        }
    }
}

/// The peer at a socket address. A dual-stack socket shows IPv4 as `::ffff:a.b.c.d`.
fn peer_at(address: SocketAddr) -> Option<PeerAddr> {
    match address.ip().to_canonical() {
        std::net::IpAddr::V4(ip) => PeerAddr::new(ip).ok(),
        std::net::IpAddr::V6(_) => None,
    }
}
