//! Devices that are signed in at registries of one cluster, and what subscribers of the others are
//! pushed.

use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

use p2pchat_protocol::v2::{
    Binding, FromRegistry, Goodbye, Refusal, Seat, SeatState, Status, ToRegistry,
};
use p2pchat_testkit::{Cable, require_mongod};

use crate::support::client::REGISTER;
use crate::support::mongod::{TestDatabase, first_host, replica_set};
use crate::support::program::users;
use crate::support::proxy::Proxy;
use crate::support::secure::{Device, Session, refused};
use crate::support::several::{Member, Repeated};
use crate::support::{SOON, wait_for};

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
/// Longer than any test.
const LONG: u32 = 600;
/// Within how much time a change at one registry is pushed by all.
const LIMIT: Duration = Duration::from_secs(2);
/// How often two bind one name at once.
const RACES: usize = 5;

fn session(at: &Member, device: &Device) -> Session {
    Session::connect(at.program.tcp, device)
}

/// A subscriber at a registry, with an account of its own.
fn subscriber(at: &Member, name: &str) -> Session {
    let device = Device::new();
    let mut session = session(at, &device);
    session.enter(&device, name, "pw");
    session.subscribe();
    session
}

/// Waits until a subscriber is told of a seat, soon enough.
fn told_soon(subscriber: &mut Session, seat: Seat) -> Option<SeatState> {
    let began = Instant::now();
    let state = subscriber.pushed_of(seat);
    let took = began.elapsed();
    assert!(took < LIMIT, "pushed after {took:?}");
    state
}

fn set_status(session: &mut Session, status: Status) {
    let answer = session.ask(ToRegistry::SetStatus(status));
    assert_eq!(answer, FromRegistry::Done);
}

#[test]
fn what_becomes_of_a_device_at_one_registry_is_pushed_by_the_others() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let [one, two] = [(); 2].map(|()| Member::start(&database.uri, LONG));
    let mut ann = subscriber(&two, "ann");
    let bob = Device::new();
    let seat = bob.seat("bob");
    let mut at_one = session(&one, &bob);
    at_one.enter(&bob, "bob", "pw");
    let state = told_soon(&mut ann, seat).unwrap();
    assert_eq!((state.endpoint.port, state.serial), (5858, 1));
    two.shows("bob", Some(HERE));

    set_status(&mut at_one, Status::Busy);
    let state = told_soon(&mut ann, seat).unwrap();
    assert_eq!(state.status, Status::Busy);
    let named = at_one.ask(ToRegistry::SetDisplayName("Robert".parse().unwrap()));
    assert_eq!(named, FromRegistry::Done);
    let state = told_soon(&mut ann, seat).unwrap();
    assert_eq!(state.display_name.unwrap().as_str(), "Robert");
    assert_eq!((state.serial, state.status), (2, Status::Busy));

    assert_eq!(at_one.ask(ToRegistry::SignOut), FromRegistry::Done);
    assert_eq!(told_soon(&mut ann, seat), None);
    two.shows("bob", None);
    // By key, at the other one; and the connection is cut.
    let mut at_two = session(&two, &bob);
    assert_eq!(at_two.sign_in(&bob, "bob").serial, 2);
    assert!(told_soon(&mut ann, seat).is_some());
    one.shows("bob", Some(HERE));
    drop(at_two);
    assert_eq!(told_soon(&mut ann, seat), None);
    one.shows("bob", None);
    for registry in [one, two] {
        registry.log();
    }
}

#[test]
fn a_device_that_signs_in_at_another_registry_is_signed_out_at_the_first() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let [one, two] = [(); 2].map(|()| Member::start(&database.uri, LONG));
    let bob = Device::new();
    let mut first = session(&one, &bob);
    first.enter(&bob, "bob", "pw");
    let mut second = session(&two, &bob);
    second.sign_in(&bob, "bob");
    assert_eq!(first.goodbye(), Goodbye::Replaced);
    assert_eq!(second.ask(ToRegistry::Ping), FromRegistry::Pong);
    one.shows("bob", Some(HERE));
}

