//! The server: options in, sockets bound, tasks run, and an ordered shutdown.
//!
//! | task | module |
//! |---|---|
//! | accepts connections; each has a task of its own | `listener`, `connection` |
//! | receives Hello datagrams; sweeps users without them; pushes who is online | `presence` |
//! | logs refusals; serves metrics; probes the store | `monitoring` |
//! | writes to and reads from the database of a cluster | `cluster` |
//!
//! They share `Shared` and otherwise know nothing of each other.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use p2pchat_common::rate_limit::RateLimiter;
use p2pchat_protocol::PeerAddr;
use p2pchat_protocol::v2::{Fingerprint, registry::ALPN};
use p2pchat_secure::{Acceptor, SecretKey, fingerprint};
use thiserror::Error;
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;

use crate::cluster::{ChangeStream, Cluster, ClusterError};
use crate::key::{self, KeyError};
use crate::metrics::{self, Metrics};
use crate::options::{Options, StoreSpec};
use crate::password::HashPool;
use crate::presence::{DEVICE_TIMEOUT, Presence};
use crate::store::{self, OpenError, Opener, Store};
use crate::throttle::{self, Source, Throttle};
use crate::vital::Vital;

mod accounts;
mod bindings;
mod cluster;
mod connection;
mod handshakes;
mod listener;
mod live;
mod monitoring;
mod presence;
mod send_buffers;
mod session;
mod slots;

use bindings::LookupCache;
pub use bindings::{Judgement, admits, judge};
use cluster::{ClusterHandle, ClusterTasks};
use connection::Deadlines;
use handshakes::HandshakeLimits;
use live::LiveSessions;
use monitoring::{LogThrottle, MonitoringTasks};
use send_buffers::SendBufferPool;
use slots::{ConnectionSlot, ConnectionSlots};

/// How long the requests in flight have when the server stops.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the store has to write what is queued when the server stops.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many tokens tell connections that the server stops. A read takes the lock of its
/// connection's token, which threads rarely share then: Search on all cores was 1 to 5 % quicker
/// in each of three runs than with one token, which is within the spread.
const STOP_TOKENS: usize = 64;
/// How many sources are counted that have created accounts: 3 MB. Each account costs a
/// connection and a hash; a source that created one is forgotten after a minute.
const REGISTERING_SOURCES: usize = 65_536;

/// Why a server cannot start: what is wrong and what to do about it.
#[derive(Debug, Error)]
pub enum BindError {
    /// The account store cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// There is no key that it could use.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Another program listens there already.
    #[error("{protocol} {address} is taken by another program (a second registry?); stop it, or choose another with --{flag} ADDR:PORT", flag = .protocol.to_lowercase())]
    Taken {
        /// TCP, UDP or metrics.
        protocol: &'static str,
        /// What was to be bound.
        address: SocketAddr,
    },
    /// It cannot be part of a cluster.
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
        /// The error of the system.
        source: io::Error,
    },
    /// The system gives no threads.
    #[error("cannot start the threads that hash passwords: {0}")]
    Threads(io::Error),
}

