//! Bindings and devices over three mongods: two registries bind one name at once, a primary dies
//! in between, a registry is cut off and comes back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use mongodb::bson::{Bson, DateTime, Document, doc};
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{
    Binding, DeviceId, Endpoint, PersonKey, PublicKey, Seat, SeatState, Status,
};
use p2pchat_registry::cluster::{Change, Cluster};
use p2pchat_registry::presence::{Due, Presence, Record};
use p2pchat_registry::store::{self, Opener, StoredBinding};
use p2pchat_registry::{Store, StoreError, StoreSpec};
use p2pchat_testkit::{Cable, ReplicaSet, require_mongod};
use tokio::task::JoinHandle;

use crate::support::mongod::{TestDatabase, first_host};
use crate::support::proxy::Proxy;

const NAMES: usize = 8;
/// Who claims them.
const PERSONS: [u8; 2] = [1, 2];
/// How often the primary is killed.
const KILLS: usize = 2;
/// Short, so that the test is.
const ELECTION: Duration = Duration::from_secs(2);

async fn open(uri: &str) -> Arc<dyn Store> {
    let spec: StoreSpec = uri.parse().unwrap();
    store::open(&spec, Opener::Registry).await.unwrap()
}

fn name(number: usize) -> Username {
    format!("n{number}").parse().unwrap()
}

fn person(number: u8) -> PersonKey {
    PersonKey(PublicKey([number; PublicKey::LEN]))
}

fn bound(name: Username, serial: u64, person: PersonKey) -> StoredBinding {
    StoredBinding {
        binding: Binding {
            name,
            serial,
            person: Some(person),
            display_name: "".parse().unwrap(),
            devices: Vec::new(),
        },
        forgotten: Vec::new(),
        allows_version_1: false,
    }
}

/// All that was acknowledged, by name and serial.
type Acknowledged = Arc<Mutex<BTreeMap<(Username, u64), PersonKey>>>;

/// A person claims all names at one registry, and changes those that they got, until told to
/// stop.
fn claim(
    store: Arc<dyn Store>,
    person: PersonKey,
    acknowledged: Acknowledged,
    stop: Arc<AtomicBool>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            for number in 0..NAMES {
                // An error is answered to the client, who tries again.
                let _ = claim_once(&*store, name(number), person, &acknowledged).await;
            }
        }
    })
}

async fn claim_once(
    store: &dyn Store,
    name: Username,
    person: PersonKey,
    acknowledged: &Acknowledged,
) -> Result<(), StoreError> {
    let there = store.binding(name).await?;
    let serial = match there {
        Some(there) if there.binding.person != Some(person) => return Ok(()),
        there => there.map_or(0, |there| there.binding.serial) + 1,
    };
    if store.bind(bound(name, serial, person)).await? {
        let before = acknowledged.lock().unwrap().insert((name, serial), person);
        assert_eq!(before, None, "{name:?} has serial {serial} twice");
    }
    Ok(())
}

