//! A registry that is one of several: what it needs, and what it puts into the database.
//! What several do together is tried by `p2pchat-soak cluster`.

use std::time::Duration;

use futures::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use p2pchat_testkit::{Mongod, require_mongod};

use crate::support::client::{Client, LOGIN, LOGOUT, REGISTER, SEARCH};
use crate::support::mongod::TestDatabase;
use crate::support::program::{Program, command, refusal};
use crate::support::stores::Fresh;

#[test]
fn it_does_not_start_on_a_file() {
    let file = Fresh::sqlite();
    let error = refusal(command().args(["--cluster", "--store", &file.name()]));
    assert!(error.contains("is a file"), "{error}");
    assert!(error.contains("mongodb://"), "{error}");
}

#[test]
fn it_does_not_start_on_a_single_mongod_which_tells_nobody_of_changes() {
    require_mongod!();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mongod = runtime.block_on(Mongod::start(&[])).unwrap();
    let error = refusal(command().args(["--cluster", "--store", &mongod.uri()]));
    assert!(error.contains("single mongod"), "{error}");
    assert!(error.contains("--replSet"), "{error}");
}

#[test]
fn a_login_and_a_logout_are_in_the_database_which_clears_them_away() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let program = Program::start_with(command().args(["--cluster", "--store", &database.uri]));
    let mut client = Client::connect(program.tcp);
    assert_eq!(client.status(REGISTER, "ann", "pw"), 20);
    assert_eq!(client.status(LOGIN, "ann", "pw"), 21);
    assert_eq!(client.status(SEARCH, "ann", "ann"), 22);
    let read = || {
        database.with(async |accounts| {
            let name = accounts.namespace().db;
            let online = accounts
                .client()
                .database(&name)
                .collection::<Document>("online");
            let indexes: Vec<_> = online
                .list_indexes()
                .await
                .unwrap()
                .try_collect()
                .await
                .unwrap();
            let ttl = indexes
                .iter()
                .find_map(|index| index.options.clone()?.expire_after);
            assert!(
                ttl.is_some_and(|ttl| ttl > Duration::from_secs(60)),
                "{indexes:?}"
            );
            online
                .find_one(doc! { "_id": "ann" })
                .await
                .unwrap()
                .unwrap()
        })
    };
    let ann = read();
    assert_eq!(ann.get_str("address").unwrap(), "127.0.0.1");
    let turn = ann.get_i64("turn").unwrap();
    client.status(LOGOUT, "ann", "");
    // What is left to tell is told before it ends.
    program.stop("TERM");
    let ann = read();
    assert!(ann.get("address") == Some(&Bson::Null), "{ann}");
    assert_eq!(ann.get_i64("turn").unwrap(), turn + 1);
}
