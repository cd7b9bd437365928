//! Many connections: how many there may be, from where, and which is evicted.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use p2pchat_registry::metrics::DropReason;

use crate::support::client::{Beacon, Client, LOGIN, LOGOUT, SEARCH, request};
use crate::support::program::{Program, command};
use crate::support::server::TestServer;
use crate::support::stores::Fresh;
use crate::support::{SOON, wait_for};

const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const FLOODER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

fn server(max: usize, per_address: usize) -> TestServer {
    TestServer::start_with(|options| {
        options.limits.max_connections = NonZeroUsize::new(max).unwrap();
        options.limits.connections_per_address = NonZeroUsize::new(per_address).unwrap();
    })
}

fn connect(number: usize, from: Ipv4Addr, to: SocketAddr) -> Vec<Client> {
    (0..number)
        .map(|_| Client::connect_from(from, to))
        .collect()
}

/// Connects so many times in vain: the registry closes each connection at once.
fn connect_in_vain(number: usize, from: Ipv4Addr, to: SocketAddr) {
    for _ in 0..number {
        // It may be closed before the system has told that it is open.
        if let Ok(client) = Client::try_connect_from(from, to) {
            wait_for("end of the connection", SOON, || client.is_closed());
        }
    }
}

/// Whether the registry takes one more from there.
fn takes_one_more(from: Ipv4Addr, to: SocketAddr) -> bool {
    let Ok(mut client) = Client::try_connect_from(from, to) else {
        return false;
    };
    client.send_or_fail(&request(SEARCH, "x", "bob"));
    client.try_head(SOON).is_some()
}

#[test]
fn too_many_connections_of_one_address_are_closed_at_once_and_disturb_no_one() {
    let server = server(100, 5);
    let mut held = connect(5, FLOODER, server.tcp);
    for client in &mut held {
        assert_eq!(client.status(SEARCH, "x", "bob"), 44);
    }
    connect_in_vain(50, FLOODER, server.tcp);
    assert_eq!(server.refused(DropReason::AddressFull), 50);
    for client in &mut held {
        assert_eq!(client.status(SEARCH, "x", "bob"), 44, "it was there before");
    }
    Client::connect_from(HERE, server.tcp).register_and_login("bob", "pw");
    held.pop();
    wait_for("a place for the same address", SOON, || {
        takes_one_more(FLOODER, server.tcp)
    });
}

#[test]
fn idle_connections_that_fill_the_registry_keep_nobody_out_and_push_nobody_out() {
    let server = server(20, 10);
    let mut bob = Client::connect_from(HERE, server.tcp);
    bob.register_and_login("bob", "pw");
    let others = [10, 11].map(|n| Ipv4Addr::new(127, 0, 0, n));
    let mut idle: Vec<_> = others
        .into_iter()
        .flat_map(|from| connect(10, from, server.tcp))
        .collect();
    // One who has no account yet takes longer: they are there before all the others.
    let mut ann = Client::connect_from(Ipv4Addr::new(127, 0, 0, 3), server.tcp);
    assert_eq!(ann.status(SEARCH, "ann", "bob"), 22);
    idle.extend(
        (20..120).map(|n| Client::connect_from(Ipv4Addr::new(127, 0, 1, n / 6), server.tcp)),
    );
    ann.register_and_login("ann", "pw");
    assert_eq!(bob.status(SEARCH, "bob", "ann"), 22);
    wait_for("connections that made room", SOON, || {
        let open = idle.iter().filter(|client| !client.is_closed()).count();
        open == 18
    });
    assert_eq!(server.refused(DropReason::MadeRoom), 102);
    assert_eq!(server.refused(DropReason::RegistryFull), 0);
}

#[test]
fn when_everybody_is_logged_in_a_newcomer_is_closed_at_once() {
    let server = server(2, 10);
    let mut users = connect(2, HERE, server.tcp);
    users[0].register_and_login("ann", "pw");
    users[1].register_and_login("bob", "pw");
    connect_in_vain(10, FLOODER, server.tcp);
    assert_eq!(server.refused(DropReason::RegistryFull), 10);
    for user in &mut users {
        assert_eq!(user.status(SEARCH, "x", "ann"), 22);
    }
    users.pop();
    wait_for("a place", SOON, || takes_one_more(FLOODER, server.tcp));
}

#[test]
fn one_account_does_not_hold_all_places() {
    let server = server(6, 10);
    let mut eve = connect(6, FLOODER, server.tcp);
    eve[0].register_and_login("eve", "pw");
    for client in &mut eve {
        assert_eq!(client.status(LOGIN, "eve", "pw"), 21);
    }
    for name in ["ann", "bob"] {
        Client::connect_from(HERE, server.tcp).register_and_login(name, "pw");
    }
    let closed = eve.iter().filter(|client| client.is_closed()).count();
    assert!(closed >= 1, "one made room");
    assert!(!eve[5].is_closed(), "the latest session is hers");
}

#[test]
fn a_user_whose_hellos_stopped_is_evicted_and_one_who_is_still_there_is_not() {
    let server = TestServer::start_with(|options| {
        options.limits.max_connections = NonZeroUsize::new(2).unwrap();
        options.presence_timeout = Duration::from_secs(1);
    });
    let mut users = connect(2, HERE, server.tcp);
    users[0].register_and_login("ann", "pw");
    users[1].register_and_login("bob", "pw");
    let beacon = Beacon::new(HERE, server.udp);
    wait_for("a place", SOON, || {
        beacon.hello("bob");
        takes_one_more(FLOODER, server.tcp)
    });
    wait_for("end of her connection", SOON, || users[0].is_closed());
    assert_eq!(
        users[1].status(LOGIN, "bob", "pw"),
        21,
        "this one is still there"
    );
}

#[test]
fn a_user_logged_out_from_another_connection_is_evicted() {
    let server = server(2, 10);
    let mut users = connect(2, HERE, server.tcp);
    users[0].register_and_login("ann", "pw");
    assert_eq!(users[1].status(LOGOUT, "ann", "LOGOUT"), 25);
    assert!(takes_one_more(FLOODER, server.tcp));
    wait_for("end of the older one", SOON, || users[0].is_closed());
    assert!(!users[1].is_closed());
}

#[test]
fn refusals_are_summed_up_in_the_log_and_do_not_fill_it() {
    let fresh = Fresh::sqlite();
    let program = Program::start_with(command().args([
        "--store",
        &fresh.name(),
        "--connections-per-address",
        "3",
    ]));
    let mut held = connect(3, FLOODER, program.tcp);
    for client in &mut held {
        assert_eq!(client.status(SEARCH, "x", "bob"), 44);
    }
    connect_in_vain(200, FLOODER, program.tcp);
    drop(held);
    let (_, _, log) = program.stop("TERM");
    assert!(
        log.contains("refused since the start: address_full=200\n"),
        "{log}"
    );
    assert!(log.lines().count() < 10, "{log}");
}
