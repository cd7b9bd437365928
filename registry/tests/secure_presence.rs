//! Presence by version 2: what is pushed to which users, and how both versions see each other.

use std::net::Ipv4Addr;
use std::time::Duration;

use p2pchat_protocol::v2::{FromRegistry, Goodbye, Seat, Status, ToRegistry};

use crate::support::client::{Client, LOGOUT};
use crate::support::program::{Program, users};
use crate::support::secure::{Device, Person, Session};
use crate::support::server::TestServer;
use crate::support::stores::Fresh;
use crate::support::{SOON, wait_for};

const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

fn version_1(name: &str) -> Seat {
    Seat {
        name: name.parse().unwrap(),
        device: None,
    }
}

#[test]
fn a_subscriber_sees_who_is_online_and_all_who_come_change_and_go() {
    let server = TestServer::start();
    let (ann, bob) = (Device::new(), Device::new());
    let mut watching = Session::connect(server.tcp, &ann);
    watching.enter(&ann, "ann", "pw");
    let snapshot = watching.subscribe();
    let seats: Vec<Seat> = snapshot.iter().map(|(seat, _)| *seat).collect();
    assert_eq!(seats, [ann.seat("ann")]);

    let mut session = Session::connect_from(ELSEWHERE, server.tcp, &bob);
    session.enter(&bob, "bob", "pw");
    let state = watching.pushed_of(bob.seat("bob")).unwrap();
    assert_eq!(state.endpoint.address, "127.0.0.3".parse().unwrap());
    assert_eq!((state.endpoint.port, state.serial), (5858, 1));
    assert_eq!(state.status, Status::Available);

    let busy = session.ask(ToRegistry::SetStatus(Status::Busy));
    assert_eq!(busy, FromRegistry::Done);
    let state = watching.pushed_of(bob.seat("bob")).unwrap();
    assert_eq!(state.status, Status::Busy);
    assert_eq!(state.display_name, None, "the serial is the same");

    let named = session.ask(ToRegistry::SetDisplayName("Robert".parse().unwrap()));
    assert_eq!(named, FromRegistry::Done);
    let state = watching.pushed_of(bob.seat("bob")).unwrap();
    assert_eq!(state.display_name.unwrap().as_str(), "Robert");
    assert_eq!((state.serial, state.status), (2, Status::Busy));

    assert_eq!(session.ask(ToRegistry::SignOut), FromRegistry::Done);
    assert_eq!(watching.pushed_of(bob.seat("bob")), None);
    assert_eq!(session.sign_in(&bob, "bob").display_name.as_str(), "Robert");
    assert!(watching.pushed_of(bob.seat("bob")).is_some());
    drop(session);
    assert_eq!(
        watching.pushed_of(bob.seat("bob")),
        None,
        "a closed connection"
    );
}

#[test]
fn users_of_both_versions_see_each_other() {
    let server = TestServer::start();
    let bob = Device::new();
    let mut session = Session::connect_from(ELSEWHERE, server.tcp, &bob);
    session.enter(&bob, "bob", "pw");
    session.subscribe();
    let mut ann = Client::connect(server.tcp);
    ann.register_and_login("ann", "pw");
    let state = session.pushed_of(version_1("ann")).unwrap();
    assert_eq!(state.endpoint.address, "127.0.0.1".parse().unwrap());
    assert_eq!((state.version_1, state.serial), (true, 0));
    assert_eq!(ann.online(), ["ann-127.0.0.1", "bob-127.0.0.3"]);
    assert_eq!(ann.status(LOGOUT, "ann", "LOGOUT"), 25);
    assert_eq!(session.pushed_of(version_1("ann")), None);
    drop(session);
    wait_for("end of the session", SOON, || ann.online().is_empty());
}

#[test]
fn a_device_has_one_session_and_a_person_has_several_devices() {
    let server = TestServer::start();
    let person = Person::new();
    let (first, second) = (person.device(), person.device());
    let mut one = Session::connect(server.tcp, &first);
    one.enter(&first, "bob", "pw");
    let mut two = Session::connect(server.tcp, &second);
    two.sign_in(&second, "bob");
    two.subscribe();
    assert_eq!(one.ask(ToRegistry::Ping), FromRegistry::Pong);
    let mut again = Session::connect(server.tcp, &first);
    again.sign_in(&first, "bob");
    assert_eq!(one.goodbye(), Goodbye::Replaced);
    assert_eq!(two.ask(ToRegistry::Ping), FromRegistry::Pong);
    assert_eq!(again.ask(ToRegistry::Ping), FromRegistry::Pong);
    let mut third = Session::connect(server.tcp, &first);
    third.sign_in(&first, "bob");
    assert_eq!(again.goodbye(), Goodbye::Replaced);
    let mut seats: Vec<Seat> = third.subscribe().iter().map(|(seat, _)| *seat).collect();
    seats.sort();
    let mut expected = [first.seat("bob"), second.seat("bob")];
    expected.sort();
    assert_eq!(
        seats, expected,
        "the end of the replaced one took nobody offline"
    );
}

#[test]
fn what_an_operator_changes_ends_live_sessions_within_a_minute() {
    let fresh = Fresh::sqlite();
    let store = fresh.name();
    let program = Program::start(&store);
    let [bob, ann] = [Device::new(), Device::new()];
    let mut sessions = [("bob", &bob), ("ann", &ann)].map(|(name, device)| {
        let mut session = Session::connect(program.tcp, device);
        session.enter(device, name, "pw");
        session
    });
    assert!(users(&store, &["remove", "bob"], "").status.success());
    let minute = Duration::from_secs(60);
    assert_eq!(sessions[0].goodbye_within(minute), Goodbye::AccessChanged);
    assert_eq!(sessions[1].ask(ToRegistry::Ping), FromRegistry::Pong);
}

#[test]
fn a_registry_that_stops_says_so() {
    let mut server = TestServer::start();
    let bob = Device::new();
    let mut session = Session::connect(server.tcp, &bob);
    session.enter(&bob, "bob", "pw");
    server.begin_to_stop();
    assert_eq!(session.goodbye(), Goodbye::Stopping);
}
