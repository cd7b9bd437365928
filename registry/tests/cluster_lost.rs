//! A change stream that cannot be gone on with: the database no longer knows what came
//! next, or the collection has gone.

use std::net::Ipv4Addr;
use std::time::Duration;

use mongodb::bson::{Document, Timestamp, doc};
use mongodb::{Client as Mongo, Collection};
use p2pchat_testkit::{ReplicaSet, require_mongod};
use tokio::runtime::Runtime;

use crate::support::client::{LOGIN, LOGOUT, REGISTER};
use crate::support::mongod::{TestDatabase, first_host};
use crate::support::proxy::{Cable, Proxy};
use crate::support::several::{Member, Repeated};
use crate::support::{SOON, wait_for};

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
/// Longer than any test.
const LONG: u32 = 600;

/// A set of one that forgets what happened as soon as a megabyte of it came after.
async fn forgetful() -> ReplicaSet {
    let more = ["--oplogSize", "1", "--syncdelay", "1"];
    let started = ReplicaSet::start_with(1, ReplicaSet::ELECTION_TIMEOUT, &more).await;
    started.unwrap()
}

/// Has so much happen that what happened until now is forgotten.
async fn forget(uri: &str) {
    let client = Mongo::with_uri_str(uri).await.unwrap();
    let admin = client.database("admin");
    let hello = admin.run_command(doc! { "hello": 1 }).await.unwrap();
    let now = hello.get_timestamp("operationTime").unwrap();
    let oplog: Collection<Document> = client.database("local").collection("oplog.rs");
    let other: Collection<Document> = client.database("other").collection("other");
    let much = "x".repeat(200_000);
    let begin = async || -> Timestamp {
        let first = oplog.find_one(doc! {}).sort(doc! { "$natural": 1 }).await;
        first.unwrap().unwrap().get_timestamp("ts").unwrap()
    };
    let forgetting = async {
        while begin().await <= now {
            other.insert_one(doc! { "much": &much }).await.unwrap();
        }
    };
    let forgotten = tokio::time::timeout(SOON * 3, forgetting).await;
    forgotten.expect("an oplog that ends");
    client.shutdown().await;
}

fn log_in(at: &Member, name: &str, from: Ipv4Addr) -> crate::support::client::Client {
    let mut client = at.client(from);
    let registered = client.status(REGISTER, name, "pw");
    assert!([20, 40].contains(&registered), "{registered}");
    assert_eq!(client.status(LOGIN, name, "pw"), 21);
    client
}

#[test]
fn a_registry_that_was_away_for_longer_than_the_database_remembers_reads_who_is_online_again() {
    require_mongod!();
    let runtime = Runtime::new().unwrap();
    let set = runtime.block_on(forgetful());
    let uri = set.uri("P2PAppForgetful");
    let proxy = Proxy::start();
    let (host, gate) = first_host(&uri, proxy.address);
    proxy.lead_to(host);
    let [away, other] = [Member::start(&gate, LONG), Member::start(&uri, LONG)];
    let _here = log_in(&away, "here", HERE);
    let mut leaves = log_in(&other, "leaves", HERE);
    let _moves = log_in(&other, "moves", HERE);
    let _stays = log_in(&other, "stays", HERE);
    for name in ["leaves", "moves", "stays"] {
        away.shows(name, Some(HERE));
    }
    assert_eq!(away.value("rebuilds_total"), 0.0);

    let asked = Repeated::searches("stays", HERE, &away);
    proxy.set(Cable::Cut);
    wait_for("a broken stream", SOON, || away.value("stream_up") == 0.0);
    assert_eq!(leaves.status(LOGOUT, "leaves", "LOGOUT"), 25);
    let _moved = log_in(&other, "moves", ELSEWHERE);
    let _comes = log_in(&other, "comes", ELSEWHERE);
    other.shows("leaves", None);
    runtime.block_on(forget(&uri));
    assert_eq!(away.find("leaves"), Some(HERE), "it cannot know");

    proxy.set(Cable::Whole);
    away.counts("rebuilds_total", 1.0);
    away.shows("leaves", None);
    away.shows("moves", Some(ELSEWHERE));
    away.shows("comes", Some(ELSEWHERE));
    away.shows("here", Some(HERE));
    // And hears what comes after.
    let _late = log_in(&other, "late", HERE);
    away.shows("late", Some(HERE));
    wait_for("the stream", SOON, || away.value("stream_up") == 1.0);
    drop(asked);
    assert_eq!(away.value("rebuilds_total"), 1.0);
    assert!(away.value("stream_breaks_total") >= 1.0);
    assert_eq!(other.value("rebuilds_total"), 0.0, "it missed nothing");
    let log = away.log();
    assert!(log.contains("cut off from the database"), "{log}");
    assert!(
        log.contains("change stream lost; presence reloaded"),
        "{log}"
    );
}

