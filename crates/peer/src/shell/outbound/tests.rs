use std::future::pending;

use p2pchat_model::Username;
use p2pchat_protocol::{ChatList, ChatText};
use tokio::net::TcpListener;

use super::*;
use crate::shell::testing::{listener, own_address, within};

const PATIENCE: Duration = Duration::from_secs(15);
const SHORT: Duration = Duration::from_millis(50);

fn message() -> Message {
    let text = ChatText::new("hello").unwrap();
    Message::new(Username::new("ann").unwrap(), text)
}

fn request() -> Contact {
    Contact::Request {
        from: Username::new("ann").unwrap(),
        members: ChatList::default(),
    }
}

fn notify() -> Contact {
    Contact::Notify {
        newcomer: "127.0.0.9".parse().unwrap(),
        members: ChatList::default(),
    }
}

/// A port at this address at which no program listens.
async fn free_port(at: PeerAddr) -> u16 {
    listener(at).await.1
}

/// A sender, and the address and listeners of a receiver.
struct Pair {
    outbound: Outbound,
    to: PeerAddr,
    contacts: TcpListener,
    messages: TcpListener,
}

async fn pair() -> Pair {
    let to = own_address();
    let (contacts, contact) = listener(to).await;
    let (messages, message) = listener(to).await;
    let ports = Ports {
        contact,
        message,
        unprivileged: free_port(to).await,
    };
    Pair {
        outbound: Outbound::new(own_address(), ports, Clock::start()),
        to,
        contacts,
        messages,
    }
}

/// The bytes of the next connection, the connection, and its source.
async fn receive<const N: usize>(listener: &TcpListener) -> ([u8; N], TcpStream, PeerAddr) {
    let (mut stream, from) = within("a connection", listener.accept()).await.unwrap();
    let mut bytes = [0; N];
    within("a packet", stream.read_exact(&mut bytes))
        .await
        .unwrap();
    let from = from.ip().to_string().parse().unwrap();
    (bytes, stream, from)
}

#[tokio::test]
async fn a_text_that_is_taken_is_confirmed() {
    let pair = pair().await;
    let own = pair.outbound.own;
    let sent = tokio::spawn(pair.outbound.text(pair.to, message(), PATIENCE));

    let (bytes, stream, from) = receive(&pair.messages).await;
    assert_eq!(bytes, message().encode());
    assert_eq!(from, own);
    drop(stream);
    assert_eq!(
        within("the result", sent).await.unwrap(),
        Ok(Acknowledgement::Confirmed)
    );
}

#[tokio::test]
async fn a_text_that_is_not_taken_is_refused() {
    let pair = pair().await;
    let sent = tokio::spawn(pair.outbound.text(pair.to, message(), PATIENCE));

    let (_, stream, _) = receive::<111>(&pair.messages).await;
    net::reset_on_close(&stream);
    drop(stream);
    assert_eq!(
        within("the result", sent).await.unwrap(),
        Err(LeaveReason::Refused)
    );
}

#[tokio::test]
async fn a_text_to_a_peer_that_does_not_close_is_unconfirmed() {
    let pair = pair().await;
    let sent = tokio::spawn(pair.outbound.text(pair.to, message(), SHORT));

    let (_, _stream, _) = receive::<111>(&pair.messages).await;
    assert_eq!(
        within("the result", sent).await.unwrap(),
        Ok(Acknowledgement::Unconfirmed)
    );
}

#[tokio::test]
async fn a_peer_that_listens_at_neither_port_is_unreachable() {
    let Pair {
        outbound,
        to,
        messages,
        ..
    } = pair().await;
    drop(messages);
    let result = within("the result", outbound.text(to, message(), PATIENCE)).await;
    assert_eq!(result, Err(LeaveReason::Unreachable));
}

#[tokio::test]
async fn the_other_message_port_is_tried_and_remembered_until_it_is_refused() {
    let Pair {
        mut outbound,
        to,
        messages,
        ..
    } = pair().await;
    let (unprivileged, port) = listener(to).await;
    outbound.ports.unprivileged = port;
    let privileged = outbound.ports.message;
    drop(messages);

    let sent = tokio::spawn(outbound.clone().text(to, message(), PATIENCE));
    drop(receive::<111>(&unprivileged).await);
    assert_eq!(
        within("the result", sent).await.unwrap(),
        Ok(Acknowledgement::Confirmed)
    );

    // Now both listen: the one that worked gets it.
    let messages = TcpListener::bind((to.ip(), privileged)).await.unwrap();
    let sent = tokio::spawn(outbound.clone().text(to, message(), PATIENCE));
    drop(receive::<111>(&unprivileged).await);
    assert_eq!(
        within("the result", sent).await.unwrap(),
        Ok(Acknowledgement::Confirmed)
    );

    drop(unprivileged);
    let sent = tokio::spawn(outbound.clone().text(to, message(), PATIENCE));
    drop(receive::<111>(&messages).await);
    assert_eq!(
        within("the result", sent).await.unwrap(),
        Ok(Acknowledgement::Confirmed)
    );
    assert_eq!(outbound.remembered(to), Some(privileged));
}

