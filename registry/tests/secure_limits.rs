//! Attacks on the encrypted port: floods of handshakes, half ones, garbage, frames that are too
//! long or none, and clients that do not read.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::{Duration, Instant};

use p2pchat_protocol::v2::registry::{MAX_FIRST, MAX_TO_REGISTRY};
use p2pchat_protocol::v2::{DisplayName, FromRegistry, Goodbye, Status, ToRegistry};
use p2pchat_registry::metrics::DropReason;
use p2pchat_secure::Expected;

use crate::support::client::{Client, SEARCH, request};
use crate::support::secure::{Device, Session};
use crate::support::server::TestServer;
use crate::support::{SOON, wait_for};

const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const FLOODER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
const SHORT: Duration = Duration::from_secs(1);

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

/// The first bytes of a TLS connection.
const HALF_HELLO: [u8; 9] = [22, 3, 1, 1, 0, 1, 0, 0, 252];

/// A frame by hand.
fn frame(kind: u8, length: usize, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(length).unwrap();
    [&length.to_be_bytes()[..], &[kind], message].concat()
}

/// Whether a session can begin from there.
fn gets_in(from: Ipv4Addr, to: SocketAddr) -> bool {
    Session::try_connect(from, to, &Device::new(), Expected::Any).is_ok()
}

#[test]
fn an_address_has_so_many_handshakes_and_takes_none_from_others() {
    let server = TestServer::start_with(|options| {
        options.limits.handshakes.handshakes = number(5);
        options.limits.handshakes.handshake_rate = number(1);
    });
    let begun = (0..40).filter(|_| gets_in(FLOODER, server.tcp)).count();
    let refused = server.refused(DropReason::HandshakeSlowed);
    // One more each second that it took.
    assert!((5..20).contains(&begun), "{begun}");
    assert_eq!(refused, 40 - begun as u64);
    assert!(gets_in(HERE, server.tcp));
    let mut old = Client::connect_from(FLOODER, server.tcp);
    assert_eq!(old.status(SEARCH, "x", "bob"), 44, "version 1 needs none");
}

#[test]
fn many_unknown_addresses_together_keep_nobody_out_who_was_signed_in_before() {
    let server = TestServer::start_with(|options| {
        options.limits.handshakes.unknown_handshakes = number(10);
        options.limits.handshakes.unknown_handshake_rate = number(1);
    });
    let bob = Device::new();
    Session::connect_from(HERE, server.tcp, &bob).enter(&bob, "bob", "pw");
    let strangers = (0..60).map(|n| Ipv4Addr::new(127, 0, 1, n));
    let begun = strangers.filter(|from| gets_in(*from, server.tcp)).count();
    assert!((9..40).contains(&begun), "{begun}");
    let refused = server.refused(DropReason::HandshakeStrangers);
    assert_eq!(refused, 60 - begun as u64);
    for _ in 0..20 {
        let mut session = Session::connect_from(HERE, server.tcp, &bob);
        session.sign_in(&bob, "bob");
    }
}

#[test]
fn garbage_that_looks_like_tls_costs_its_connection_alone() {
    let server = TestServer::start();
    let bob = Device::new();
    let mut session = Session::connect_from(HERE, server.tcp, &bob);
    session.enter(&bob, "bob", "pw");
    for n in 10..60_u8 {
        let mut client = Client::connect_from(FLOODER, server.tcp);
        let mut garbage = vec![22];
        garbage.extend((0..200_u8).map(|byte| byte.wrapping_mul(31).wrapping_add(n)));
        client.send_or_fail(&garbage);
        wait_for("end of the connection", SOON, || {
            // There may be an alert first.
            client.try_head(Duration::from_millis(1));
            client.is_closed()
        });
    }
    assert_eq!(server.refused(DropReason::HandshakeFailed), 50);
    assert_eq!(session.ask(ToRegistry::Ping), FromRegistry::Pong);
}

#[test]
fn half_a_handshake_has_a_deadline_and_silence_before_it_that_of_version_1() {
    let server = TestServer::start_with(|options| {
        options.limits.handshake_timeout = SHORT;
        options.limits.first_request_timeout = SHORT * 3;
    });
    let silent = Client::connect(server.tcp);
    let mut half: Vec<Client> = (0..20).map(|_| Client::connect(server.tcp)).collect();
    half.iter_mut().for_each(|client| client.send(&HALF_HELLO));
    wait_for("end of the halves", SOON, || {
        half.iter().all(Client::is_closed)
    });
    assert_eq!(server.refused(DropReason::HandshakePartial), 20);
    wait_for("end of the silent one", SOON, || silent.is_closed());
    assert_eq!(server.refused(DropReason::NoRequest), 1);
}

