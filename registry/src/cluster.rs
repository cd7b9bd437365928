//! What registries over one database know of each other: the collection `online`.
//!
//! It has a document for each name, `{_id: name, address, turn, seen}`, which nobody owns:
//! any registry writes it, as a whole, where its turn is the one that the writer knew.
//! `address` is null after a logout. `seen` is by the clock of the database
//! (`clock`), since those of the registries need not agree. What others write comes by a
//! change stream (`feed`), and each registry answers from its own memory
//! ([`presence`](crate::presence)).
//!
//! A document that is of no registry (`document`) counts for nothing: it is passed over,
//! and replaced when its name logs in.
//!
//! **Invariant:** each write is acknowledged by a majority, so nothing that a registry has
//! read is taken back by an election. Every call has a deadline.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use mongodb::bson::{Bson, DateTime, Document, RawDocumentBuf, doc};
use mongodb::error::Error;
use mongodb::options::IndexOptions;
use mongodb::{Client, Collection, Database, IndexModel};
use p2pchat_protocol::{PeerAddr, Username};
use thiserror::Error as ThisError;

use crate::options::MongoUri;
use crate::presence::{Due, Record};
use crate::store::StoreError;
use crate::store::mongo::{
    self, CONNECT_TIMEOUT, ConnectError, DUPLICATE_KEY, in_time, is_duplicate,
};

mod clock;
mod document;
mod feed;

pub use clock::ServerClock;
pub use feed::{Feed, News, Snapshot};

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

/// What the database says of itself.
struct Hello {
    /// Whether it is no single mongod.
    tells_of_changes: bool,
    is_other_clock: bool,
}

/// The collection, and the clock that it counts by.
pub struct Cluster {
    client: Client,
    database: Database,
    /// Unread, as not all of it needs to be of a registry.
    online: Collection<RawDocumentBuf>,
    clock: ServerClock,
    epoch: Instant,
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
            clock: ServerClock::default(),
            epoch,
            client,
            database,
            timeout,
        };
        let shown = uri.redacted();
        match tokio::time::timeout(CONNECT_TIMEOUT, cluster.hello()).await {
            Ok(Ok(hello)) if hello.tells_of_changes => {}
            Ok(Ok(_)) => return Err(ClusterError::Standalone { uri: shown }),
            Ok(Err(error)) => return Err(ConnectError::unreachable(uri, &error).into()),
            Err(_) => return Err(ConnectError::no_answer(uri).into()),
        }
        match cluster.tidy().await {
            Ok(()) => Ok(cluster),
            Err(reason) => Err(ClusterError::Collection { uri: shown, reason }),
        }
    }

    /// The time here.
    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Asks the database what it is and what time it has.
    async fn hello(&self) -> Result<Hello, Error> {
        let asked = self.now();
        let admin = self.client.database("admin");
        let answer = admin.run_command(doc! { "hello": 1 }).await?;
        let time = answer.get_datetime("localTime").ok();
        let is_other_clock = time.is_some_and(|time| self.clock.set(asked, self.now(), *time));
        let is_mongos = answer.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
        Ok(Hello {
            tells_of_changes: is_mongos || answer.contains_key("setName"),
            is_other_clock,
        })
    }

    /// Sees that what everybody forgot is cleared away.
    ///
    /// # Errors
    /// If the database does not take the index in time.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        let options = IndexOptions::builder().expire_after(FORGOTTEN).build();
        let index = IndexModel::builder()
            .keys(doc! { "seen": 1 })
            .options(options)
            .build();
        in_time(async { self.online.create_index(index).await.map(|_| ()) }).await
    }

    /// Reads the clock of the database anew, and says whether it is another than before.
    /// Within a call's deadline.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn measure_clock(&self) -> Result<bool, StoreError> {
        Ok(in_time(self.hello()).await?.is_other_clock)
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
        let written = before.as_ref().and_then(|before| self.turn(before));
        let seen = self.now();
        let least = known.max(written).map_or(0, |turn| turn.saturating_add(1));
        let record = Record {
            name,
            address: Some(address),
            turn: least.max(self.clock.to_server(seen).timestamp_millis()),
            seen,
        };
        let document = RawDocumentBuf::try_from(self.document(&record))?;
        if before.is_none() {
            return match self.online.insert_one(document).await {
                Ok(_) => Ok(Some(record)),
                Err(error) if is_duplicate(&error) => Ok(None),
                Err(error) => Err(error),
            };
        }
        let replaced = self.unchanged(name, written);
        let result = self.online.replace_one(replaced, document).await?;
        Ok((result.matched_count > 0).then_some(record))
    }

    /// Writes what the others have yet to hear, and returns what is there then of each:
    /// that, or what somebody wrote meanwhile, which is later.
    ///
    /// # Errors
    /// If the database does not take all of it in time. Writing it again does no harm.
    pub async fn write(&self, dues: &[Due]) -> Result<Vec<Record>, StoreError> {
        let mut there = Vec::with_capacity(dues.len());
        for some in dues.chunks(BULK) {
            let overtaken = self.write_some(some).await?;
            let mut later = self.read(&overtaken).await?;
            there.extend(some.iter().map(|due| {
                let later = later.remove(&due.record.name);
                later.unwrap_or(due.record)
            }));
        }
        Ok(there)
    }

    /// Writes what one command takes, and returns the names for which there is something
    /// later.
    async fn write_some(&self, dues: &[Due]) -> Result<HashSet<Username>, StoreError> {
        let updates: Vec<Bson> = dues.iter().map(|due| self.update(due).into()).collect();
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
        if answer.contains_key("writeConcernError") {
            return Err(failed("a majority did not acknowledge the write"));
        }
        let mut overtaken = HashSet::new();
        for refusal in answer.get_array("writeErrors").into_iter().flatten() {
            overtaken.insert(overtaken_name(refusal, dues)?);
        }
        Ok(overtaken)
    }

    /// What is there of some names.
    async fn read(
        &self,
        names: &HashSet<Username>,
    ) -> Result<HashMap<Username, Record>, StoreError> {
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        let names: Vec<&str> = names.iter().map(Username::as_str).collect();
        let reading = async {
            let found = self.online.find(doc! { "_id": { "$in": names } }).await?;
            found.try_collect::<Vec<RawDocumentBuf>>().await
        };
        let documents = in_time(reading).await?;
        let records = documents
            .iter()
            .filter_map(|document| self.record(document));
        Ok(records.map(|record| (record.name, record)).collect())
    }

    /// Who may have been online then, or has been since.
    fn since(&self, time: Duration) -> Document {
        let seen = self.clock.to_server(time).timestamp_millis();
        let timeout = i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX);
        doc! { "seen": { "$gt": DateTime::from_millis(seen.saturating_sub(timeout)) } }
    }

    /// Lets go of the database.
    pub async fn close(&self) {
        mongo::shut_down(&self.client).await;
    }
}

/// Whose write was refused because there is something later.
fn overtaken_name(refusal: &Bson, dues: &[Due]) -> Result<Username, StoreError> {
    let number = |key| refusal.as_document()?.get_i32(key).ok();
    let due = number("index").and_then(|index| dues.get(usize::try_from(index).ok()?));
    match (number("code"), due) {
        (Some(DUPLICATE_KEY), Some(due)) => Ok(due.record.name),
        (code, _) => Err(failed(&format!(
            "the server refused a write (code {code:?})"
        ))),
    }
}

fn failed(what: &str) -> StoreError {
    StoreError::Mongo(what.to_owned())
}