/// Reads all serials, and bindings by the person, until told to stop: they never go back. How often
/// that worked.
fn watch(store: Arc<dyn Store>, stop: Arc<AtomicBool>) -> JoinHandle<usize> {
    tokio::spawn(async move {
        let (mut latest, mut reads, mut reads_by_person) = (BTreeMap::new(), 0, 0);
        while !stop.load(Ordering::Relaxed) {
            let Ok(serials) = store.serials((0..NAMES).map(name).collect()).await else {
                continue;
            };
            reads += 1;
            for (name, serial) in serials {
                let before = latest.insert(name, serial).unwrap_or(0);
                assert!(before <= serial, "{name:?}: {before}, then {serial}");
            }
            for person in PERSONS.map(person) {
                let Ok(Some(found)) = store.binding_of(person).await else {
                    continue;
                };
                reads_by_person += 1;
                let Binding { name, serial, .. } = found.binding;
                assert_eq!(found.binding.person, Some(person));
                let before = latest.insert(name, serial).unwrap_or(0);
                assert!(before <= serial, "{name:?}: {before}, then {serial}");
            }
        }
        reads.min(reads_by_person)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_bind_names_at_once_agree_though_primaries_die_meanwhile() {
    require_mongod!();
    let mut set = ReplicaSet::start(3, ELECTION).await.unwrap();
    let uri = set.uri("P2PAppBindings");
    let acknowledged = Acknowledged::default();
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for number in PERSONS {
        let (acknowledged, stop) = (Arc::clone(&acknowledged), Arc::clone(&stop));
        tasks.push(claim(open(&uri).await, person(number), acknowledged, stop));
    }
    let watching = watch(open(&uri).await, Arc::clone(&stop));
    let count = || acknowledged.lock().unwrap().len();
    for _ in 0..KILLS {
        let before = count();
        let began = Instant::now();
        while count() < before + 10 {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "nothing is bound"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let primary = set.primary().await.unwrap();
        set.kill(primary).await.unwrap();
        set.primary().await.unwrap();
        set.restart(primary).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    assert!(watching.await.unwrap() > 0);

    let [one, two] = [open(&uri).await, open(&uri).await];
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() >= 10 * KILLS);
    let mut first_of = BTreeMap::new();
    for number in 0..NAMES {
        let there = one.binding(name(number)).await.unwrap().unwrap();
        let elsewhere = two.binding(name(number)).await.unwrap();
        assert_eq!(elsewhere.as_ref(), Some(&there), "one binding, everywhere");
        first_of
            .entry(there.binding.person)
            .or_insert_with(|| there.clone());
        for ((_, serial), person) in acknowledged
            .iter()
            .filter(|((bound, _), _)| *bound == name(number))
        {
            assert_eq!(there.binding.person, Some(*person));
            assert!(
                *serial <= there.binding.serial,
                "{serial} is lost: {there:?}"
            );
        }
    }
    for person in PERSONS.map(person) {
        for store in [&one, &two] {
            let found = store.binding_of(person).await.unwrap();
            assert_eq!(found.as_ref(), first_of.get(&Some(person)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_was_cut_off_changes_nothing_meanwhile_and_reads_what_is_so_after() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let proxy = tokio::task::spawn_blocking(Proxy::start).await.unwrap();
    let (host, gate) = first_host(&database.uri, proxy.address);
    // Whichever member is the primary.
    let set = crate::support::mongod::replica_set();
    let primary = set.address(set.primary().await.unwrap());
    drop(host);
    proxy.lead_to(primary.to_string());
    let (cut_off, other) = (open(&gate).await, open(&database.uri).await);
    let bob = name(0);
    assert!(cut_off.bind(bound(bob, 1, person(1))).await.unwrap());

    proxy.set(Cable::Silent);
    assert!(other.bind(bound(bob, 2, person(1))).await.unwrap());
    let began = Instant::now();
    cut_off.binding(bob).await.unwrap_err();
    cut_off.bind(bound(bob, 2, person(2))).await.unwrap_err();
    assert!(
        began.elapsed() < Duration::from_secs(12),
        "calls have a deadline"
    );

    proxy.set(Cable::Whole);
    proxy.lead_to(primary.to_string());
    let began = Instant::now();
    let there = loop {
        match cut_off.binding(bob).await {
            Ok(there) => break there,
            Err(error) => assert!(began.elapsed() < Duration::from_secs(30), "{error}"),
        }
    };
    assert_eq!(there, Some(bound(bob, 2, person(1))));
    assert_eq!(cut_off.binding_of(person(1)).await.unwrap(), there);
    assert_eq!(cut_off.binding_of(person(2)).await.unwrap(), None);
    assert!(!cut_off.bind(bound(bob, 2, person(2))).await.unwrap());
    assert!(cut_off.bind(bound(bob, 3, person(1))).await.unwrap());
    tokio::task::spawn_blocking(|| drop(proxy)).await.unwrap();
    tokio::task::spawn_blocking(|| drop(database))
        .await
        .unwrap();
}

/// As at the first start after an upgrade: MongoDB does not end the call before all members have
/// the index.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_starts_while_the_index_of_persons_waits_for_a_member_that_is_down() {
    require_mongod!();
    let mut set = ReplicaSet::start(3, ELECTION).await.unwrap();
    let uri = set.uri("P2PAppIndex");
    let store = open(&uri).await;
    let of_bob = bound(name(0), 1, person(1));
    assert!(store.bind(of_bob.clone()).await.unwrap());
    store.close().await;
    let client = mongodb::Client::with_uri_str(&uri).await.unwrap();
    let bindings = client
        .database("P2PAppIndex")
        .collection::<Document>("bindings");
    bindings.drop_index("person_1__id_1").await.unwrap();
    let primary = set.primary().await.unwrap();
    let is_down = (primary + 1) % 3;
    set.kill(is_down).await.unwrap();
    let store = open(&uri).await;
    assert!(!is_indexed(&bindings).await, "then this tests nothing");
    let found = store.binding_of(person(1)).await.unwrap();
    assert_eq!(found, Some(of_bob));
    store.close().await;
    set.restart(is_down).await.unwrap();
    let began = Instant::now();
    while !is_indexed(&bindings).await {
        assert!(began.elapsed() < Duration::from_secs(60), "no index");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    client.shutdown().await;
}

/// Whether persons are found by an index that is complete.
async fn is_indexed(bindings: &mongodb::Collection<Document>) -> bool {
    let stats = bindings.aggregate([doc! { "$indexStats": {} }]).await;
    let stats: Vec<Document> = stats.unwrap().try_collect().await.unwrap();
    let is_it = |index: &Document| {
        index
            .get_str("name")
            .is_ok_and(|name| name == "person_1__id_1")
    };
    let index = stats.iter().find(|index| is_it(index));
    index.is_some_and(|index| !index.get_bool("building").unwrap_or(false))
}

const DEVICE: DeviceId = DeviceId([0, 1, 2, 3, 4, 5, 6, 0xff]);

fn seat() -> Seat {
    Seat {
        name: name(1),
        device: Some(DEVICE),
    }
}

fn state(status: Status) -> SeatState {
    SeatState {
        endpoint: Endpoint {
            address: "10.0.0.7".parse().unwrap(),
            port: 5859,
        },
        version_1: true,
        status,
        serial: 3,
        display_name: Some("Zoë B.".parse().unwrap()),
    }
}

async fn cluster(database: &TestDatabase) -> Cluster {
    let StoreSpec::Mongo(uri) = database.spec() else {
        unreachable!()
    };
    let started = Instant::now() - Duration::from_secs(3600);
    let timeout = Duration::from_secs(6);
    Cluster::connect(&uri, started, timeout).await.unwrap()
}

/// The next record that a registry hears of.
async fn heard(cluster: &Cluster, stream: &mut p2pchat_registry::cluster::ChangeStream) -> Record {
    let began = Instant::now();
    loop {
        match cluster.next(stream).await.unwrap() {
            Change::Record { record, .. } => return record,
            other => assert!(began.elapsed() < Duration::from_secs(30), "{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_a_document_of_its_own_that_registries_of_version_1_pass_over() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let [one, two] = [cluster(&database).await, cluster(&database).await];
    let now = Duration::from_secs(3600);
    let mut stream = two.snapshot(now).await.unwrap().stream;
    let available = state(Status::Available);
    let signed_in = one.sign_in(seat(), available, None).await.unwrap();
    assert_eq!(signed_in.state, Some(available));
    let found = heard(&two, &mut stream).await;
    assert_eq!((found.seat, found.state), (seat(), Some(available)));
    assert_eq!(found.epoch, signed_in.epoch);

    // What changes at one is the same there.
    let presence = Presence::new_shared(Duration::from_secs(60));
    let session = presence.logged_in(&signed_in);
    let busy = state(Status::Busy);
    assert!(presence.update(seat(), session, busy, signed_in.seen));
    let dues = |presence: &Presence| -> Vec<Due> {
        let due = |shard| presence.due(shard, signed_in.seen);
        (0..presence.shards()).flat_map(due).collect()
    };
    let stored = one.write(&dues(&presence)).await.unwrap();
    for record in &stored {
        assert_eq!(presence.learn(record, now), None);
    }
    assert_eq!(dues(&presence), []);
    let found = heard(&two, &mut stream).await;
    assert_eq!(found.state, Some(busy));
    let records = two.snapshot(now).await.unwrap().records;
    assert_eq!(records, [found]);

    let id = "n1/00010203040506ff";
    assert!(Username::new(id).is_err(), "it is no name of version 1");
    let document = in_online(database, async move |online| {
        online.find_one(doc! { "_id": id }).await.unwrap().unwrap()
    });
    let (database, document) = document.await;
    for (key, value) in [
        ("address", Bson::from("10.0.0.7")),
        ("port", 5859.into()),
        ("version_1", true.into()),
        ("status", 1.into()),
        ("serial", 3_i64.into()),
        ("display_name", "Zoë B.".into()),
    ] {
        assert_eq!(document.get(key), Some(&value), "{key}");
    }

    // A later sign-in is far ahead of it, and ends what came before.
    let later = two.sign_in(seat(), available, None).await.unwrap();
    assert!(later.epoch >= found.epoch + 1000, "{later:?}");
    assert!(
        presence
            .learn(&later, now)
            .is_some_and(|ended| ended.session == session)
    );
    tokio::task::spawn_blocking(|| drop(database))
        .await
        .unwrap();
}

/// Does something with the collection itself, as another program would.
async fn in_online<T: Send + 'static>(
    database: TestDatabase,
    work: impl AsyncFnOnce(&mongodb::Collection<Document>) -> T + Send + 'static,
) -> (TestDatabase, T) {
    let working = tokio::task::spawn_blocking(move || {
        let done = database.with_online(work);
        (database, done)
    });
    working.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_devices_that_no_registry_wrote_are_passed_over() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let now = DateTime::now();
    let good = doc! {
        "_id": "bob/00010203040506ff", "address": "10.0.0.7", "turn": now.timestamp_millis(),
        "seen": now, "port": 5858, "version_1": false, "status": 0, "serial": 1_i64,
        "display_name": "",
    };
    let with = |key: &str, value: Bson| {
        let mut document = good.clone();
        // One of its own for each key.
        let sum: u64 = key.bytes().map(u64::from).sum();
        document.insert("_id", format!("bob/{sum:016x}"));
        document.insert(key, value);
        document
    };
    let mut bad: Vec<Document> = [
        "bob/00010203040506FF",
        "bob/00010203040506f",
        "bob/+0010203040506ff",
        "/00010203040506ff",
        "elevenbytes/00010203040506ff",
        "bob/00010203040506ff/",
    ]
    .map(|id| with("_id", id.into()))
    .into();
    bad.push(with("port", 0.into()));
    bad.push(with("status", 3.into()));
    bad.push(with("serial", (-1_i64).into()));
    bad.push(with("version_1", 1.into()));
    bad.push(with("display_name", "a\u{1b}[2J".into()));
    let count = bad.len() as u64;
    bad.push(good);
    let (database, ()) = in_online(database, async move |online| {
        online.insert_many(bad).await.unwrap();
    })
    .await;
    let cluster = cluster(&database).await;
    let snapshot = cluster.snapshot(Duration::from_secs(3600)).await.unwrap();
    assert_eq!(snapshot.foreign, count);
    let seats = snapshot.records.iter().map(|record| record.seat);
    let bob = Seat {
        name: "bob".parse().unwrap(),
        device: Some(DEVICE),
    };
    assert!(seats.eq([bob]));
    tokio::task::spawn_blocking(|| drop(database))
        .await
        .unwrap();
}