#[test]
fn a_client_that_sends_nothing_after_the_handshake_loses_the_connection() {
    let server = TestServer::start_with(|options| {
        options.limits.first_request_timeout = SHORT;
    });
    let mut session = Session::connect(server.tcp, &Device::new());
    assert_eq!(session.next(), None);
    assert_eq!(server.refused(DropReason::NoRequest), 1);
}

#[test]
fn a_frame_that_does_not_end_costs_the_connection_and_bytes_do_not_prolong_it() {
    let server = TestServer::start_with(|options| options.limits.request_timeout = SHORT);
    let mut session = Session::connect(server.tcp, &Device::new());
    let began = Instant::now();
    let mut bytes = frame(10, 100, &[0; 50]).into_iter();
    while let Some(byte) = bytes.next()
        && session.send_bytes(&[byte]).is_ok()
    {
        std::thread::sleep(SHORT / 10);
    }
    assert_eq!(session.next(), None);
    assert!(began.elapsed() < SHORT * 10, "{:?}", began.elapsed());
    assert_eq!(server.refused(DropReason::PartialRequest), 1);
}

#[test]
fn a_session_without_a_sign_of_life_ends_and_one_with_pings_does_not() {
    let server = TestServer::start_with(|options| options.limits.session_timeout = SHORT * 2);
    let devices = [Device::new(), Device::new()];
    let mut sessions = ["ann", "bob"].map(|_| Vec::new());
    for (n, name) in ["ann", "bob"].into_iter().enumerate() {
        let mut session = Session::connect(server.tcp, &devices[n]);
        session.enter(&devices[n], name, "pw");
        sessions[n].push(session);
    }
    let [ann, bob] = &mut sessions;
    bob[0].subscribe();
    let mut gone = false;
    wait_for("end of the silent session", SOON, || {
        assert_eq!(bob[0].ask(ToRegistry::Ping), FromRegistry::Pong);
        gone |= server.refused(DropReason::Silent) == 1;
        gone
    });
    assert_eq!(ann[0].next(), None);
    assert_eq!(bob[0].pushed_of(devices[0].seat("ann")), None);
    assert_eq!(bob[0].ask(ToRegistry::Ping), FromRegistry::Pong);
}

#[test]
fn frames_that_are_too_long_or_cannot_be_read_end_the_connection_with_a_word() {
    let server = TestServer::start();
    let unread = [
        frame(1, MAX_FIRST + 1, &[]),
        frame(3, 0xffff_ffff, &[]),
        frame(64, 0, &[]),
        frame(0, 0, &[]),
        frame(2, 3, b"\xff\xff\xff"),
        frame(65, 0, &[]),
    ];
    for bytes in &unread {
        let mut session = Session::connect(server.tcp, &Device::new());
        session.send_bytes(bytes).unwrap();
        assert_eq!(session.goodbye(), Goodbye::Malformed, "{bytes:?}");
    }
    assert_eq!(server.refused(DropReason::BadFrame), unread.len() as u64);
    // Of a later version: skipped, with any message.
    let device = Device::new();
    let mut session = Session::connect(server.tcp, &device);
    session.send_bytes(&frame(200, 2, b"\xff\xff")).unwrap();
    session.enter(&device, "bob", "pw");
    // Signed in, a frame may be longer.
    let longer = frame(200, MAX_TO_REGISTRY, &[0; MAX_TO_REGISTRY]);
    session.send_bytes(&longer).unwrap();
    assert_eq!(session.ask(ToRegistry::Ping), FromRegistry::Pong);
    let too_long = frame(200, MAX_TO_REGISTRY + 1, &[]);
    session.send_bytes(&too_long).unwrap();
    assert_eq!(session.goodbye(), Goodbye::Malformed);
}

#[test]
fn many_requests_in_one_packet_are_all_answered_and_delay_no_one() {
    const MANY: usize = 2000;
    let server = TestServer::start();
    let (bob, ann) = (Device::new(), Device::new());
    let mut flooding = Session::connect(server.tcp, &bob);
    flooding.enter(&bob, "bob", "pw");
    let mut other = Session::connect(server.tcp, &ann);
    other.enter(&ann, "ann", "pw");
    for status in [Status::Busy, Status::Away] {
        flooding.send(&vec![ToRegistry::SetStatus(status); MANY]);
        let began = Instant::now();
        assert_eq!(other.ask(ToRegistry::Ping), FromRegistry::Pong);
        assert!(began.elapsed() < SHORT, "{:?}", began.elapsed());
        for _ in 0..MANY {
            assert_eq!(flooding.answer(), FromRegistry::Done);
        }
    }
}

