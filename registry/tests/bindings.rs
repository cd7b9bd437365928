//! Bindings in stores that are older than they are.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use p2pchat_protocol::v2::{Binding, PersonKey, PublicKey};
use p2pchat_registry::Store;
use p2pchat_registry::store::StoredBinding;
use p2pchat_testkit::require_mongodb;
use tokio::runtime::Runtime;

use crate::support::mongod::TestDatabase;
use crate::support::stores::Fresh;

/// The tables of the first version.
const VERSION_1: &str = "
    CREATE TABLE account (
        name TEXT PRIMARY KEY NOT NULL,
        password TEXT NOT NULL,
        address TEXT,
        created INTEGER NOT NULL DEFAULT (unixepoch())
    ) STRICT, WITHOUT ROWID;
    INSERT INTO account (name, password) VALUES ('bob', 'plain');
    PRAGMA application_id = 0x70327063;
    PRAGMA user_version = 1;
";

/// What the second version added.
const VERSION_2: &str = "
    CREATE TABLE binding (
        name TEXT PRIMARY KEY NOT NULL,
        serial INTEGER NOT NULL,
        person BLOB,
        display_name TEXT NOT NULL,
        devices BLOB NOT NULL,
        forgotten BLOB NOT NULL,
        allows_version_1 INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE registry (
        key TEXT PRIMARY KEY NOT NULL,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO binding VALUES ('eve', 7, unhex('0707070707070707070707070707070707070707070707070707070707070707'), 'Eve', x'', x'', 0);
    PRAGMA user_version = 2;
";

async fn works(store: &dyn Store) {
    let name = "bob".parse().unwrap();
    let password = store.find(name).await.unwrap().unwrap();
    assert_eq!(password.expose(), "plain");
    let new = StoredBinding {
        binding: Binding {
            name,
            serial: 1,
            person: None,
            display_name: "Bob B.".parse().unwrap(),
            devices: Vec::new(),
        },
        forgotten: Vec::new(),
        allows_version_1: false,
    };
    assert_eq!(store.binding(name).await.unwrap(), None);
    assert!(store.bind(new.clone()).await.unwrap());
    assert_eq!(store.binding(name).await.unwrap(), Some(new));
    let key = "A".repeat(26).parse().unwrap();
    assert_eq!(store.claim_key(key).await.unwrap(), key);
    store.close().await;
}

#[test]
fn an_account_file_of_the_first_version_goes_on_working() {
    let fresh = Fresh::sqlite();
    let connection = rusqlite::Connection::open(fresh.name()).unwrap();
    connection.execute_batch(VERSION_1).unwrap();
    drop(connection);
    Runtime::new().unwrap().block_on(async {
        works(&*fresh.open().await).await;
    });
}

/// How SQLite looks for a person.
fn plan(file: &str) -> String {
    let connection = rusqlite::Connection::open(file).unwrap();
    let sql = "EXPLAIN QUERY PLAN SELECT serial, name FROM binding
               WHERE person = x'07' ORDER BY name LIMIT 1";
    let step = |row: &rusqlite::Row<'_>| row.get::<_, String>(3);
    let mut statement = connection.prepare(sql).unwrap();
    let steps = statement.query_map([], step).unwrap();
    steps.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
}

#[test]
fn persons_are_found_by_an_index_in_files_of_every_version() {
    for tables in [
        None,
        Some(vec![VERSION_1]),
        Some(vec![VERSION_1, VERSION_2]),
    ] {
        let fresh = Fresh::sqlite();
        if let Some(tables) = &tables {
            let connection = rusqlite::Connection::open(fresh.name()).unwrap();
            connection.execute_batch(&tables.concat()).unwrap();
        }
        Runtime::new().unwrap().block_on(async {
            let store = fresh.open().await;
            let person = PersonKey(PublicKey([7; PublicKey::LEN]));
            let found = store.binding_of(person).await.unwrap();
            let is_bound = tables.as_ref().is_some_and(|tables| tables.len() == 2);
            let expected = is_bound.then(|| ("eve".to_owned(), 7));
            let found = found.map(|found| (found.binding.name.to_string(), found.binding.serial));
            assert_eq!(found, expected);
            store.close().await;
        });
        let plan = plan(&fresh.name());
        assert!(
            plan.contains("INDEX binding_of_person (person=?)") && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }
}

#[test]
fn persons_are_found_by_an_index_in_mongodb() {
    require_mongodb!();
    let fresh = Fresh::mongo();
    Runtime::new().unwrap().block_on(async {
        fresh.open().await.close().await;
    });
    let Fresh::Mongo(database) = fresh else {
        unreachable!()
    };
    let explained = database.with(async |accounts| {
        let database = accounts.client().database(&accounts.namespace().db);
        let person = mongodb::bson::Binary {
            subtype: mongodb::bson::spec::BinarySubtype::Generic,
            bytes: vec![7; PublicKey::LEN],
        };
        let find =
            doc! { "find": "bindings", "filter": { "person": person }, "sort": { "_id": 1 } };
        let explain = doc! { "explain": find, "verbosity": "queryPlanner" };
        database.run_command(explain).await.unwrap().to_string()
    });
    assert!(
        explained.contains("IXSCAN") && !explained.contains("\"SORT\""),
        "{explained}"
    );
}

#[test]
fn a_legacy_database_goes_on_working_and_its_documents_are_not_touched() {
    require_mongodb!();
    let database = TestDatabase::new();
    let legacy = doc! {
        "_id": ObjectId::new(), "name": "bob", "password": "plain", "hostlist": ["10.0.0.7"],
    };
    database.with(async |accounts| accounts.insert_one(&legacy).await.unwrap());
    let fresh = Fresh::Mongo(database);
    Runtime::new().unwrap().block_on(async {
        works(&*fresh.open().await).await;
    });
    let Fresh::Mongo(database) = fresh else {
        unreachable!()
    };
    let there: Document = database.with(async |accounts| {
        let found = accounts.find_one(doc! {}).await.unwrap();
        assert_eq!(accounts.count_documents(doc! {}).await.unwrap(), 1);
        found.unwrap()
    });
    assert_eq!(there, legacy);
}