#[tokio::test]
async fn what_is_remembered_is_bounded() {
    let outbound = Outbound::new(own_address(), Ports::STANDARD, Clock::start());
    for host in 0..u32::try_from(MAX_REMEMBERED).unwrap() + 10 {
        let ip = std::net::Ipv4Addr::from(0x0a00_0001 + host);
        outbound.remember(PeerAddr::new(ip).unwrap(), 5859);
    }
    assert_eq!(outbound.remembered.lock().unwrap().len(), 10);
}

#[tokio::test]
async fn no_peer_waits_for_a_slow_one() {
    let pair = pair().await;
    // Accepts all connections, reads nothing, closes none.
    let slow = tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            held.push(pair.messages.accept().await.unwrap());
        }
    });
    let mut stuck = tokio::task::JoinSet::new();
    for _ in 0..100 {
        stuck.spawn(pair.outbound.clone().text(pair.to, message(), PATIENCE));
    }
    let quick = tokio::spawn(pair.outbound.notify(pair.to, notify(), PATIENCE));
    drop(receive::<26>(&pair.contacts).await);
    assert!(within("the result", quick).await.unwrap().is_ok());
    assert_eq!(
        stuck.try_join_next().map(drop),
        None,
        "the slow one keeps them"
    );
    slow.abort();
}

#[tokio::test]
async fn a_request_brings_its_answer() {
    for answer in [ChatAnswer::Accepted, ChatAnswer::Rejected, ChatAnswer::Busy] {
        let pair = pair().await;
        let asked = tokio::spawn(pair.outbound.request(pair.to, request(), PATIENCE));
        let (_, mut stream, _) = receive::<26>(&pair.contacts).await;
        // In two segments.
        let (front, back) = (&answer.encode()[..3], &answer.encode()[3..]);
        stream.write_all(front).await.unwrap();
        tokio::task::yield_now().await;
        stream.write_all(back).await.unwrap();
        assert_eq!(within("the answer", asked).await.unwrap(), Ok(answer));
    }
}

#[tokio::test]
async fn a_request_without_an_answer_ends_at_its_limit_and_breaks_the_connection() {
    let pair = pair().await;
    let limit = Duration::from_millis(300);
    let asked = tokio::spawn(pair.outbound.request(pair.to, request(), limit));
    let (_, mut stream, _) = receive::<26>(&pair.contacts).await;
    assert_eq!(
        within("the end", asked).await.unwrap(),
        Err(RequestFailure::NoAnswer)
    );
    let error = within("the reset", stream.read(&mut [0]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_request_whose_connection_is_closed_has_no_answer() {
    let pair = pair().await;
    let asked = tokio::spawn(pair.outbound.request(pair.to, request(), PATIENCE));
    drop(receive::<26>(&pair.contacts).await);
    assert_eq!(
        within("the end", asked).await.unwrap(),
        Err(RequestFailure::NoAnswer)
    );
}

#[tokio::test]
async fn a_contact_to_no_peer_finds_it_unreachable() {
    let Pair {
        outbound,
        to,
        contacts,
        ..
    } = pair().await;
    drop(contacts);
    let asked = outbound.clone().request(to, request(), PATIENCE);
    assert_eq!(
        within("the end", asked).await,
        Err(RequestFailure::Unreachable)
    );
    let told = outbound.notify(to, notify(), PATIENCE);
    assert_eq!(within("the end", told).await, Err(LeaveReason::Unreachable));
}

#[tokio::test]
async fn a_notify_is_sent_and_ends() {
    let pair = pair().await;
    let told = tokio::spawn(pair.outbound.notify(pair.to, notify(), PATIENCE));
    let (mut stream, _) = within("a connection", pair.contacts.accept())
        .await
        .unwrap();
    let mut bytes = Vec::new();
    within("the end", stream.read_to_end(&mut bytes))
        .await
        .unwrap();
    let mut expected = Vec::new();
    notify().encode(&mut expected);
    assert_eq!(bytes, expected);
    drop(stream);
    let told = within("the result", told).await.unwrap();
    assert_eq!(told, Ok(Acknowledgement::Confirmed));
}

#[tokio::test]
async fn a_notify_that_was_not_closed_in_order_is_unconfirmed() {
    let pair = pair().await;
    let told = pair.outbound.clone().notify(pair.to, notify(), SHORT);
    let (told, open) = tokio::join!(told, receive::<26>(&pair.contacts));
    assert_eq!(told, Ok(Acknowledgement::Unconfirmed));
    drop(open);
    let told = pair.outbound.notify(pair.to, notify(), PATIENCE);
    let (told, ()) = tokio::join!(told, async {
        let (_, stream, _) = receive::<26>(&pair.contacts).await;
        net::reset_on_close(&stream);
    });
    assert_eq!(told, Ok(Acknowledgement::Unconfirmed));
}

#[tokio::test]
async fn no_more_requests_than_the_bound_are_open() {
    let pair = pair().await;
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..MAX_REQUESTS + 5 {
        asked.spawn(pair.outbound.clone().request(pair.to, request(), PATIENCE));
    }
    let mut open = Vec::new();
    for _ in 0..MAX_REQUESTS {
        open.push(receive::<26>(&pair.contacts).await);
    }
    let one_more = timeout(SHORT, pair.contacts.accept()).await;
    assert!(one_more.is_err(), "the bound does not hold");
    open.pop();
    receive::<26>(&pair.contacts).await;
    tokio::select! {
        () = pending() => {}
        ended = asked.join_next() => assert_eq!(ended.unwrap().unwrap(), Err(RequestFailure::NoAnswer)),
    }
}
