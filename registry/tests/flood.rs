//! Many logins at a time: they wait, are refused, are slowed down, and disturb nobody.

use std::net::Ipv4Addr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::{Duration, Instant};

use crate::support::client::{ALL_ONLINE, Client, LOGIN, REGISTER, SEARCH, request, response};
use crate::support::server::TestServer;
use crate::support::{SOON, wait_for};

/// One hashing thread works on this for one to two seconds.
const QUEUE: usize = 64;

/// One hashing thread, a bounded queue, and nobody slowed down for guessing.
fn narrow(queue: usize) -> TestServer {
    TestServer::start_with(|options| {
        options.limits.hash_workers = NonZeroUsize::MIN;
        options.limits.hash_queue = NonZeroUsize::new(queue).unwrap();
        options.limits.failed_logins = NonZeroU32::MAX;
        options.limits.failed_login_interval = Duration::from_nanos(1);
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
        match answer == response(0, 50, "erorserver") {
            true => failed.push(n),
            false => assert_eq!(answer[..2], [0, 20]),
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

#[test]
fn who_guesses_is_slowed_down_and_nobody_else() {
    let server = TestServer::start_with(|options| {
        options.limits.failed_logins = NonZeroU32::new(3).unwrap();
        options.limits.failed_login_interval = Duration::from_secs(2);
    });
    let home = Ipv4Addr::new(127, 0, 0, 2);
    let mut bob = Client::connect_from(home, server.tcp);
    bob.register_and_login("bob", "pw");
    let mut eve = Client::connect_from(Ipv4Addr::new(127, 0, 0, 9), server.tcp);
    for _ in 0..3 {
        assert_eq!(eve.status(LOGIN, "bob", "guess"), 41);
    }
    assert_eq!(
        eve.ask(LOGIN, "bob", "pw"),
        response(1, 49, "slowdown"),
        "not even if right"
    );
    let mut elsewhere = Client::connect_from(home, server.tcp);
    assert_eq!(
        elsewhere.status(LOGIN, "bob", "pw"),
        21,
        "the user himself gets in"
    );
    assert_eq!(
        eve.status(SEARCH, "eve", "bob"),
        22,
        "the rest works for eve too"
    );
    wait_for("another try for eve", SOON, || {
        eve.status(LOGIN, "bob", "guess") == 41
    });
}

#[test]
fn an_unknown_user_and_a_wrong_password_take_the_same_time() {
    let server = narrow(QUEUE);
    let mut client = Client::connect(server.tcp);
    assert_eq!(client.status(REGISTER, "bob", "pw"), 20);
    let mut time = |name: &str| {
        let began = Instant::now();
        assert_eq!(client.status(LOGIN, name, "guess"), 41);
        began.elapsed().as_secs_f64()
    };
    // The shortest of many, one of each in turn: the machine may be busy with others.
    let (unknown, wrong) = (0..20)
        .map(|_| (time("nobody"), time("bob")))
        .reduce(|a, b| (a.0.min(b.0), a.1.min(b.1)))
        .unwrap();
    // Without the hash of a user who is not there, this would be 1 to 20 or more.
    assert!(
        (0.3..3.3).contains(&(unknown / wrong)),
        "{unknown} s and {wrong} s"
    );
}
