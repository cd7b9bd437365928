//! A whole peer against bytes that were not encoded by this project: the vectors were
//! made by another program, in another language.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "shell_support/net.rs"]
mod net;

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::Duration;

use net::{OPEN, Registry, User, own_address};
use p2pchat_model::{Command, DropKind, Event, PeerAddr};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

const VECTORS: &str = include_str!("../../protocol/tests/vectors.json");
const PATIENCE: Duration = Duration::from_secs(20);
const CONTACTS: u16 = 5858;
const MESSAGES: u16 = 1010;
/// Where messages go if this process may not listen at [`MESSAGES`].
const MESSAGES_UNPRIVILEGED: u16 = 5859;

/// The bytes of the vector of this name.
fn vector(name: &str) -> Vec<u8> {
    let all: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    let found = all.iter().find(|vector| vector["name"] == name);
    let hex = found.unwrap_or_else(|| panic!("no vector {name}"))["hex"]
        .as_str()
        .unwrap();
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// Sends raw bytes from an address to a port of another, and keeps the connection.
async fn send(from: PeerAddr, to: PeerAddr, port: u16, bytes: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from.ip(), 0).into()).unwrap();
    let mut stream = socket.connect((to.ip(), port).into()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// A listener at the message port that this process may listen at.
async fn listen_for_messages(at: PeerAddr) -> TcpListener {
    match TcpListener::bind((at.ip(), MESSAGES)).await {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            TcpListener::bind((at.ip(), MESSAGES_UNPRIVILEGED))
                .await
                .unwrap()
        }
        listener => listener.unwrap(),
    }
}

async fn read<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    timeout(PATIENCE, stream.read_exact(&mut bytes))
        .await
        .unwrap()
        .unwrap();
    bytes
}

/// What the other side reads at the end: nothing, or a reset.
async fn is_closed_in_order(stream: &mut TcpStream) -> bool {
    matches!(
        timeout(PATIENCE, stream.read(&mut [0])).await.unwrap(),
        Ok(0)
    )
}

/// A member with raw sockets that `user` has accepted.
async fn member(user: &mut User) -> PeerAddr {
    let raw = own_address();
    let request = vector("chat request, empty chat_list");
    let mut stream = send(raw, user.address(), CONTACTS, &request).await;
    user.see("the request", |view| view.incoming.is_some())
        .await;
    user.send(Command::Accept {
        conversation: OPEN,
        from: raw,
    })
    .await;
    assert_eq!(read::<17>(&mut stream).await, vector("accepted")[..]);
    assert!(is_closed_in_order(&mut stream).await);
    raw
}

#[tokio::test]
async fn requests_are_shown_and_answered() {
    let registry = Registry::start().await;
    let mut user = registry.user("zoe").await;
    let raw = own_address();
    let request = vector("chat request, chat_list of two");

    let mut stream = send(raw, user.address(), CONTACTS, &request).await;
    user.see("the request", |view| view.incoming.is_some())
        .await;
    let incoming = user.view.incoming.clone().unwrap();
    assert_eq!(
        (incoming.from.title(), incoming.from.address),
        ("alice", raw)
    );
    let members: Vec<_> = incoming
        .members
        .iter()
        .map(|member| member.address.to_string())
        .collect();
    assert_eq!(members, ["10.0.0.7", "192.168.100.200"]);

    // Another one meanwhile is told that the user is busy: status 41.
    let mut second = send(own_address(), user.address(), CONTACTS, &request).await;
    assert_eq!(read::<17>(&mut second).await[..6], *b"\0\x29BUSY");

    user.send(Command::Reject {
        conversation: OPEN,
        from: raw,
    })
    .await;
    assert_eq!(read::<17>(&mut stream).await, vector("rejected")[..]);
    user.stop().await;
}

