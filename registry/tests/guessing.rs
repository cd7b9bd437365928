//! Who guesses passwords is slowed down, and locks nobody out.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use p2pchat_registry::options::Guessing;

use crate::support::client::{Client, LOGIN, REGISTER, SEARCH, request, response};
use crate::support::server::{TestServer, guessing_at_will};
use crate::support::{SOON, wait_for};

const HOME: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
/// No token comes back while a test runs.
const NEVER: Duration = Duration::from_secs(24 * 3600);
const BY_ADDRESS: u64 = 4;
const BY_NAME: u64 = 6;
const SPARE: u64 = 1;
/// As many hashes as are under way when the last token is taken.
const WORKERS: u64 = 2;

/// Few failures, and none that is forgotten while the test runs.
fn strict() -> TestServer {
    let number = |n: u64| NonZeroU32::new(u32::try_from(n).unwrap()).unwrap();
    TestServer::start_with(|options| {
        options.limits.slow_answer = Duration::from_millis(1);
        options.limits.guessing = Guessing {
            failed_logins: number(BY_ADDRESS),
            failed_login_interval: NEVER,
            failed_logins_by_name: number(BY_NAME),
            failed_login_by_name_interval: NEVER,
            failed_logins_spare: number(SPARE),
            failed_login_spare_interval: NEVER,
        };
    })
}

#[test]
fn only_the_guesser_is_slowed_down() {
    let server = TestServer::start_with(|options| {
        options.limits.slow_answer = Duration::from_millis(500);
        options.limits.guessing.failed_logins = NonZeroU32::new(3).unwrap();
        options.limits.guessing.failed_login_interval = Duration::from_secs(2);
    });
    let home = Ipv4Addr::new(127, 0, 0, 2);
    let mut bob = Client::connect_from(home, server.tcp);
    bob.register_and_login("bob", "pw");
    let mut eve = Client::connect_from(Ipv4Addr::new(127, 0, 0, 9), server.tcp);
    for _ in 0..3 {
        assert_eq!(eve.status(LOGIN, "bob", "guess"), 41);
    }
    let began = Instant::now();
    assert_eq!(
        eve.ask(LOGIN, "bob", "pw"),
        response(1, 49, "slowdown"),
        "not even if right"
    );
    assert!(began.elapsed() >= Duration::from_millis(500), "nor at once");
    let mut elsewhere = Client::connect_from(home, server.tcp);
    assert_eq!(elsewhere.status(LOGIN, "bob", "pw"), 21, "the user gets in");
    assert_eq!(
        eve.status(SEARCH, "eve", "bob"),
        22,
        "the rest works for eve too"
    );
    wait_for("another try for eve", SOON, || {
        eve.status(LOGIN, "bob", "guess") == 41
    });
}

/// Guesses from each address, on one connection after the other, as fast as answers come,
/// and returns how many guesses were looked at.
fn guess(registry: SocketAddr, from: impl Iterator<Item = Ipv4Addr>) -> u64 {
    let mut looked_at = 0;
    for address in from {
        let mut eve = Client::connect_from(address, registry);
        for _ in 0..20 {
            match eve.status(LOGIN, "bob", "guess") {
                41 => looked_at += 1,
                49 => {}
                other => panic!("answered {other}"),
            }
        }
    }
    looked_at
}

/// Guesses in some threads while the user logs in again and again, at home and at an
/// address where they never were. Returns how many guesses were looked at.
fn guess_beside_the_user(threads: &[Vec<Ipv4Addr>]) -> u64 {
    let server = strict();
    let registry = server.tcp;
    Client::connect_from(HOME, registry).register_and_login("bob", "pw");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let user = scope.spawn(|| {
            let mut logins = 0;
            while !is_over.load(Ordering::Relaxed) || logins == 0 {
                let fresh = Ipv4Addr::new(127, 0, 4, logins % 250 + 1);
                for address in [HOME, fresh] {
                    let mut bob = Client::connect_from(address, registry);
                    assert_eq!(bob.status(LOGIN, "bob", "pw"), 21, "at {address}");
                }
                logins += 1;
            }
        });
        let start = |addresses: &Vec<Ipv4Addr>| {
            let addresses = addresses.clone();
            scope.spawn(move || guess(registry, addresses.into_iter()))
        };
        let guessers: Vec<_> = threads.iter().map(start).collect();
        let looked_at = guessers.into_iter().map(|guesser| guesser.join().unwrap());
        let looked_at = looked_at.sum();
        is_over.store(true, Ordering::Relaxed);
        user.join().unwrap();
        looked_at
    })
}

