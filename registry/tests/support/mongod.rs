//! Databases of one test each, on a MongoDB or a replica set that the whole test run
//! shares.

use std::sync::OnceLock;
use std::thread;

use mongodb::bson::Document;
use mongodb::{Client, Collection};
use p2pchat_registry::StoreSpec;
use p2pchat_testkit::{MongoDb, ReplicaSet};
use tokio::runtime::Runtime;

use super::unique;

/// How many members the replica set has.
const MEMBERS: usize = 3;

/// The URI of the MongoDB of this test run.
fn base_uri() -> &'static str {
    static FOUND: OnceLock<Shared<MongoDb>> = OnceLock::new();
    FOUND.get_or_init(|| share(MongoDb::find)).it.uri()
}

/// The replica set of this test run.
pub(crate) fn replica_set() -> &'static ReplicaSet {
    static STARTED: OnceLock<Shared<ReplicaSet>> = OnceLock::new();
    let starting = || share(|| ReplicaSet::start(MEMBERS, ReplicaSet::ELECTION_TIMEOUT));
    &STARTED.get_or_init(starting).it
}

/// A server that lives as long as the test program, with the runtime that it needs.
struct Shared<T> {
    it: T,
    _runtime: Runtime,
}

fn share<T, F>(start: impl FnOnce() -> F + Send) -> Shared<T>
where
    T: Send,
    F: Future<Output = anyhow::Result<T>>,
{
    // On a thread of its own: the test may be in a runtime already.
    thread::scope(|scope| {
        let starting = scope.spawn(|| {
            let runtime = Runtime::new().unwrap();
            Shared {
                it: runtime.block_on(start()).unwrap(),
                _runtime: runtime,
            }
        });
        starting.join().unwrap()
    })
}

/// A database of one test. Dropped on drop.
pub(crate) struct TestDatabase {
    /// Its URI, as `--store` takes it.
    pub(crate) uri: String,
}

impl TestDatabase {
    pub(crate) fn new() -> Self {
        Self {
            uri: with_database(base_uri(), &unique_name()),
        }
    }

    pub(crate) fn on_replica_set() -> Self {
        Self {
            uri: replica_set().uri(&unique_name()),
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        let address = self.uri.split('?').next().unwrap();
        address.rsplit('/').next().unwrap()
    }

    pub(crate) fn spec(&self) -> StoreSpec {
        self.uri.parse().unwrap()
    }

    /// Does something with the collection itself, as another program would.
    pub(crate) fn with<T>(&self, work: impl AsyncFnOnce(Collection<Document>) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let client = Client::with_uri_str(&self.uri).await.unwrap();
            let database = client.default_database().unwrap();
            let done = work(database.collection("authentication")).await;
            client.shutdown().await;
            done
        })
    }

    /// The same with the collection that several registries share.
    pub(crate) fn with_online<T>(&self, work: impl AsyncFnOnce(&Collection<Document>) -> T) -> T {
        self.with(async |accounts| {
            let database = accounts.client().database(self.name());
            work(&database.collection("online")).await
        })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let uri = self.uri.clone();
        // On a thread of its own: the test may be in a runtime already.
        let dropping = thread::spawn(move || {
            let database = std::mem::ManuallyDrop::new(Self { uri });
            database.with(async |accounts| {
                let name = accounts.namespace().db;
                accounts.client().database(&name).drop().await.unwrap();
            });
        });
        let dropped = dropping.join();
        assert!(dropped.is_ok() || thread::panicking());
    }
}

fn unique_name() -> String {
    format!("p2pchat_test_{}_{}", std::process::id(), unique())
}

/// A URI with its database replaced.
pub(crate) fn with_database(uri: &str, name: &str) -> String {
    let (address, options) = uri.split_once('?').unwrap_or((uri, ""));
    let (scheme, rest) = address.split_once("://").unwrap();
    let hosts = rest.split('/').next().unwrap();
    match options {
        "" => format!("{scheme}://{hosts}/{name}"),
        options => format!("{scheme}://{hosts}/{name}?{options}"),
    }
}

/// The first host of a URI, and the URI with that host alone replaced by another.
pub(crate) fn first_host(uri: &str, other: std::net::SocketAddr) -> (String, String) {
    let (address, options) = uri.split_once('?').unwrap_or((uri, ""));
    let (scheme, rest) = address.split_once("://").unwrap();
    let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = hosts
        .rsplit_once('@')
        .map_or(("", hosts), |(user, hosts)| (user, hosts));
    let at = if user.is_empty() { "" } else { "@" };
    let first = hosts.split(',').next().unwrap();
    let first = if first.contains(':') {
        first.to_owned()
    } else {
        format!("{first}:27017")
    };
    let options = options
        .split('&')
        .filter(|option| !option.starts_with("replicaSet="));
    let options: Vec<&str> = options
        .filter(|option| !option.is_empty())
        .chain(["directConnection=true"])
        .collect();
    (
        first,
        format!(
            "{scheme}://{user}{at}{other}/{database}?{}",
            options.join("&")
        ),
    )
}
