//! A legacy database works as it is.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use p2pchat_registry::Options;
use p2pchat_testkit::require_mongodb;

use crate::support::client::{Client, LOGIN, REGISTER};
use crate::support::mongod::TestDatabase;
use crate::support::program::users;
use crate::support::server::TestServer;

fn insert(database: &TestDatabase, documents: Vec<Document>) {
    database.with(async |accounts| accounts.insert_many(documents).await.unwrap());
}

fn document(database: &TestDatabase, name: &str) -> Document {
    database.with(async |accounts| {
        accounts
            .find_one(doc! { "name": name })
            .await
            .unwrap()
            .unwrap()
    })
}

fn serve(database: &TestDatabase) -> TestServer {
    TestServer::start_on(Options::on_loopback(database.spec()))
}

#[test]
fn a_plain_text_password_is_replaced_by_its_hash_when_it_matches() {
    require_mongodb!();
    let database = TestDatabase::new();
    let old = doc! { "_id": "bob", "name": "bob", "password": "plain", "hostlist": ["10.0.0.7"] };
    insert(&database, vec![old.clone()]);
    let server = serve(&database);
    let mut client = Client::connect(server.tcp);
    assert_eq!(client.status(REGISTER, "bob", "other"), 40);
    assert_eq!(client.status(LOGIN, "bob", "plaiN"), 41);
    assert_eq!(document(&database, "bob"), old, "a failure changes nothing");
    assert_eq!(client.status(LOGIN, "bob", "plain"), 21);
    let new = document(&database, "bob");
    let hash = new.get_str("password").unwrap();
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    assert_eq!(new.get("hostlist"), old.get("hostlist"), "the rest stays");
    assert_eq!(client.status(LOGIN, "bob", "plain"), 21);
    assert_eq!(
        document(&database, "bob"),
        new,
        "a hash is not replaced again"
    );
    assert_eq!(client.status(LOGIN, "bob", hash.get(..15).unwrap()), 41);
}

#[test]
fn documents_of_any_shape_are_put_up_with() {
    require_mongodb!();
    let database = TestDatabase::new();
    insert(
        &database,
        vec![
            doc! { "_id": ObjectId::new(), "name": "ann", "password": "pw", "age": 7, "x": null },
            doc! { "_id": "bob", "password": "pw" },
            doc! { "_id": "cat", "name": "cat", "password": "pw\0\0\0" },
            doc! { "_id": "two words", "name": "two words"[..9].to_owned(), "password": "pw" },
            doc! { "_id": "number", "name": "number", "password": 7 },
            doc! { "_id": "nothing", "name": "nothing" },
            doc! { "_id": 5, "password": "pw" },
        ],
    );
    let server = serve(&database);
    let mut client = Client::connect(server.tcp);
    for name in ["ann", "bob", "cat", "two words"] {
        assert_eq!(client.status(LOGIN, name, "pw"), 21, "{name}");
        assert_eq!(client.status(LOGIN, name, "pw"), 21, "{name}, now hashed");
    }
    for name in ["number", "nothing"] {
        assert_eq!(client.status(LOGIN, name, "7"), 41, "{name}");
        assert_eq!(client.status(REGISTER, name, "pw"), 40, "{name} is taken");
    }
    assert_eq!(client.status(REGISTER, "ann", "pw"), 40, "whatever its _id");
    let listed = users(&database.uri, &["list"], "");
    assert_eq!(
        String::from_utf8(listed.stdout).unwrap(),
        "ann\nbob\ncat\nnothing\nnumber\ntwo words\n"
    );
}

#[test]
fn a_new_account_is_a_document_as_the_legacy_registry_makes_them() {
    require_mongodb!();
    let database = TestDatabase::new();
    let server = serve(&database);
    assert_eq!(
        Client::connect(server.tcp).status(REGISTER, "bob", "pw"),
        20
    );
    let mut made = document(&database, "bob");
    let hash = made.remove("password").unwrap();
    assert!(hash.as_str().unwrap().starts_with("$argon2id$"));
    assert_eq!(
        made,
        doc! { "_id": "bob", "name": "bob", "hostlist": ["127.0.0.1"] }
    );
}

#[test]
fn without_a_database_in_the_uri_it_is_the_legacy_one() {
    require_mongodb!();
    let database = TestDatabase::new();
    let bare = database.uri.replace(&format!("/{}", database.name()), "/");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let spec = bare.parse().unwrap();
    let p2pchat_registry::StoreSpec::Mongo(uri) = spec else {
        panic!("{spec:?}")
    };
    let store = runtime
        .block_on(p2pchat_registry::store::MongoStore::connect(&uri))
        .unwrap();
    assert_eq!(format!("{store:?}"), "MongoStore(P2PApp.authentication)");
}