#[test]
fn a_registry_dies_and_nobody_sees_a_device_leave_that_signs_in_at_another() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let [dies, other] = [(); 2].map(|()| Member::start(&database.uri, LONG));
    let mut ann = subscriber(&other, "ann");
    let [moves, stays_away] = [Device::new(), Device::new()];
    let _sessions = [("moves", &moves), ("away", &stays_away)].map(|(name, device)| {
        let mut session = session(&dies, device);
        session.enter(device, name, "pw");
        assert!(told_soon(&mut ann, device.seat(name)).is_some());
        session
    });
    dies.program.kill();
    let killed = Instant::now();
    let mut moved = Session::connect_from(ELSEWHERE, other.program.tcp, &moves);
    moved.sign_in(&moves, "moves");
    let state = told_soon(&mut ann, moves.seat("moves"));
    let state = state.expect("it moved, and did not leave in between");
    assert_eq!(state.endpoint.address, "127.0.0.3".parse().unwrap());
    // The one that does not come back, as long as a client may take to notice.
    let minute = Duration::from_secs(65);
    let pushed = loop {
        ann.send(&[ToRegistry::Ping]);
        moved.send(&[ToRegistry::Ping]);
        match ann.next_within(minute) {
            Some(FromRegistry::Delta(users)) => break users,
            Some(FromRegistry::Pong) => thread::sleep(Duration::from_secs(1)),
            other => panic!("{other:?}"),
        }
    };
    let gone = killed.elapsed();
    assert_eq!(pushed, [(stays_away.seat("away"), None)]);
    let expected = Duration::from_secs(45)..Duration::from_secs(64);
    assert!(expected.contains(&gone), "gone after {gone:?}");
}

#[test]
fn in_a_rolling_restart_no_device_leaves_the_lists_while_it_moves() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let start = || Member::start(&database.uri, LONG);
    let [watched, mut stops, mut next] = [(); 3].map(|()| start());
    let mut ann = subscriber(&watched, "ann");
    let bob = Device::new();
    let seat = bob.seat("bob");
    let mut session = Session::connect_from(ELSEWHERE, stops.program.tcp, &bob);
    session.enter(&bob, "bob", "pw");
    assert!(told_soon(&mut ann, seat).is_some());
    watched.shows("bob", Some(ELSEWHERE));
    // Those of version 1 see the same.
    let _searches = Repeated::searches("bob", ELSEWHERE, &watched);
    for status in [Status::Busy, Status::Away] {
        // All that it has to tell is told when it has ended.
        stops.log();
        assert_eq!(session.goodbye(), Goodbye::Stopping);
        session = Session::connect_from(ELSEWHERE, next.program.tcp, &bob);
        session.sign_in(&bob, "bob");
        set_status(&mut session, status);
        // What comes before that may be pushed with it.
        while told_soon(&mut ann, seat).expect("it does not leave").status != status {}
        stops = next;
        next = start();
        next.shows("bob", Some(ELSEWHERE));
    }
    // A restarted registry tells its own subscribers, too.
    let device = Device::new();
    let mut eve = self::session(&next, &device);
    eve.enter(&device, "eve", "pw");
    let online = eve.subscribe();
    assert!(online.iter().any(|(online, _)| *online == seat));
}

#[test]
fn of_two_who_bind_a_name_at_two_registries_at_once_one_is_in_everywhere() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let members = [(); 2].map(|()| Member::start(&database.uri, LONG));
    let [one, two] = &members;
    let mut asking = [subscriber(one, "ann"), subscriber(two, "eve")];
    for race in 0..RACES {
        let name = format!("name{race}");
        assert_eq!(members[0].client(HERE).status(REGISTER, &name, "pw"), 20);
        let claims = members.each_ref().map(|member| {
            let (device, name) = (Device::new(), name.clone());
            let mut session = session(member, &device);
            thread::spawn(move || {
                let answer = session.ask(device.sign_in(&name, Some("pw")));
                (device, session, answer)
            })
        });
        let answers = claims.map(|claim| claim.join().unwrap());
        let is_in =
            |(.., answer): &&(_, _, FromRegistry)| matches!(answer, FromRegistry::SignedIn(_));
        let winners: Vec<_> = answers.iter().filter(is_in).collect();
        assert_eq!(winners.len(), 1, "{:?}", answers.map(|(.., answer)| answer));
        let loser = answers.iter().find(|answer| !is_in(answer)).unwrap();
        assert_eq!(loser.2, refused(Refusal::OtherPerson));
        let person = winners[0].0.certificate.person;
        for asks in &mut asking {
            let found = look_up(asks, &name);
            assert_eq!((found.person, found.serial), (Some(person), 1));
            let by_key = asks.ask(ToRegistry::LookupKey(person));
            assert_eq!(by_key, FromRegistry::Found(found));
            let by_key = asks.ask(ToRegistry::LookupKey(loser.0.certificate.person));
            assert_eq!(by_key, refused(Refusal::NotFound));
        }
    }
}

