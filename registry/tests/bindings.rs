//! Bindings in stores that are older than they are.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use p2pchat_protocol::v2::Binding;
use p2pchat_registry::Store;
use p2pchat_registry::store::StoredBinding;
use p2pchat_testkit::require_mongodb;
use tokio::runtime::Runtime;

use crate::support::mongod::TestDatabase;
use crate::support::stores::Fresh;

/// The tables of the version before.
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
fn an_account_file_of_the_version_before_goes_on_working() {
    let fresh = Fresh::sqlite();
    let connection = rusqlite::Connection::open(fresh.name()).unwrap();
    connection.execute_batch(VERSION_1).unwrap();
    drop(connection);
    Runtime::new().unwrap().block_on(async {
        works(&*fresh.open().await).await;
    });
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
