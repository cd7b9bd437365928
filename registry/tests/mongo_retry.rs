//! A write whose answer gets lost on the way, and that the driver repeats by itself.

use std::sync::Arc;

use mongodb::bson::doc;
use p2pchat_protocol::Username;
use p2pchat_registry::store::{self, NewAccount, Opener, StoredPassword};
use p2pchat_registry::{Store, StoreSpec};
use p2pchat_testkit::require_mongod;

use crate::support::mongod::{TestDatabase, replica_set};

/// MongoDB's code for what took too long: the driver repeats, and asks the same server.
const EXCEEDED_TIME_LIMIT: i32 = 262;

fn bob() -> NewAccount {
    NewAccount {
        name: Username::new("bob").unwrap(),
        password: StoredPassword::new("hash of bob".to_owned()),
        address: None,
    }
}

/// The primary makes the next write of this collection, and then answers that it failed
/// in a way after which a driver repeats it.
async fn lose_the_answer_to_a_write(collection: &str) {
    let set = replica_set();
    let primary = set.primary().await.unwrap();
    let failure = doc! {
        "configureFailPoint": "failCommand",
        "mode": { "times": 1 },
        "data": {
            "failCommands": ["update"],
            "namespace": collection,
            "errorLabels": ["RetryableWriteError"],
            "writeConcernError": { "code": EXCEEDED_TIME_LIMIT, "errmsg": "made up" },
        },
    };
    set.ask(primary, failure).await.unwrap();
}

async fn open(spec: &StoreSpec) -> Arc<dyn Store> {
    store::open(spec, Opener::Registry).await.unwrap()
}

#[tokio::test]
async fn a_registration_that_is_repeated_is_one_account_and_not_a_name_that_is_taken() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let store = open(&database.spec()).await;
    lose_the_answer_to_a_write(&format!("{}.authentication", database.name())).await;
    assert!(store.register(bob()).await.unwrap(), "it was their own");
    assert!(!store.register(bob()).await.unwrap(), "and now it is taken");
    assert_eq!(store.names(None, 10).await.unwrap(), ["bob"]);
}
