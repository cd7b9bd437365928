//! Clients that keep the registry waiting.

use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use p2pchat_registry::metrics::DropReason;

use crate::support::client::{ALL_ONLINE, Client, SEARCH, request};
use crate::support::server::TestServer;
use crate::support::{SOON, wait_for};

const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn a_client_that_asks_nothing_loses_the_connection() {
    let server = TestServer::start_with(|options| options.limits.first_request_timeout = SHORT);
    let idle: Vec<_> = (0..50).map(|_| Client::connect(server.tcp)).collect();
    wait_for("end of the idle connections", SOON, || {
        idle.iter().all(Client::is_closed)
    });
    assert_eq!(server.refused(DropReason::NoRequest), 50);
}

#[test]
fn a_client_that_trickles_bytes_loses_the_connection_and_a_silent_session_does_not() {
    let server = TestServer::start_with(|options| options.limits.request_timeout = SHORT);
    let mut bob = Client::connect_from(HERE, server.tcp);
    bob.register_and_login("bob", "pw");
    let mut slow: Vec<_> = (0..50).map(|_| Client::connect(server.tcp)).collect();
    let mut bytes = request(SEARCH, "x", "bob").into_iter();
    wait_for("end of the slow connections", SOON, || {
        let byte = [bytes.next().unwrap_or(0)];
        // Never a whole request.
        if bytes.len() > 0 {
            slow.iter_mut()
                .for_each(|client| client.send_or_fail(&byte));
        }
        slow.iter().all(Client::is_closed)
    });
    assert_eq!(server.refused(DropReason::PartialRequest), 50);
    assert_eq!(
        bob.status(SEARCH, "bob", "bob"),
        22,
        "they had asked nothing for longer"
    );
}

#[test]
fn a_client_that_does_not_read_loses_the_connection_and_delays_no_one() {
    let server = TestServer::start_with(|options| {
        options.limits.response_timeout = SHORT;
        options.limits.send_buffer = NonZeroU32::new(4096).unwrap();
    });
    let mut bob = Client::connect_from(HERE, server.tcp);
    bob.register_and_login("bob", "pw");
    let mut deaf: Vec<_> = (0..10).map(|_| Client::connect_deaf(server.tcp)).collect();
    let began = Instant::now();
    // More than the two systems hold of the answers, and no more than they hold of this.
    let questions = request(ALL_ONLINE, "x", "All").repeat(1000);
    deaf.iter_mut().for_each(|client| client.send(&questions));
    let mut longest = Duration::ZERO;
    wait_for("end of the deaf connections", SOON, || {
        // A reset is only seen by who has read, or writes. This is no request yet.
        deaf.retain_mut(|client| client.is_open_for(ALL_ONLINE));
        let asked = Instant::now();
        assert_eq!(bob.status(SEARCH, "bob", "bob"), 22);
        longest = longest.max(asked.elapsed());
        deaf.is_empty()
    });
    assert_eq!(server.refused(DropReason::UnreadResponse), 10);
    assert!(began.elapsed() >= SHORT);
    assert!(longest < SOON / 4, "{longest:?}");
}