/// The binding of a name, as a registry tells it.
fn look_up(asks: &mut Session, name: &str) -> Binding {
    match asks.ask(ToRegistry::Lookup(name.parse().unwrap())) {
        FromRegistry::Found(binding) => binding,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_registry_that_is_cut_off_keeps_its_devices_and_tells_of_them_after() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let proxy = Proxy::start();
    let (_, gate) = first_host(&database.uri, proxy.address);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let set = replica_set();
    let primary = set.address(runtime.block_on(set.primary()).unwrap());
    proxy.lead_to(primary.to_string());
    let [cut_off, other] = [
        Member::start(&gate, LONG),
        Member::start(&database.uri, LONG),
    ];
    let [bob, cem, dan] = [Device::new(), Device::new(), Device::new()];
    let mut here = session(&cut_off, &bob);
    here.enter(&bob, "bob", "pw");
    let mut ann = subscriber(&other, "ann");
    let mut eve = subscriber(&cut_off, "eve");
    let mut there = session(&other, &cem);
    there.enter(&cem, "cem", "pw");
    for subscriber in [&mut ann, &mut eve] {
        assert!(told_soon(subscriber, cem.seat("cem")).is_some());
    }

    proxy.set(Cable::Silent);
    // It goes on from memory, and lets nobody in.
    set_status(&mut here, Status::Away);
    let state = told_soon(&mut eve, bob.seat("bob")).unwrap();
    assert_eq!(state.status, Status::Away);
    let mut late = session(&cut_off, &dan);
    let sign_in = dan.sign_in("cem", None);
    late.send(&[sign_in]);
    let answer = late.next_within(Duration::from_secs(15));
    assert_eq!(answer, Some(refused(Refusal::Failed)));
    drop(there);
    assert_eq!(told_soon(&mut ann, cem.seat("cem")), None);
    assert_eq!(here.ask(ToRegistry::Ping), FromRegistry::Pong);

    proxy.lead_to(primary.to_string());
    let began = Instant::now();
    assert_eq!(ann.pushed_of(bob.seat("bob")).unwrap().status, Status::Away);
    assert_eq!(eve.pushed_of(cem.seat("cem")), None);
    assert!(began.elapsed() < SOON);
    assert_eq!(here.ask(ToRegistry::Ping), FromRegistry::Pong);
    wait_for("bob at the other", SOON, || other.find("bob") == Some(HERE));
}

#[test]
fn a_device_that_an_operator_forgets_is_signed_out_at_every_registry_within_a_minute() {
    require_mongod!();
    let database = TestDatabase::on_replica_set();
    let members = [(); 2].map(|()| Member::start(&database.uri, LONG));
    let devices = [Device::new(), Device::new()];
    let mut sessions = [0, 1].map(|at| {
        let mut session = session(&members[at], &devices[at]);
        session.enter(&devices[at], &format!("user{at}"), "pw");
        session
    });
    let id = u64::from_be_bytes(devices[0].certificate.device.id().0);
    let forget = ["forget-device", "user0", &format!("{id:016x}")];
    assert!(users(&database.uri, &forget, "").status.success());
    assert!(
        users(&database.uri, &["reset-key", "user1"], "")
            .status
            .success()
    );
    let minute = Duration::from_secs(60);
    for session in &mut sessions {
        assert_eq!(session.goodbye_within(minute), Goodbye::AccessChanged);
    }
    let mut again = session(&members[1], &devices[0]);
    let answer = again.ask(devices[0].sign_in("user0", None));
    assert_eq!(answer, refused(Refusal::DeviceForgotten));
    let mut again = session(&members[0], &devices[1]);
    let answer = again.ask(devices[1].sign_in("user1", None));
    assert_eq!(answer, refused(Refusal::PasswordNeeded));
}
