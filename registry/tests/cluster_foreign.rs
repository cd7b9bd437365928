//! Documents among those of the registries that another program wrote.

use std::net::Ipv4Addr;
use std::time::Duration;

use mongodb::Collection;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, RawDocumentBuf, doc};
use p2pchat_testkit::require_mongod;

use crate::support::client::{LOGIN, LOGOUT, REGISTER};
use crate::support::mongod::TestDatabase;
use crate::support::several::{Member, Repeated};
use crate::support::{SOON, wait_for};

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
/// Longer than any test.
const LONG: u32 = 600;
/// A name that long is in an event of a change stream four times, which is more than may be.
const HUGE: usize = 6 * 1024 * 1024;

/// A document as registries write it.
fn good() -> Document {
    let now = DateTime::now();
    doc! { "address": "127.0.0.9", "turn": now.timestamp_millis(), "seen": now }
}

/// The same with one foreign value.
fn with(key: &str, value: impl Into<Bson>) -> Document {
    let mut document = good();
    document.insert(key, value);
    document
}

/// The same without one.
fn without(key: &str) -> Document {
    let mut document = good();
    document.remove(key);
    document
}

/// What no registry writes, whatever its name is.
fn bad() -> Vec<Document> {
    let nested = (0..90).fold(Bson::Null, |inner, _| Bson::Document(doc! { "a": inner }));
    let now = DateTime::now().timestamp_millis();
    vec![
        doc! {},
        without("address"),
        without("turn"),
        without("seen"),
        with("address", 7),
        with("address", ""),
        with("address", "nowhere"),
        with("address", "0.0.0.0"),
        with("address", "255.255.255.255"),
        with("address", "::1"),
        with("address", "1.2.3.4\n"),
        with("address", "9".repeat(1_000_000)),
        with("address", vec!["127.0.0.9"]),
        with("turn", "7"),
        with("turn", 7),
        with("turn", 7.5),
        with("turn", f64::NAN),
        with("turn", Bson::MaxKey),
        with("turn", Bson::MinKey),
        with("turn", Bson::Null),
        with("turn", Bson::Array(vec![7_i64.into(), i64::MAX.into()])),
        with("turn", doc! { "$gt": 0 }),
        with("turn", nested),
        with("turn", i64::MAX),
        with("turn", now * 10),
        with("seen", "now"),
        with("seen", now),
        with("seen", DateTime::MAX),
        with("seen", Bson::Array(vec![DateTime::now().into()])),
        with("seen", DateTime::from_millis(now + 30 * 86_400_000)),
    ]
}

/// Names that no client can have.
fn strange_names() -> Vec<Bson> {
    let bytes = Binary {
        subtype: BinarySubtype::Generic,
        bytes: vec![0xff; 10],
    };
    vec![
        "".into(),
        "elevenbytes".into(),
        "a\nb".into(),
        "\u{1b}[2J".into(),
        "x".repeat(1_000_000).into(),
        7.into(),
        Bson::Null,
        bytes.into(),
        doc! { "a": 1 }.into(),
    ]
}

/// Puts a document there that is not even text: a name or address is no UTF-8.
async fn put_broken(online: &Collection<Document>, key: &str) {
    let mut document = with("_id", "broken");
    document.insert(key, "@@@@@@");
    let command = doc! { "insert": online.name(), "documents": [document] };
    let mut bytes = RawDocumentBuf::try_from(command).unwrap().into_bytes();
    let at = bytes.windows(6).position(|six| six == b"@@@@@@").unwrap();
    bytes[at..at + 6].fill(0xff);
    let command = RawDocumentBuf::from_bytes(bytes).unwrap();
    let database = online.client().database(&online.namespace().db);
    let answer = database.run_raw_command(command).await.unwrap();
    assert_eq!(answer.get_i32("n").ok(), Some(1), "{answer}");
}

async fn put(online: &Collection<Document>, name: impl Into<Bson>, mut document: Document) {
    let name = name.into();
    document.insert("_id", name.clone());
    let raw = online.clone_with_type::<RawDocumentBuf>();
    let document = RawDocumentBuf::try_from(document).unwrap();
    let replacing = raw.replace_one(doc! { "_id": { "$eq": name } }, document);
    replacing.upsert(true).await.unwrap();
}

/// Everything that is wrong, under names of users and others. How many documents.
async fn spoil(online: &Collection<Document>) -> usize {
    let bad = bad();
    for (number, document) in bad.iter().enumerate() {
        put(online, format!("bad{number}"), document.clone()).await;
    }
    let names = strange_names();
    for name in &names {
        put(online, name.clone(), good()).await;
    }
    put_broken(online, "address").await;
    put_broken(online, "_id").await;
    bad.len() + names.len() + 2
}

