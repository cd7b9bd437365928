//! The bytes on the wire, against golden vectors that Python made. Nothing in here is
//! encoded or decoded by the crate `p2pchat-protocol`.

use std::net::Ipv4Addr;

use crate::support::client::{
    ALL_ONLINE, Beacon, Client, LOGIN, LOGOUT, REGISTER, SEARCH, request, response, vector,
};
use crate::support::server::TestServer;
use crate::support::{SOON, wait_for};

/// What is sent, and what one `recv(1024)` then has to give.
fn exchange(client: &mut Client, sent: &str, expected: &str) {
    client.send(&vector(sent));
    assert_eq!(client.recv(), vector(expected), "{sent}");
}

#[test]
fn the_golden_vectors_of_a_session_are_spoken() {
    let server = TestServer::start();
    let mut client = Client::connect(server.tcp);
    exchange(&mut client, "all online", "nobody online");
    exchange(&mut client, "login alice", "invalid credentials");
    exchange(&mut client, "register alice", "registered");
    exchange(
        &mut client,
        "register alice",
        "duplicate: the text is cut at 15 bytes",
    );
    exchange(
        &mut client,
        "login alice",
        "logged in: the text fills the field, no NUL",
    );
    exchange(&mut client, "all online", "online list of one");
    exchange(&mut client, "search bob", "not found");

    let mut bob = Client::connect_from(Ipv4Addr::new(127, 0, 0, 2), server.tcp);
    bob.register_and_login("bob", "pw");
    exchange(&mut client, "search bob", "found, short address");
    exchange(&mut client, "logout", "logged out");
    exchange(&mut client, "logout", "logout of a user who is not online");
}

#[test]
fn names_and_passwords_that_fill_their_fields_work() {
    let server = TestServer::start();
    let mut client = Client::connect(server.tcp);
    for login in [
        "login, password of the full 15 bytes",
        "login, username of the full 10 bytes",
        "login, multi-byte UTF-8 username",
    ] {
        let mut register = vector(login);
        register[0] = REGISTER;
        client.send(&register);
        assert_eq!(client.recv(), vector("registered"), "{login}");
        exchange(
            &mut client,
            login,
            "logged in: the text fills the field, no NUL",
        );
    }
    assert_eq!(client.status(SEARCH, "x", "Zoë"), 22);
    assert_eq!(client.status(SEARCH, "x", "abcdefghij"), 22);
}

#[test]
fn the_online_list_is_split_at_the_last_hyphen() {
    let server = TestServer::start();
    let mut client = Client::connect_from(Ipv4Addr::new(127, 100, 100, 200), server.tcp);
    client.register_and_login("mary-ann", "pw");
    client.register_and_login("bob", "pw");
    client.send(&request(ALL_ONLINE, "bob", "All"));
    let mut expected = response(4, 24, "online list");
    expected.extend_from_slice(b"bob-127.100.100.200 \t\n mary-ann-127.100.100.200 \t\n ");
    assert_eq!(client.recv(), expected, "head and list in one piece");
    client.send(&request(SEARCH, "bob", "mary-ann"));
    assert_eq!(client.recv(), response(2, 22, "127.100.100.200"));
}

#[test]
fn a_request_may_come_in_27_segments() {
    let server = TestServer::start();
    let mut client = Client::connect(server.tcp);
    for byte in vector("register alice") {
        client.send(&[byte]);
    }
    assert_eq!(client.head(), vector("registered"));
}

#[test]
fn five_requests_may_come_in_one_segment() {
    let server = TestServer::start();
    let mut client = Client::connect(server.tcp);
    let sent = [
        "register alice",
        "login alice",
        "search bob",
        "logout",
        "all online",
    ];
    client.send(&sent.map(vector).concat());
    for expected in [
        "registered",
        "logged in: the text fills the field, no NUL",
        "not found",
        "logged out",
        "nobody online",
    ] {
        assert_eq!(client.head(), vector(expected));
    }
}

#[test]
fn what_the_document_does_not_name_is_answered() {
    let server = TestServer::start();
    let mut client = Client::connect(server.tcp);
    for bad in [
        &b""[..],
        b"a b",
        b"a\tb",
        b"a\nb",
        b"\x1b[2J",
        b"\xff\xfe",
        "a\u{a0}b".as_bytes(),
        b"10.0.0.42",
        b"::1",
    ] {
        client.send(&request(REGISTER, bad, "pw"));
        assert_eq!(client.head(), response(0, 42, "badusername"), "{bad:?}");
    }
    assert_eq!(
        client.ask(REGISTER, "bob", ""),
        response(0, 43, "badpassword")
    );
    assert_eq!(
        client.ask(LOGIN, "", "pw"),
        response(1, 41, "invalidcredent")
    );
    assert_eq!(
        client.ask(LOGIN, "bob", ""),
        response(1, 41, "invalidcredent")
    );
    assert_eq!(client.ask(SEARCH, "bob", ""), response(2, 44, "notfound"));
    assert_eq!(
        client.ask(LOGOUT, "", "LOGOUT"),
        response(3, 45, "usernotfound")
    );
}

#[test]
fn the_key_and_what_follows_a_nul_are_not_looked_at() {
    let server = TestServer::start();
    let mut client = Client::connect(server.tcp);
    let mut register = vector("register alice");
    register[8] = 0xff;
    register[25] = 7;
    register[26] = 99;
    client.send(&register);
    assert_eq!(client.head(), vector("registered"));
    exchange(
        &mut client,
        "login alice",
        "logged in: the text fills the field, no NUL",
    );
}

#[test]
fn an_unknown_type_is_answered_and_the_connection_closed() {
    let server = TestServer::start();
    for kind in [5, 71, 255] {
        let mut client = Client::connect(server.tcp);
        // More than one request: what is not read must not cost the client the answer.
        client.send(&[kind; 5000]);
        assert_eq!(client.head(), response(kind, 48, "badrequest"));
        assert_eq!(client.recv(), b"", "closed");
    }
}

#[test]
fn a_hello_keeps_a_user_online_and_anything_else_does_not_hurt() {
    let server = TestServer::start_with(|options| {
        options.presence_timeout = std::time::Duration::from_secs(1);
    });
    let mut client = Client::connect(server.tcp);
    client.register_and_login("alice", "secret");
    let beacon = Beacon::new(Ipv4Addr::LOCALHOST, server.udp);
    let began = std::time::Instant::now();
    wait_for("three timeouts", SOON, || {
        beacon.send(&vector("hello"));
        for junk in [&b""[..], &[5; 21], &[0xff; 22], &[5; 23], &[7; 2000]] {
            beacon.send(junk);
        }
        assert_eq!(client.status(SEARCH, "x", "alice"), 22);
        began.elapsed() > std::time::Duration::from_secs(3)
    });
    wait_for("end of alice's presence", SOON, || {
        client.status(SEARCH, "x", "alice") == 44
    });
    wait_for("an empty list", SOON, || client.online().is_empty());
}
