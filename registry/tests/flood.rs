//! Many logins at a time: they wait, are refused, are slowed down, and disturb nobody.

use std::net::Ipv4Addr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use p2pchat_registry::metrics::DropReason;

use crate::support::client::{ALL_ONLINE, Client, LOGIN, REGISTER, SEARCH, request, response};
use crate::support::server::{TestServer, guessing_at_will};
use crate::support::{SOON, wait_for};

/// One hashing thread works on this for one to two seconds.
const QUEUE: usize = 64;

/// One hashing thread, a bounded queue, and nobody slowed down for guessing.
fn narrow(queue: usize) -> TestServer {
    TestServer::start_with(|options| {
        options.limits.hash_workers = NonZeroUsize::MIN;
        options.limits.hash_queue = NonZeroUsize::new(queue).unwrap();
        options.limits.guessing = guessing_at_will();
    })
}

/// More logins at a time than may wait.
fn flood(server: &TestServer) -> Vec<Client> {
    let mut clients: Vec<Client> = (0..QUEUE + 40)
        .map(|_| Client::connect(server.tcp))
        .collect();
    for client in &mut clients {
        client.send(&request(LOGIN, "alice", "guess"));
    }
    clients
}

#[test]
fn a_flood_of_logins_delays_neither_search_nor_the_list() {
    let server = narrow(QUEUE);
    let mut alice = Client::connect(server.tcp);
    alice.register_and_login("alice", "secret");
    let mut clients = flood(&server);
    // If they waited for the hashes, the first round would outlast the flood.
    let mut rounds = 0;
    while clients.iter().any(Client::is_waiting) {
        assert_eq!(alice.status(SEARCH, "alice", "alice"), 22);
        assert_eq!(alice.ask(ALL_ONLINE, "alice", "All")[..2], [4, 24]);
        assert_eq!(alice.recv(), b"alice-127.0.0.1 \t\n ");
        rounds += 1;
    }
    assert!(rounds >= 5, "{rounds} rounds while the logins waited");

    let answers: Vec<Vec<u8>> = clients.iter_mut().map(Client::head).collect();
    let refused = answers
        .iter()
        .filter(|answer| **answer == response(1, 49, "slowdown"))
        .count();
    let wrong = answers
        .iter()
        .filter(|answer| answer[..2] == [1, 41])
        .count();
    assert!(refused > 0, "more came than may wait");
    assert!(wrong >= QUEUE, "{wrong} were looked at");
    assert_eq!(refused + wrong, answers.len());
}

#[test]
fn a_register_that_finds_the_queue_full_is_told_that_the_server_failed() {
    // So short that it stays full while anybody is being hashed.
    let server = narrow(1);
    let mut late: Vec<Client> = (0..40).map(|_| Client::connect(server.tcp)).collect();
    let logins = flood(&server);
    for (n, client) in late.iter_mut().enumerate() {
        client.send(&request(REGISTER, format!("late{n}"), "pw"));
    }
    let mut failed = Vec::new();
    for (n, client) in late.iter_mut().enumerate() {
        let answer = client.head();
        if answer == response(0, 50, "erorserver") {
            failed.push(n);
        } else {
            assert_eq!(answer[..2], [0, 20]);
        }
    }
    drop(logins);
    let mut client = Client::connect(server.tcp);
    let first = failed.first().expect("no queue of one takes 144");
    let name = format!("late{first}");
    wait_for("room in the queue", SOON, || {
        client.status(REGISTER, &name, "pw") == 20
    });
}

const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const FLOODER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

#[test]
fn a_flood_from_one_address_keeps_nobody_else_from_logging_in() {
    let server = narrow(8);
    let mut bob = Client::connect_from(HERE, server.tcp);
    bob.register_and_login("bob", "pw");
    let mut flood: Vec<Client> = (0..30)
        .map(|_| Client::connect_from(FLOODER, server.tcp))
        .collect();
    // The next one waits in the registry when the one before it is answered.
    let guesses = request(LOGIN, "bob", "guess").repeat(30);
    for client in &mut flood {
        client.send(&guesses);
    }
    for n in 0..5 {
        assert_eq!(bob.status(LOGIN, "bob", "pw"), 21);
        // Who never was there waits in the same queue as the flood.
        let fresh = Ipv4Addr::new(127, 0, 1, n);
        Client::connect_from(fresh, server.tcp).register_and_login(&format!("fresh{n}"), "pw");
    }
    let refused = server.refused(DropReason::LoginQueue);
    assert!(refused > 0, "the flood was more than the queue holds");
    wait_for("more of the flood", SOON, || {
        server.refused(DropReason::LoginQueue) > refused || flood.iter().all(Client::is_closed)
    });
    assert!(!flood.iter().any(Client::is_closed));
}

#[test]
fn an_address_that_makes_many_accounts_is_told_that_the_server_failed() {
    let server = TestServer::start_with(|options| {
        options.limits.registrations = NonZeroU32::new(3).unwrap();
        options.limits.registration_interval = Duration::from_secs(3600);
    });
    // All at a time get no more than one after the other.
    let mut flood: Vec<Client> = (0..20)
        .map(|_| Client::connect_from(FLOODER, server.tcp))
        .collect();
    for (n, client) in flood.iter_mut().enumerate() {
        client.send(&request(REGISTER, format!("many{n}"), "pw"));
    }
    let (made, refused): (Vec<_>, Vec<_>) = flood
        .iter_mut()
        .map(Client::head)
        .partition(|answer| *answer == response(0, 20, "registered"));
    assert_eq!((made.len(), refused.len()), (3, 17));
    assert!(
        refused
            .iter()
            .all(|answer| *answer == response(0, 50, "erorserver"))
    );
    assert_eq!(server.refused(DropReason::RegisterSlowed), 17);

    let mut bob = Client::connect_from(HERE, server.tcp);
    bob.register_and_login("bob", "pw");
    let mut shared = Client::connect_from(FLOODER, server.tcp);
    assert_eq!(
        shared.status(LOGIN, "bob", "pw"),
        21,
        "logging in is not registering"
    );
    assert_eq!(
        shared.ask(REGISTER, "bob", "pw"),
        response(0, 50, "erorserver"),
        "nor does asking which names exist"
    );
}

#[test]
fn asking_which_names_exist_has_no_more_tries_than_taking_them() {
    let server = TestServer::start_with(|options| {
        options.limits.registrations = NonZeroU32::new(3).unwrap();
        options.limits.registration_interval = Duration::from_secs(3600);
    });
    let mut bob = Client::connect_from(HERE, server.tcp);
    assert_eq!(bob.status(REGISTER, "bob", "pw"), 20);
    let mut curious = Client::connect_from(FLOODER, server.tcp);
    let answers = [(); 5].map(|()| curious.status(REGISTER, "bob", "guess"));
    assert_eq!(answers, [40, 40, 40, 50, 50]);
    assert_eq!(server.refused(DropReason::RegisterSlowed), 2);
}