#[test]
fn foreign_documents_are_ignored_and_counted() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let [one, two] = [(); 2].map(|()| Member::start(&database.uri, LONG));
    let mut ann = one.client(HERE);
    ann.register_and_login("ann", "pw");
    two.shows("ann", Some(HERE));
    let asked = Repeated::searches("ann", HERE, &two);

    let foreign = database.with_online(async |online| spoil(online).await);
    for registry in [&one, &two] {
        registry.counts("foreign_documents_total", foreign as f64);
    }
    // What is behind it arrives.
    let mut bob = one.client(ELSEWHERE);
    bob.register_and_login("bob", "pw");
    two.shows("bob", Some(ELSEWHERE));
    assert_eq!(two.client(HERE).online().len(), 2);
    // One that starts among all that.
    let three = Member::start(&database.uri, LONG);
    three.shows("ann", Some(HERE));
    three.shows("bob", Some(ELSEWHERE));
    assert_eq!(three.client(HERE).online().len(), 2);
    assert!(three.value("foreign_documents_total") > 0.0);
    drop(asked);
    for registry in [one, two, three] {
        assert_eq!(registry.value("stream_up"), 1.0);
        assert_eq!(registry.value("stream_breaks_total"), 0.0);
        assert_eq!(registry.value("rebuilds_total"), 0.0);
        let log = registry.log();
        let told = log.matches("foreign writes in collection").count();
        assert_eq!(told, 1, "{log}");
    }
}

#[test]
fn no_document_locks_a_name_out() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let [one, two] = [(); 2].map(|()| Member::start(&database.uri, LONG));
    assert_eq!(one.client(HERE).status(REGISTER, "ann", "pw"), 20);
    let in_ten_years = DateTime::now().timestamp_millis() + 10 * 365 * 86_400_000 - 60_000;
    let more = [i64::MIN, -1, i64::MAX - 1, in_ten_years].map(|turn| with("turn", turn));
    for document in bad().into_iter().chain(more) {
        // Neither while she is there nor while she is not.
        database.with_online(async |online| put(online, "ann", document.clone()).await);
        let mut ann = one.client(HERE);
        assert_eq!(ann.status(LOGIN, "ann", "pw"), 21, "{document:.100}");
        two.shows("ann", Some(HERE));
        database.with_online(async |online| put(online, "ann", document.clone()).await);
        let mut moved = two.client(ELSEWHERE);
        assert_eq!(moved.status(LOGIN, "ann", "pw"), 21, "{document:.100}");
        one.shows("ann", Some(ELSEWHERE));
        assert_eq!(moved.status(LOGOUT, "ann", "LOGOUT"), 25, "{document:.100}");
        one.shows("ann", None);
    }
    for registry in [one, two] {
        registry.log();
    }
}

/// Ann says Hello to one registry and another shows her all the time, whatever becomes of
/// her document meanwhile, and for longer than she would be shown without.
fn while_ann_says_hello(change: impl FnOnce(&TestDatabase)) {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let [one, two] = [(); 2].map(|()| Member::start(&database.uri, 6));
    let mut ann = one.client(HERE);
    ann.register_and_login("ann", "pw");
    let _hellos = Repeated::hellos("ann", HERE, &one);
    two.shows("ann", Some(HERE));
    let asked = Repeated::searches("ann", HERE, &two);
    change(&database);
    std::thread::sleep(Duration::from_secs(8));
    drop(asked);
}

#[test]
fn a_hello_repairs_the_document_of_its_user() {
    while_ann_says_hello(|database| {
        for document in [
            with("turn", "7"),
            with("seen", "now"),
            with("seen", DateTime::MAX),
            with("turn", i64::MAX),
            with("turn", 7_i64),
        ] {
            database.with_online(async |online| put(online, "ann", document.clone()).await);
            wait_for("her document", SOON, || {
                let query = doc! { "_id": "ann", "address": "127.0.0.1" };
                database.with_online(async |online| online.count_documents(query).await.unwrap())
                    == 1
            });
        }
    });
}

#[test]
fn a_hello_counts_though_the_last_one_was_written_by_another_clock() {
    while_ann_says_hello(|database| {
        let hers = || doc! { "_id": "ann" };
        for hours in [-3, 3] {
            database.with_online(async |online| {
                let mut document = online.find_one(hers()).await.unwrap().unwrap();
                let seen = document.get_datetime("seen").unwrap().timestamp_millis();
                let seen = DateTime::from_millis(seen + hours * 3_600_000);
                document.insert("seen", seen);
                put(online, "ann", document).await;
            });
            wait_for("a Hello in the collection", SOON, || {
                database.with_online(async |online| {
                    let document = online.find_one(hers()).await.unwrap().unwrap();
                    let seen = document.get_datetime("seen").unwrap().timestamp_millis();
                    seen.abs_diff(DateTime::now().timestamp_millis()) < 10_000
                })
            });
        }
    });
}

#[test]
fn a_change_that_fits_into_no_event_does_not_stop_the_stream() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let [one, two] = [(); 2].map(|()| Member::start(&database.uri, LONG));
    let mut ann = one.client(HERE);
    ann.register_and_login("ann", "pw");
    two.shows("ann", Some(HERE));
    let asked = Repeated::searches("ann", HERE, &two);
    let huge = "x".repeat(HUGE);
    database.with_online(async |online| put(online, huge, good()).await);
    for registry in [&one, &two] {
        registry.counts("rebuilds_total", 1.0);
    }
    let mut bob = one.client(ELSEWHERE);
    bob.register_and_login("bob", "pw");
    two.shows("bob", Some(ELSEWHERE));
    drop(asked);
}