/// Something that a server cannot do without has ended by itself.
#[derive(Debug, Error)]
#[error(
    "the {0} has ended by itself, which must not happen, and the registry has stopped because of it; the lines before this one may say why. Start it again"
)]
pub struct PartEnded(&'static str);

/// What all tasks of a server share.
#[derive(Debug)]
struct Shared {
    store: Arc<dyn Store>,
    passwords: HashPool,
    presence: Presence,
    /// `None` if this is the only registry.
    cluster: Option<Arc<ClusterHandle>>,
    /// Held while the online list is rebuilt; other requests for it wait for that list.
    listing: Arc<tokio::sync::Mutex<()>>,
    throttle: Throttle,
    registrations: Mutex<RateLimiter<Source>>,
    slots: Arc<ConnectionSlots>,
    deadlines: Deadlines,
    /// What encrypted connections are accepted with.
    acceptor: Acceptor,
    handshakes: HandshakeLimits,
    /// Whether Register and Login of version 1 are refused.
    require_encryption: bool,
    /// The sessions of version 2 on this registry.
    live: LiveSessions,
    lookups: LookupCache,
    send_buffers: SendBufferPool,
    /// How long the answer to a rate-limited request is delayed.
    slow_answer: Duration,
    metrics: Arc<Metrics>,
    store_failures: LogThrottle,
    /// Whether replacing a plain-text password by its hash failed the last time.
    plain_text_stays: AtomicBool,
    accept_failures: LogThrottle,
    /// The moment that all times of the presence and the rate limits count from.
    started: Instant,
    /// The tasks of the server, each of which it needs. Its store and its hashing threads have
    /// their own.
    vital: Vital,
    /// Cancelled when the server stops.
    stop: CancellationToken,
    /// Cancelled with it: [`STOP_TOKENS`] for the connections, each of which waits for one.
    connection_stops: Box<[CancellationToken]>,
}

impl Shared {
    fn new(
        store: Arc<dyn Store>,
        cluster: Option<Cluster>,
        started: Instant,
        key: &SecretKey,
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
            REGISTERING_SOURCES,
        );
        let metrics: Arc<Metrics> = Arc::default();
        let stop = CancellationToken::new();
        let handle = |cluster| Arc::new(ClusterHandle::new(cluster, metrics.cluster()));
        Ok(Arc::new(Self {
            cluster: cluster.map(handle),
            store: metrics::store::measured(store, &metrics),
            metrics,
            passwords: HashPool::start(limits.hash_workers, limits.hash_queue)?,
            presence,
            listing: Arc::default(),
            throttle: Throttle::new(&limits.guessing),
            registrations: Mutex::new(registrations),
            slots: ConnectionSlots::new(limits),
            deadlines: limits.into(),
            acceptor: Acceptor::new(key, ALPN),
            handshakes: HandshakeLimits::new(&limits.handshakes),
            require_encryption: options.require_encryption,
            live: LiveSessions::default(),
            lookups: LookupCache::default(),
            send_buffers: SendBufferPool::new(limits.send_buffer),
            slow_answer: limits.slow_answer,
            store_failures: LogThrottle::default(),
            plain_text_stays: AtomicBool::new(false),
            accept_failures: LogThrottle::default(),
            started,
            vital: Vital::default(),
            connection_stops: (0..STOP_TOKENS).map(|_| stop.child_token()).collect(),
            stop,
        }))
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits until something has ended that the server cannot do without; what that is.
    async fn part_ended(&self) -> &'static str {
        tokio::select! {
            name = self.vital.ended() => name,
            name = self.passwords.ended() => name,
            name = self.store.ended() => name,
        }
    }

    /// What tells the connection in a slot that the server stops.
    fn stop_of(&self, slot: &ConnectionSlot) -> CancellationToken {
        self.connection_stops[slot.number() % STOP_TOKENS].clone()
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
    fingerprint: Fingerprint,
    metrics: Option<TcpListener>,
    shared: Arc<Shared>,
    /// The changes of the other registries of a cluster.
    changes: Option<ChangeStream>,
}

impl Server {
    /// Binds the sockets and opens the store that `options` name.
    ///
    /// # Errors
    /// If a port is taken or may not be bound, or the store cannot be opened.
    pub async fn bind(options: Options) -> Result<Self, BindError> {
        let tcp = listener::bind_tcp(options.tcp, options.limits.send_buffer)?;
        let udp = listener::bind_udp(options.udp).await?;
        let metrics = match options.metrics {
            Some(address) => Some(listener::bind_monitoring(address).await?),
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
        let local = |protocol, address| {
            move |source| BindError::Socket {
                protocol,
                address,
                source,
            }
        };
        let tcp_addr = tcp.local_addr().map_err(local("TCP", options.tcp))?;
        let udp_addr = udp.local_addr().map_err(local("UDP", options.udp))?;
        // Before the store: what is missing here is known at once.
        options.key_path()?;
        let store = store::open(&options.store, Opener::Registry).await?;
        let key = key::open(&options, &*store).await?;
        let started = start_of_time(options.presence_timeout.max(DEVICE_TIMEOUT));
        let cluster = if options.cluster {
            Some(connect(&options, started).await?)
        } else {
            None
        };
        let shared = Shared::new(store, cluster, started, &key, &options);
        let shared = shared.map_err(BindError::Threads)?;
        let changes = match &shared.cluster {
            Some(handle) => {
                let loading = cluster::load(&shared, handle).await;
                Some(loading.map_err(|reason| ClusterError::Collection {
                    uri: options.store.to_string(),
                    reason,
                })?)
            }
            None => None,
        };
        Ok(Self {
            tcp_addr,
            udp_addr,
            tcp,
            udp,
            store: options.store,
            fingerprint: fingerprint(&key.public()),
            metrics: None,
            shared,
            changes,
        })
    }

    /// The address for sessions; with the real port where 0 was asked for.
    #[must_use]
    pub fn tcp_addr(&self) -> SocketAddr {
        self.tcp_addr
    }

    /// The address for Hello datagrams; with the real port where 0 was asked for.
    #[must_use]
    pub fn udp_addr(&self) -> SocketAddr {
        self.udp_addr
    }

    /// The address of the metrics, if they are served.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }

    /// Where accounts are kept. Its `Display` shows no password.
    #[must_use]
    pub fn store(&self) -> &StoreSpec {
        &self.store
    }

    /// The fingerprint of its key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What is counted and measured while the server runs.
    #[must_use]
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.shared.metrics)
    }

    /// Serves until `shutdown` is ready, then stops in order: new connections and datagrams,
    /// the requests in flight (at most 5 s), the hashing threads, the cluster, the store, the
    /// metrics.
    ///
    /// # Errors
    /// If it stopped because a part of it has ended by itself.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), PartEnded> {
        let shared = self.shared;
        // However this future ends, its tasks stop.
        let stop_on_drop = shared.stop.clone().drop_guard();
        let accepting = listener::accept_connections(self.tcp, Arc::clone(&shared));
        let receiving = presence::receive_hellos(self.udp, Arc::clone(&shared));
        let sweeping = presence::sweep(Arc::clone(&shared));
        let publishing = presence::publish(Arc::clone(&shared));
        let logging = monitoring::log_refusals(Arc::clone(&shared));
        let checking = live::check_access(Arc::clone(&shared));
        let tasks = [
            shared.vital.spawn("listener for sessions", accepting),
            shared.vital.spawn("Hello receiver", receiving),
            shared.vital.spawn("sweep", sweeping),
            shared.vital.spawn("presence feed", publishing),
            shared.vital.spawn("log of refusals", logging),
            shared.vital.spawn("check of access", checking),
        ];
        let cluster = match (&shared.cluster, self.changes) {
            (Some(handle), Some(changes)) => Some(ClusterTasks::start(&shared, handle, changes)),
            _ => None,
        };
        let monitoring = (self.metrics).map(|listener| MonitoringTasks::start(listener, &shared));

        let ended = tokio::select! {
            () = shutdown => Ok(()),
            name = shared.part_ended() => Err(PartEnded(name)),
        };
        match &ended {
            Ok(()) => tracing::info!("stopping"),
            // The caller gets the error, but only when all else has stopped.
            Err(PartEnded(name)) => tracing::error!("the {name} has ended by itself; stopping"),
        }
        drop(stop_on_drop);
        for task in tasks {
            task.join().await;
        }
        shared.passwords.stop().await;
        if let Some(cluster) = cluster {
            cluster.stop().await;
        }
        let closing = tokio::time::timeout(CLOSE_TIMEOUT, shared.store.close());
        if closing.await.is_err() {
            tracing::error!("the account store did not close within {CLOSE_TIMEOUT:?}");
        }
        if let Some(monitoring) = monitoring {
            monitoring.stop().await;
        }
        tracing::info!("stopped");
        ended
    }
}

