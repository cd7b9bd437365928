//! MongoDB goes away and comes back.

use std::time::{Duration, Instant};

use p2pchat_registry::Options;
use p2pchat_testkit::require_mongodb;

use crate::support::client::{Client, LOGIN, LOGOUT, REGISTER, SEARCH};
use crate::support::mongod::{TestDatabase, first_host};
use crate::support::proxy::{Cable, Proxy};
use crate::support::server::TestServer;
use crate::support::{SOON, wait_for};

/// A request that needs MongoDB is answered 50 within this time.
const BOUND: Duration = Duration::from_secs(9);

fn survives(outage: Cable) {
    require_mongodb!();
    let database = TestDatabase::new();
    let proxy = Proxy::start();
    let (host, uri) = first_host(&database.uri, proxy.address);
    proxy.lead_to(host);
    let server = TestServer::start_on(Options::on_loopback(uri.parse().unwrap()));
    let mut alice = Client::connect(server.tcp);
    alice.register_and_login("alice", "pw");

    proxy.set(outage);
    let mut bob = Client::connect(server.tcp);
    let began = Instant::now();
    assert_eq!(bob.status(REGISTER, "bob", "pw"), 50);
    assert_eq!(bob.status(LOGIN, "alice", "pw"), 50);
    assert!(began.elapsed() < BOUND * 2, "{:?}", began.elapsed());

    let began = Instant::now();
    assert_eq!(bob.status(SEARCH, "bob", "alice"), 22);
    assert_eq!(bob.online(), ["alice-127.0.0.1"]);
    assert_eq!(alice.status(LOGOUT, "alice", "LOGOUT"), 25);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );

    proxy.set(Cable::Whole);
    wait_for("MongoDB in use again", SOON * 2, || {
        bob.status(LOGIN, "alice", "pw") == 21
    });
    assert!(matches!(bob.status(REGISTER, "bob", "pw"), 20 | 40));
}

#[test]
fn the_rest_works_while_mongodb_refuses_connections() {
    survives(Cable::Cut);
}

#[test]
fn the_rest_works_while_mongodb_does_not_answer() {
    survives(Cable::Silent);
}
