//! The shared state of registries over one database: the collection `online`.
//!
//! It has a document for each name, `{_id: name, address, turn, seen}`, which belongs to no
//! registry: any of them writes it, as a whole, by compare-and-swap on `turn`, the epoch of
//! the login. `address` is null after a logout. `seen` is by the clock of the database
//! (`clock`), since those of the registries need not agree. What others write comes by a
//! change stream (`change_stream`), and each registry answers from its own memory
//! ([`presence`](crate::presence)).
//!
//! A foreign document, one that no registry wrote (`document`), is ignored, and replaced when
//! its name logs in.
//!
//! **Invariant:** each write is acknowledged by a majority, so nothing that a registry has
//! read is taken back by an election. Every call has a deadline.

use std::fmt;
use std::time::{Duration, Instant};

use mongodb::bson::{DateTime, Document, RawDocumentBuf, doc};
use mongodb::error::Error;
use mongodb::options::IndexOptions;
use mongodb::{Client, Collection, Database, IndexModel};
use thiserror::Error as ThisError;

use crate::options::MongoUri;
use crate::presence::DEVICE_TIMEOUT;
use crate::store::StoreError;
use crate::store::mongo::{self, CONNECT_TIMEOUT, ConnectError, in_time};

mod change_stream;
mod clock;
mod document;
mod write;

pub use change_stream::{Change, ChangeStream, Snapshot};
pub use clock::ServerClock;

/// The name of the collection, beside the accounts.
pub const COLLECTION: &str = "online";
/// After how long without a change a document is removed. Long after its user has left all
/// lists; for so long it keeps the epochs of a name in order.
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a registry cannot be part of a cluster, and what to do about it.
#[derive(Debug, ThisError)]
pub enum ClusterError {
    /// The database is a single mongod.
    #[error(
        "--cluster needs a MongoDB replica set or sharded cluster, and {uri} is a single mongod, which has no change streams; start it with --replSet and initiate the set, or run one registry without --cluster"
    )]
    Standalone {
        /// The URI, without its password.
        uri: String,
    },
    /// Accounts are in a file.
    #[error(
        "--cluster needs a database that several registries share, and {store} is a file; name one with --store mongodb://HOST,HOST,HOST/?replicaSet=NAME, or run one registry without --cluster"
    )]
    File {
        /// The file.
        store: String,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A call failed.
    #[error(
        "the collection `{COLLECTION}` at {uri} cannot be used: {reason}; check that the user in the URI may read, write and watch it"
    )]
    Collection {
        /// The URI, without its password.
        uri: String,
        /// What went wrong.
        reason: StoreError,
    },
}

/// What the database answers to `hello`.
struct ServerHello {
    /// Whether it is not a single mongod.
    has_change_streams: bool,
    /// Whether its clock is another one than before.
    is_other_clock: bool,
}

/// The collection `online`, and the clock of its database.
pub struct Cluster {
    client: Client,
    database: Database,
    /// Raw documents, as a foreign one may have any content.
    online: Collection<RawDocumentBuf>,
    clock: ServerClock,
    started: Instant,
    /// The longest that a seat is online without a sign of life.
    timeout: Duration,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({})", self.online.namespace())
    }
}

impl Cluster {
    /// Connects, and checks that the database has change streams. `started` is the moment that
    /// the times of records count from, `timeout` how long a user stays online without a Hello.
    ///
    /// # Errors
    /// If the database cannot be reached or used, or is a single mongod.
    pub async fn connect(
        uri: &MongoUri,
        started: Instant,
        timeout: Duration,
    ) -> Result<Self, ClusterError> {
        let (client, database) = mongo::client(uri).await?;
        let cluster = Self {
            online: database.collection(COLLECTION),
            clock: ServerClock::default(),
            started,
            client,
            database,
            timeout: timeout.max(DEVICE_TIMEOUT),
        };
        let shown = uri.redacted();
        match tokio::time::timeout(CONNECT_TIMEOUT, cluster.hello()).await {
            Ok(Ok(hello)) if hello.has_change_streams => {}
            Ok(Ok(_)) => return Err(ClusterError::Standalone { uri: shown }),
            Ok(Err(error)) => return Err(ConnectError::unreachable(uri, &error).into()),
            Err(_) => return Err(ConnectError::no_answer(uri).into()),
        }
        match cluster.create_index().await {
            Ok(()) => Ok(cluster),
            Err(reason) => Err(ClusterError::Collection { uri: shown, reason }),
        }
    }

    /// The time here.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Asks the database what it is and what time it has.
    async fn hello(&self) -> Result<ServerHello, Error> {
        let asked = self.now();
        let admin = self.client.database("admin");
        let answer = admin.run_command(doc! { "hello": 1 }).await?;
        let time = answer.get_datetime("localTime").ok();
        let is_other_clock = time.is_some_and(|time| self.clock.set(asked, self.now(), *time));
        let is_mongos = answer.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
        Ok(ServerHello {
            has_change_streams: is_mongos || answer.contains_key("setName"),
            is_other_clock,
        })
    }

    /// Creates the index by which the database removes old documents.
    ///
    /// # Errors
    /// If the database does not take the index in time.
    pub async fn create_index(&self) -> Result<(), StoreError> {
        let options = IndexOptions::builder().expire_after(RETENTION).build();
        let index = IndexModel::builder()
            .keys(doc! { "seen": 1 })
            .options(options)
            .build();
        in_time(async { self.online.create_index(index).await.map(|_| ()) }).await
    }

    /// Reads the clock of the database, and returns whether it has jumped since the last time.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn measure_clock(&self) -> Result<bool, StoreError> {
        Ok(in_time(self.hello()).await?.is_other_clock)
    }

    /// Matches the users who may have been online at `time` or later.
    fn since(&self, time: Duration) -> Document {
        let seen = self.clock.to_server(time).timestamp_millis();
        let timeout = i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX);
        doc! { "seen": { "$gt": DateTime::from_millis(seen.saturating_sub(timeout)) } }
    }

    /// Closes the connections to the database.
    pub async fn close(&self) {
        mongo::shut_down(&self.client).await;
    }
}