/// The moment that times count from: a timeout before now, so that users that other
/// registries have seen since then have a time, too.
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

/// The peer at a socket address. A dual-stack socket shows IPv4 as `::ffff:a.b.c.d`.
fn peer_at(address: SocketAddr) -> Option<PeerAddr> {
    match address.ip().to_canonical() {
        std::net::IpAddr::V4(ip) => PeerAddr::new(ip).ok(),
        std::net::IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::net::TcpStream;

    use super::*;

    /// A server, and the folder of its accounts.
    async fn server() -> (Server, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = StoreSpec::Sqlite(folder.path().join("accounts"));
        let mut options = Options::on_loopback(store);
        options.metrics = Some(([127, 0, 0, 1], 0).into());
        (Server::bind(options).await.unwrap(), folder)
    }

    /// Runs a server without a signal to stop, while `end` makes a part of it end.
    async fn ended_by<E>(end: impl FnOnce(Arc<Shared>) -> E) -> String
    where
        E: Future<Output = ()> + Send + 'static,
    {
        let (server, _folder) = server().await;
        let address = server.tcp_addr();
        let ending = tokio::spawn(end(Arc::clone(&server.shared)));
        let running = tokio::time::timeout(Duration::from_secs(30), server.run(pending()));
        let error = running.await.expect("it stops").unwrap_err();
        ending.await.unwrap();
        assert!(TcpStream::connect(address).is_err(), "nobody listens");
        error.to_string()
    }

    #[tokio::test]
    async fn a_server_does_not_outlive_a_task_that_panics() {
        let error = ended_by(|shared| async move {
            let task = shared
                .vital
                .spawn("Hello receiver", async { panic!("on purpose") });
            task.join().await;
        });
        let error = error.await;
        assert!(error.contains("Hello receiver"), "{error}");
    }

    #[tokio::test]
    async fn a_server_does_not_outlive_its_hashing_threads() {
        let error = ended_by(|shared| async move { shared.passwords.stop().await });
        let error = error.await;
        assert!(error.contains("hashes passwords"), "{error}");
    }

    #[tokio::test]
    async fn a_server_does_not_outlive_the_threads_of_its_store() {
        let error = ended_by(|shared| async move { shared.store.close().await });
        let error = error.await;
        assert!(error.contains("account file"), "{error}");
    }

    /// Each task of a server ends when the server is told to, and each end is noticed.
    #[tokio::test]
    async fn a_server_does_not_outlive_its_tasks() {
        let error = ended_by(|shared| async move { shared.stop.cancel() });
        let error = error.await;
        assert!(error.contains("has ended by itself"), "{error}");
    }
}