#[tokio::test]
async fn texts_of_members_are_shown_and_confirmed() {
    let registry = Registry::start().await;
    let mut user = registry.user("zoe").await;
    let raw = member(&mut user).await;

    let port = user.view.message_port.unwrap();
    let full = "x".repeat(100);
    for (name, text) in [
        ("message, type 0 as documented", "hello bob"),
        (
            "message, type 2 as first implemented: accept it",
            "hello bob",
        ),
        ("message of the full 100 bytes", &full),
        ("message, multi-byte UTF-8", "merhaba 👋 çay?"),
    ] {
        let mut stream = send(raw, user.address(), port, &vector(name)).await;
        assert_eq!(user.read().await, (raw, text.to_owned()), "{name}");
        assert!(is_closed_in_order(&mut stream).await, "{name}");
    }
    user.stop().await;
}

#[tokio::test]
async fn texts_of_strangers_are_dropped_and_refused() {
    let registry = Registry::start().await;
    let mut user = registry.user("zoe").await;
    let bytes = vector("message, type 0 as documented");
    let stranger = own_address();
    let port = user.view.message_port.unwrap();
    let mut stream = send(stranger, user.address(), port, &bytes).await;
    assert!(!is_closed_in_order(&mut stream).await);
    let (address, act) = user
        .hear("the notice", |event| match event {
            Event::Dropped(dropped) => Some((dropped.address, dropped.tried)),
            _ => None,
        })
        .await;
    assert_eq!((address, act), (Some(stranger), DropKind::Text));
    user.stop().await;
}

#[tokio::test]
async fn notifies_of_members_add_the_newcomer() {
    let registry = Registry::start().await;
    let mut user = registry.user("zoe").await;
    let raw = member(&mut user).await;
    let newcomer = PeerAddr::new(Ipv4Addr::new(10, 0, 0, 9)).unwrap();

    let notify = vector("notify, as first implemented: no chat_list");
    let mut stream = send(raw, user.address(), CONTACTS, &notify).await;
    user.see("the newcomer", |view| view.is_member(newcomer))
        .await;
    assert!(is_closed_in_order(&mut stream).await);
    user.stop().await;
}

#[tokio::test]
async fn what_a_peer_sends_is_what_the_vectors_say() {
    let registry = Registry::start().await;
    let mut user = registry.user("alice").await;
    let raw = own_address();
    let contacts = TcpListener::bind((raw.ip(), CONTACTS)).await.unwrap();
    let messages = listen_for_messages(raw).await;

    let to = p2pchat_model::Target::Address(raw);
    user.send(Command::Request {
        conversation: OPEN,
        to,
    })
    .await;
    let (mut stream, from) = timeout(PATIENCE, contacts.accept()).await.unwrap().unwrap();
    assert_eq!(from.ip(), user.address().ip());
    let request = vector("chat request, empty chat_list");
    assert_eq!(read::<26>(&mut stream).await, request[..]);
    stream.write_all(&vector("accepted")).await.unwrap();
    user.see("the member", |view| view.is_member(raw)).await;

    user.say("hello bob").await;
    let (mut stream, from) = timeout(PATIENCE, messages.accept()).await.unwrap().unwrap();
    assert_eq!(from.ip(), user.address().ip());
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bytes, vector("message, type 0 as documented"));
    drop(stream);
    user.hear("the delivery", |event| match event {
        Event::Delivered { .. } => Some(()),
        _ => None,
    })
    .await;
    user.stop().await;
}

#[tokio::test]
async fn the_message_port_is_the_protocols_unless_it_needs_a_privilege() {
    let registry = Registry::start().await;
    let probe = own_address();
    let allowed = listen_for_messages(probe)
        .await
        .local_addr()
        .unwrap()
        .port();
    let user = User::start(registry.options()).await;
    let unprivileged = User::start(p2pchat_peer::Options {
        unprivileged: true,
        ..registry.options()
    })
    .await;
    for (mut user, port) in [(user, allowed), (unprivileged, MESSAGES_UNPRIVILEGED)] {
        user.see("its port", |view| view.message_port == Some(port))
            .await;
        user.stop().await;
    }
}
