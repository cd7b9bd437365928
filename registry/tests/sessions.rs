//! Sessions: Hello is bound to the address, Logout to the connection.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::support::client::{Beacon, Client, LOGIN, LOGOUT, REGISTER, SEARCH};
use crate::support::server::TestServer;
use crate::support::{SOON, wait_for};

const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const TIMEOUT: Duration = Duration::from_secs(1);

fn impatient() -> TestServer {
    TestServer::start_with(|options| options.presence_timeout = TIMEOUT)
}

#[test]
fn a_stranger_cannot_keep_a_dead_user_alive() {
    let server = impatient();
    let mut bob = Client::connect_from(HERE, server.tcp);
    bob.register_and_login("bob", "pw");
    let mut eve = Client::connect_from(ELSEWHERE, server.tcp);
    eve.register_and_login("eve", "pw");
    let beacon = Beacon::new(ELSEWHERE, server.udp);
    wait_for("end of bob's presence", SOON, || {
        beacon.hello("bob");
        beacon.hello("eve");
        eve.status(SEARCH, "eve", "bob") == 44
    });
    assert_eq!(eve.status(SEARCH, "eve", "eve"), 22, "her own Hello counts");
    wait_for("a list without bob", SOON, || {
        beacon.hello("eve");
        eve.online() == ["eve-127.0.0.3"]
    });
    assert_eq!(
        bob.status(LOGOUT, "bob", "LOGOUT"),
        45,
        "the user is not online any more"
    );
}

#[test]
fn a_stranger_cannot_log_a_user_out() {
    let server = TestServer::start();
    let mut bob = Client::connect_from(HERE, server.tcp);
    bob.register_and_login("bob", "pw");
    let mut eve = Client::connect_from(ELSEWHERE, server.tcp);
    assert_eq!(eve.status(LOGOUT, "bob", "LOGOUT"), 45);
    eve.register_and_login("eve", "pw");
    assert_eq!(eve.status(LOGOUT, "bob", "LOGOUT"), 45);
    assert_eq!(eve.status(SEARCH, "eve", "bob"), 22);
    assert_eq!(bob.status(LOGOUT, "bob", "LOGOUT"), 25);
    assert_eq!(eve.status(SEARCH, "eve", "bob"), 44);
}

#[test]
fn a_fresh_connection_from_the_users_address_may_log_out() {
    let server = TestServer::start();
    Client::connect_from(HERE, server.tcp).register_and_login("bob", "pw");
    let mut again = Client::connect_from(HERE, server.tcp);
    assert_eq!(again.status(LOGOUT, "bob", "LOGOUT"), 25);
}

#[test]
fn nothing_that_a_replaced_session_does_touches_the_new_one() {
    for (first, second) in [(HERE, ELSEWHERE), (HERE, HERE)] {
        let server = TestServer::start();
        let mut earlier = Client::connect_from(first, server.tcp);
        earlier.register_and_login("bob", "pw");
        let mut later = Client::connect_from(second, server.tcp);
        assert_eq!(later.status(LOGIN, "bob", "pw"), 21);
        assert_eq!(earlier.status(LOGOUT, "bob", "LOGOUT"), 45);
        drop(earlier);
        assert_eq!(later.online(), [format!("bob-{second}")]);
        assert_eq!(later.status(LOGOUT, "bob", "LOGOUT"), 25);
    }
}

#[test]
fn the_hello_of_a_replaced_address_does_not_count() {
    let server = impatient();
    Client::connect_from(HERE, server.tcp).register_and_login("bob", "pw");
    let mut later = Client::connect_from(ELSEWHERE, server.tcp);
    assert_eq!(later.status(LOGIN, "bob", "pw"), 21);
    let beacon = Beacon::new(HERE, server.udp);
    wait_for("end of bob's presence", SOON, || {
        beacon.hello("bob");
        later.status(SEARCH, "x", "bob") == 44
    });
}

#[test]
fn a_closed_connection_alone_does_not_log_out() {
    let server = impatient();
    let mut bob = Client::connect_from(HERE, server.tcp);
    bob.register_and_login("bob", "pw");
    drop(bob);
    let mut other = Client::connect_from(ELSEWHERE, server.tcp);
    let beacon = Beacon::new(HERE, server.udp);
    let began = Instant::now();
    wait_for("two timeouts", SOON, || {
        beacon.hello("bob");
        assert_eq!(other.status(SEARCH, "x", "bob"), 22);
        began.elapsed() > TIMEOUT * 2
    });
}

#[test]
fn two_names_may_log_in_on_one_connection() {
    let server = TestServer::start();
    let mut client = Client::connect_from(HERE, server.tcp);
    client.register_and_login("ann", "pw");
    client.register_and_login("bob", "pw");
    assert_eq!(client.online(), ["ann-127.0.0.2", "bob-127.0.0.2"]);
    assert_eq!(client.status(LOGOUT, "ann", "LOGOUT"), 25);
    assert_eq!(client.online(), ["bob-127.0.0.2"]);
}

#[test]
fn a_wrong_password_puts_nobody_online_and_ends_no_session() {
    let server = TestServer::start();
    let mut bob = Client::connect_from(HERE, server.tcp);
    assert_eq!(bob.status(REGISTER, "bob", "pw"), 20);
    assert_eq!(bob.status(LOGIN, "bob", "PW"), 41);
    assert_eq!(bob.status(LOGIN, "nobody", "pw"), 41);
    assert_eq!(bob.online(), Vec::<String>::new());
    assert_eq!(bob.status(LOGIN, "bob", "pw"), 21);
    let mut eve = Client::connect_from(ELSEWHERE, server.tcp);
    assert_eq!(eve.status(LOGIN, "bob", "guess"), 41);
    assert_eq!(bob.online(), ["bob-127.0.0.2"]);
}