#[test]
fn a_client_that_does_not_read_its_answers_loses_the_connection_and_delays_no_one() {
    let server = TestServer::start_with(|options| {
        options.limits.response_timeout = SHORT;
        options.limits.send_buffer = number(4096);
    });
    let (bob, ann) = (Device::new(), Device::new());
    let mut deaf = Session::connect(server.tcp, &bob);
    deaf.enter(&bob, "bob", "pw");
    let mut other = Session::connect(server.tcp, &ann);
    other.enter(&ann, "ann", "pw");
    let lookups = vec![ToRegistry::Lookup("bob".parse().unwrap()); 2000];
    let mut bytes = Vec::new();
    lookups.iter().for_each(|lookup| lookup.encode(&mut bytes));
    let address = server.tcp;
    let sending = std::thread::spawn(move || {
        // Until the registry takes no more.
        while deaf.send_bytes(&bytes).is_ok() {}
        address
    });
    wait_for("end of the deaf one", SOON * 2, || {
        assert_eq!(other.ask(ToRegistry::Ping), FromRegistry::Pong);
        server.refused(DropReason::UnreadResponse) == 1
    });
    sending.join().unwrap();
}

#[test]
fn a_flood_of_connections_evicts_no_session() {
    let server = TestServer::start_with(|options| {
        options.limits.max_connections = NonZeroUsize::new(10).unwrap();
        options.limits.connections_per_address = NonZeroUsize::new(5).unwrap();
    });
    // More sessions of one address than it may have connections.
    let mut sessions: Vec<(Device, Session)> = (0..8)
        .map(|n| {
            let device = Device::new();
            let mut session = Session::connect_from(HERE, server.tcp, &device);
            session.enter(&device, &format!("u{n}"), "pw");
            (device, session)
        })
        .collect();
    let mut flood = Vec::new();
    for n in 0..40_u8 {
        let from = Ipv4Addr::new(127, 0, 2, n);
        if let Ok(mut client) = Client::try_connect_from(from, server.tcp) {
            // Some of them half way into a handshake.
            client.send_or_fail(&if n % 2 == 0 {
                HALF_HELLO.to_vec()
            } else {
                request(SEARCH, "x", "y")
            });
            flood.push(client);
        }
    }
    wait_for("connections that made room", SOON, || {
        server.refused(DropReason::MadeRoom) >= 30
    });
    for (_, session) in &mut sessions {
        assert_eq!(session.ask(ToRegistry::Ping), FromRegistry::Pong);
    }
    // Who signs out is as anybody else.
    assert_eq!(sessions[0].1.ask(ToRegistry::SignOut), FromRegistry::Done);
    drop(flood);
}

#[test]
fn a_display_name_can_be_as_long_as_it_may() {
    let server = TestServer::start();
    let device = Device::new();
    let mut session = Session::connect(server.tcp, &device);
    session.enter(&device, "bob", "pw");
    let name: DisplayName = "ä".repeat(DisplayName::MAX / 2).parse().unwrap();
    let done = session.ask(ToRegistry::SetDisplayName(name));
    assert_eq!(done, FromRegistry::Done);
    let FromRegistry::Found(binding) = session.ask(ToRegistry::Lookup("bob".parse().unwrap()))
    else {
        panic!("it is bound");
    };
    assert_eq!((binding.display_name, binding.serial), (name, 2));
}

#[test]
fn no_answer_of_version_1_comes_to_a_client_of_version_2_and_none_of_tls_to_version_1() {
    let server = TestServer::start();
    let mut old = TcpStream::connect(server.tcp).unwrap();
    old.set_read_timeout(Some(SOON)).unwrap();
    for request in [request(SEARCH, "x", "y"), request(22, "x", "y")] {
        old.write_all(&request).unwrap();
        let mut answer = [0; 18];
        old.read_exact(&mut answer).unwrap();
        assert_eq!(
            answer[0], request[0],
            "22 is only at the begin of a connection TLS"
        );
    }
    let mut tls = TcpStream::connect(server.tcp).unwrap();
    tls.set_read_timeout(Some(SOON)).unwrap();
    tls.write_all(&request(22, "x", "y")).unwrap();
    let mut answer = Vec::new();
    let _ = tls.read_to_end(&mut answer);
    assert!(
        answer.first().is_none_or(|first| *first == 21),
        "an alert: {answer:?}"
    );
}
