//! Floods of datagrams: they cost well-meant ones and sessions nothing.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use p2pchat_registry::metrics::DropReason;

use crate::support::client::{Beacon, Client, SEARCH};
use crate::support::server::TestServer;

const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const FLOODER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
const TIMEOUT: Duration = Duration::from_secs(2);

/// A Hello by hand.
fn hello(name: &[u8; 10]) -> Vec<u8> {
    [&[5][..], name, b"HELLO\0\0\0\0\0", &[15]].concat()
}

/// Valid for another user; almost valid; empty.
fn datagrams() -> Vec<Vec<u8>> {
    let valid = hello(b"bob\0\0\0\0\0\0\0");
    let mut other_kind = valid.clone();
    other_kind[0] = 4;
    let mut other_word = valid.clone();
    other_word[11] = b'J';
    let longer = [&valid[..], &[0]].concat();
    let no_name = hello(&[0; 10]);
    vec![
        valid[..21].to_vec(),
        longer,
        other_kind,
        other_word,
        no_name,
        vec![],
        vec![0xa5; 1400],
        valid,
    ]
}

#[test]
fn a_flood_of_datagrams_takes_nobody_offline_and_delays_no_search() {
    let server = TestServer::start_with(|options| options.presence_timeout = TIMEOUT);
    let mut bob = Client::connect_from(HERE, server.tcp);
    bob.register_and_login("bob", "pw");
    let beacon = Beacon::new(HERE, server.udp);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let socket = UdpSocket::bind((FLOODER, 0)).unwrap();
            for datagram in datagrams().iter().cycle() {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                socket.send_to(datagram, server.udp).unwrap();
            }
        });
        let began = Instant::now();
        while began.elapsed() < TIMEOUT * 2 {
            // 20 within the time after which they would be gone.
            beacon.hello("bob");
            let status = bob.status(SEARCH, "bob", "bob");
            if status != 22 {
                is_over.store(true, Ordering::Relaxed);
                panic!("the user is not online after {:?}", began.elapsed());
            }
            thread::sleep(TIMEOUT / 20);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(server.refused(DropReason::NoHello) > 1000);
    assert!(server.refused(DropReason::ForeignHello) > 100);
}