#[test]
fn a_stranger_at_one_address_locks_nobody_out_and_gets_few_guesses() {
    // Two connections of one address at a time.
    let looked_at = guess_beside_the_user(&[vec![STRANGER], vec![STRANGER]]);
    assert!(
        (BY_ADDRESS..BY_ADDRESS + WORKERS).contains(&looked_at),
        "{looked_at}"
    );
}

#[test]
fn many_guesses_at_once_get_no_further_than_one_after_the_other() {
    let server = strict();
    Client::connect_from(HOME, server.tcp).register_and_login("bob", "pw");
    let mut at_once: Vec<_> = (0..40)
        .map(|_| Client::connect_from(STRANGER, server.tcp))
        .collect();
    for eve in &mut at_once {
        eve.send(&request(LOGIN, "bob", "guess"));
    }
    let answers: Vec<_> = at_once.iter_mut().map(|eve| eve.head()[1]).collect();
    let looked_at = answers.iter().filter(|&&status| status == 41).count() as u64;
    assert!(
        (BY_ADDRESS..BY_ADDRESS + WORKERS).contains(&looked_at),
        "{answers:?}"
    );
}

#[test]
fn a_stranger_at_200_addresses_locks_nobody_out_and_gets_few_guesses() {
    let addresses: Vec<_> = (1..=200).map(|n| Ipv4Addr::new(127, 0, 3, n)).collect();
    let threads: Vec<_> = addresses.chunks(50).map(<[Ipv4Addr]>::to_vec).collect();
    let looked_at = guess_beside_the_user(&threads);
    let bound = BY_NAME + 200 * SPARE + WORKERS;
    assert!((200..bound).contains(&looked_at), "{looked_at} of {bound}");
}

#[test]
fn a_stranger_who_shares_an_address_locks_out_nobody_who_was_there_before() {
    let server = strict();
    let mut bob = Client::connect_from(HOME, server.tcp);
    bob.register_and_login("bob", "pw");
    assert_eq!(bob.status(REGISTER, "ann", "pw"), 20);
    let mut eve = Client::connect_from(HOME, server.tcp);
    wait_for("an address that is slowed down", SOON, || {
        eve.status(LOGIN, "ann", "guess") == 49
    });
    assert_eq!(bob.status(LOGIN, "ann", "pw"), 49, "she never was there");
    assert_eq!(bob.status(LOGIN, "bob", "pw"), 21);
}

#[test]
fn a_name_without_an_account_is_slowed_down_like_one_with_an_account() {
    let server = strict();
    let mut client = Client::connect_from(HOME, server.tcp);
    assert_eq!(client.status(REGISTER, "bob", "pw"), 20);
    let answers = |name: &str, net: u8| -> Vec<u8> {
        let from = |n| Client::connect_from(Ipv4Addr::new(127, 0, net, n), server.tcp);
        (1..=4)
            .flat_map(|n| {
                let mut eve = from(n);
                [(); 5].map(|()| eve.status(LOGIN, name, "guess"))
            })
            .collect()
    };
    let known = answers("bob", 5);
    assert_eq!(known, answers("nobody", 6));
    assert!(known.contains(&41) && known.contains(&49));
}

#[test]
fn an_unknown_user_and_a_wrong_password_take_the_same_time() {
    let server = TestServer::start_with(|options| options.limits.guessing = guessing_at_will());
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