/// Takes the collection away from registries that run.
fn survive(harm: impl AsyncFnOnce(&Collection<Document>)) {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let timeout = 6;
    let [one, two] = [(); 2].map(|()| Member::start(&database.uri, timeout));
    let _sessions = [log_in(&one, "ann", HERE), log_in(&two, "bob", ELSEWHERE)];
    let _hellos = [
        Repeated::hellos("ann", HERE, &one),
        Repeated::hellos("bob", ELSEWHERE, &two),
    ];
    one.shows("bob", Some(ELSEWHERE));
    two.shows("ann", Some(HERE));
    let asked = [
        Repeated::searches("bob", ELSEWHERE, &one),
        Repeated::searches("ann", HERE, &two),
    ];

    database.with_online(harm);
    for registry in [&one, &two] {
        registry.counts("rebuilds_total", 1.0);
    }
    // Everybody who is there is there again, for those who know nothing else.
    wait_for("both in the collection", SOON, || {
        database.with_online(async |online| online.count_documents(doc! {}).await.unwrap()) == 2
    });
    // The index that clears them away as well, before one that starts looks after it.
    database.with_online(async |online| {
        let names = online.list_index_names().await.unwrap();
        assert!(names.contains(&"seen_1".to_owned()), "{names:?}");
    });
    let three = Member::start(&database.uri, timeout);
    three.shows("ann", Some(HERE));
    three.shows("bob", Some(ELSEWHERE));
    let _late = log_in(&three, "late", HERE);
    one.shows("late", Some(HERE));
    two.shows("late", Some(HERE));
    // Nobody missed anybody, for longer than anybody is shown without a Hello.
    std::thread::sleep(Duration::from_secs(timeout.into()) * 4 / 3);
    drop(asked);
    for registry in [one, two] {
        assert_eq!(registry.value("stream_up"), 1.0);
        let log = registry.log();
        assert!(log.contains("presence reloaded"), "{log}");
    }
}

#[test]
fn presence_is_restored_when_the_collection_is_dropped() {
    survive(async |online| online.drop().await.unwrap());
}

#[test]
fn presence_is_restored_when_the_collection_is_renamed() {
    survive(async |online| {
        let of = online.namespace();
        let command = doc! {
            "renameCollection": of.to_string(),
            "to": format!("{}.elsewhere", of.db),
        };
        let admin = online.client().database("admin");
        admin.run_command(command).await.unwrap();
    });
}

#[test]
fn presence_is_restored_when_all_documents_are_removed() {
    require_mongod!();
    // The stream goes on, and who says Hello is written again in time.
    let database = TestDatabase::on_replica_set();
    let [one, two] = [(); 2].map(|()| Member::start(&database.uri, 6));
    let _ann = log_in(&one, "ann", HERE);
    let _hellos = Repeated::hellos("ann", HERE, &one);
    two.shows("ann", Some(HERE));
    let asked = Repeated::searches("ann", HERE, &two);
    database.with_online(async |online| online.delete_many(doc! {}).await.unwrap());
    wait_for("ann in the collection", SOON, || {
        database.with_online(async |online| online.count_documents(doc! {}).await.unwrap()) == 1
    });
    std::thread::sleep(Duration::from_secs(8));
    drop(asked);
    assert_eq!(two.value("rebuilds_total"), 0.0);
}
