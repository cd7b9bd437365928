//! What registries over one database know of each other: the collection `online`.
//!
//! It has a document for each name, `{_id: name, address, turn, seen}`, which nobody owns:
//! any registry writes it, as a whole, where its turn is the one that the writer knew.
//! `address` is null after a logout. `seen` is by the clock of the database
//! (`clock`), since those of the registries need not agree. What others write comes by a
//! change stream (`feed`), and each registry answers from its own memory
//! ([`presence`](crate::presence)).
//!
//! **Invariant:** each write is acknowledged by a majority, so nothing that a registry has
//! read is taken back by an election. Every call has a deadline.

use std::fmt;
use std::time::{Duration, Instant};

use mongodb::bson::{Bson, DateTime, Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::IndexOptions;
use mongodb::{Client, Collection, Database, IndexModel};
use p2pchat_protocol::{PeerAddr, Username};
use thiserror::Error as ThisError;

use crate::options::MongoUri;
use crate::presence::{Due, Record};
use crate::store::StoreError;
use crate::store::mongo::{self, CONNECT_TIMEOUT, ConnectError, in_time, is_duplicate};

mod clock;
mod feed;

pub use clock::ServerClock;
pub use feed::{Feed, News};

/// The name of the collection, beside the accounts.
pub const COLLECTION: &str = "online";
/// After how long a document goes of which nobody has heard. Long after it has left all
/// lists; it keeps a name's turns in order for so long.
const FORGOTTEN: Duration = Duration::from_secs(24 * 60 * 60);
/// How many users are told of in one command: some 100 KB.
const BULK: usize = 1000;
/// How often a login is written that others overtook. Two of one name at one moment are
/// rare, three more so.
const TRIES: usize = 8;

/// Why a registry cannot be one of several, and what to do about it.
#[derive(Debug, ThisError)]
pub enum ClusterError {
    /// The database is a single mongod.
    #[error(
        "--cluster needs a MongoDB replica set or sharded cluster, and {uri} is a single mongod, which tells nobody of changes; start it with --replSet and initiate the set, or run one registry without --cluster"
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

/// The collection, and the clock that it counts by.
pub struct Cluster {
    client: Client,
    database: Database,
    online: Collection<Document>,
    clock: ServerClock,
    timeout: Duration,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({})", self.online.namespace())
    }
}

impl Cluster {
    /// Connects, and sees that the database tells of changes. `epoch` is the moment that the
    /// times of records count from, `timeout` how long a user stays online without a Hello.
    ///
    /// # Errors
    /// If the database cannot be reached or used, or is a single mongod.
    pub async fn connect(
        uri: &MongoUri,
        epoch: Instant,
        timeout: Duration,
    ) -> Result<Self, ClusterError> {
        let (client, database) = mongo::client(uri).await?;
        let cluster = Self {
            online: database.collection(COLLECTION),
            clock: ServerClock::new(epoch),
            client,
            database,
            timeout,
        };
        let shown = uri.redacted();
        match tokio::time::timeout(CONNECT_TIMEOUT, cluster.hello()).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return Err(ClusterError::Standalone { uri: shown }),
            Ok(Err(error)) => return Err(ConnectError::unreachable(uri, &error).into()),
            Err(_) => return Err(ConnectError::no_answer(uri).into()),
        }
        match in_time(cluster.index()).await {
            Ok(()) => Ok(cluster),
            Err(reason) => Err(ClusterError::Collection { uri: shown, reason }),
        }
    }

    /// Asks the database for its time. `false` if it is a single mongod.
    async fn hello(&self) -> Result<bool, Error> {
        let asked = self.clock.now();
        let admin = self.client.database("admin");
        let answer = admin.run_command(doc! { "hello": 1 }).await?;
        if let Ok(time) = answer.get_datetime("localTime") {
            self.clock.set(asked, *time);
        }
        let is_mongos = answer.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
        Ok(is_mongos || answer.contains_key("setName"))
    }

    async fn index(&self) -> Result<(), Error> {
        let options = IndexOptions::builder().expire_after(FORGOTTEN).build();
        let index = IndexModel::builder()
            .keys(doc! { "seen": 1 })
            .options(options)
            .build();
        self.online.create_index(index).await.map(|_| ())
    }

    /// Reads the clock of the database anew. Within a call's deadline.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn measure_clock(&self) -> Result<(), StoreError> {
        in_time(async { self.hello().await.map(|_| ()) }).await
    }

    /// Writes a login: the next turn of the name, greater than `known`. What was written.
    ///
    /// # Errors
    /// If the database does not take it in time.
    pub async fn login(
        &self,
        name: Username,
        address: PeerAddr,
        known: Option<i64>,
    ) -> Result<Record, StoreError> {
        let writing = async {
            for _ in 0..TRIES {
                if let Some(record) = self.try_login(name, address, known).await? {
                    return Ok(Some(record));
                }
            }
            Ok(None)
        };
        in_time(writing).await?.ok_or(StoreError::Busy)
    }

    /// `None` if somebody wrote in between.
    async fn try_login(
        &self,
        name: Username,
        address: PeerAddr,
        known: Option<i64>,
    ) -> Result<Option<Record>, Error> {
        let before = self.online.find_one(doc! { "_id": name.as_str() }).await?;
        let written = before.map(|before| before.get_i64("turn").unwrap_or_default());
        let seen = self.clock.now();
        let least = known.max(written).map_or(0, |turn| turn.saturating_add(1));
        let record = Record {
            name,
            address: Some(address),
            turn: least.max(self.clock.to_server(seen).timestamp_millis()),
            seen,
        };
        let document = self.document(&record);
        let Some(turn) = written else {
            return match self.online.insert_one(document).await {
                Ok(_) => Ok(Some(record)),
                Err(error) if is_duplicate(&error) => Ok(None),
                Err(error) => Err(error),
            };
        };
        let replaced = doc! { "_id": name.as_str(), "turn": turn };
        let result = self.online.replace_one(replaced, document).await?;
        Ok((result.matched_count > 0).then_some(record))
    }

    /// Writes what the others have yet to hear. Where somebody has written a later turn
    /// meanwhile nothing is changed, and the change stream tells of it.
    ///
    /// # Errors
    /// If the database does not take all of it in time. Writing it again does no harm.
    pub async fn write(&self, dues: &[Due]) -> Result<(), StoreError> {
        for some in dues.chunks(BULK) {
            let updates: Vec<Bson> = some.iter().map(|due| self.update(due).into()).collect();
            let command = doc! {
                "update": COLLECTION,
                "updates": updates,
                "ordered": false,
                "writeConcern": {
                    "w": "majority",
                    "wtimeout": i64::try_from(mongo::CALL_TIMEOUT.as_millis()).unwrap_or(i64::MAX),
                },
            };
            let answer = in_time(async { self.database.run_command(command).await }).await?;
            let failed = ["writeErrors", "writeConcernError"];
            if let Some(what) = failed.iter().find(|what| answer.contains_key(**what)) {
                return Err(StoreError::Mongo(format!("the server reports a {what}")));
            }
        }
        Ok(())
    }

    /// The whole document is written each time, since the change stream then tells the
    /// whole, too.
    fn update(&self, due: &Due) -> Document {
        let record = &due.record;
        let mut query = doc! {
            "_id": record.name.as_str(),
            "turn": due.replaces.unwrap_or(record.turn),
        };
        if due.replaces.is_none() {
            query.insert("seen", doc! { "$lt": self.clock.to_server(record.seen) });
        }
        doc! { "q": query, "u": self.document(record) }
    }

    fn document(&self, record: &Record) -> Document {
        doc! {
            "_id": record.name.as_str(),
            "address": record.address.map(|address| address.to_string()),
            "turn": record.turn,
            "seen": self.clock.to_server(record.seen),
        }
    }

    /// The record in a document; `None` for one that somebody else put there.
    fn record(&self, document: &Document) -> Option<Record> {
        let address = match document.get("address")? {
            Bson::Null => None,
            Bson::String(address) => Some(address.parse().ok()?),
            _ => return None,
        };
        Some(Record {
            name: Username::new(document.get_str("_id").ok()?).ok()?,
            address,
            turn: document.get_i64("turn").ok()?,
            seen: self.clock.from_server(*document.get_datetime("seen").ok()?),
        })
    }

    /// What may be online: seen within the timeout.
    fn recent(&self) -> Document {
        let now = self.clock.to_server(self.clock.now());
        let timeout = i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX);
        let since = DateTime::from_millis(now.timestamp_millis().saturating_sub(timeout));
        doc! { "seen": { "$gt": since } }
    }

    /// Lets go of the database.
    pub async fn close(&self) {
        mongo::shut_down(&self.client).await;
    }
}

/// Whether the change stream can no longer be gone on with, so that everything has to be
/// read anew: the codes are those of MongoDB for a token that is too old or unusable.
fn is_history_lost(error: &Error) -> bool {
    const CODES: [i32; 4] = [136, 260, 280, 286];
    matches!(&*error.kind, ErrorKind::Command(failure) if CODES.contains(&failure.code))
}
