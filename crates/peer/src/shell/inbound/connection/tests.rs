use p2pchat_model::Username;
use p2pchat_protocol::{ChatList, ChatText};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep};

use super::*;
use crate::shell::testing::within;

const NEVER: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(200);

/// A late packet is dropped soon; nothing counts as quiet.
const HASTY: Deadlines = Deadlines {
    packet: SHORT,
    quiet: NEVER,
};
/// No packet is late; nothing counts as quiet.
const PATIENT: Deadlines = Deadlines {
    packet: NEVER,
    quiet: NEVER,
};

fn request(members: &[&str]) -> (Contact, Vec<u8>) {
    let contact = Contact::Request {
        from: Username::new("ann").unwrap(),
        members: members
            .iter()
            .map(|text| text.parse().unwrap())
            .collect::<ChatList>(),
    };
    let mut bytes = Vec::new();
    contact.encode(&mut bytes);
    (contact, bytes)
}

fn message() -> Message {
    let text = ChatText::new("hello").unwrap();
    Message::new(Username::new("ann").unwrap(), text)
}

/// Writes byte by byte through a pipe that holds one.
fn one_by_one(bytes: Vec<u8>) -> (DuplexStream, tokio::task::JoinHandle<DuplexStream>) {
    let (mut far, near) = duplex(1);
    let writer = tokio::spawn(async move {
        for byte in bytes {
            far.write_all(&[byte]).await.unwrap();
        }
        far
    });
    (near, writer)
}

#[tokio::test]
async fn a_contact_in_any_segments_ends_when_the_stream_goes_quiet() {
    let (contact, bytes) = request(&["127.0.0.2", "10.0.0.255"]);
    let (mut near, writer) = one_by_one(bytes);
    let deadlines = Deadlines {
        quiet: SHORT,
        ..PATIENT
    };
    let read = within("the contact", read_contact(&mut near, deadlines)).await;
    assert_eq!(read.unwrap(), contact);
    drop(writer.await.unwrap());
}

#[tokio::test]
async fn a_contact_ends_where_the_stream_ends() {
    let (contact, bytes) = request(&["127.0.0.2"]);
    let (mut near, writer) = one_by_one(bytes);
    let closed = tokio::spawn(async move { drop(writer.await.unwrap()) });
    let read = within("the contact", read_contact(&mut near, PATIENT)).await;
    assert_eq!(read.unwrap(), contact);
    closed.await.unwrap();
}

#[tokio::test]
async fn a_contact_that_drips_forever_is_dropped_at_its_deadline() {
    let (_, bytes) = request(&["127.0.0.2"]);
    let (mut far, mut near) = duplex(64);
    let dripping = tokio::spawn(async move {
        far.write_all(&bytes).await.unwrap();
        while far.write_all(b"\n").await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    });
    let began = Instant::now();
    let read = within("the end", read_contact(&mut near, HASTY)).await;
    assert!(matches!(read, Err(ConnectionError::Late)), "{read:?}");
    assert!(began.elapsed() >= SHORT);
    dripping.abort();
}

#[tokio::test]
async fn a_head_that_never_ends_is_dropped_at_its_deadline() {
    // Before the head is whole, quiet is no end.
    let deadlines = Deadlines {
        quiet: Duration::from_millis(1),
        ..HASTY
    };
    let (mut far, mut near) = duplex(64);
    far.write_all(&[0; 10]).await.unwrap();
    let began = Instant::now();
    let read = within("the end", read_contact(&mut near, deadlines)).await;
    assert!(matches!(read, Err(ConnectionError::Late)), "{read:?}");
    assert!(began.elapsed() >= SHORT);
}

#[tokio::test]
async fn a_text_may_come_in_any_segments() {
    let (mut near, writer) = one_by_one(message().encode().to_vec());
    let read = within("the text", read_text(&mut near, PATIENT)).await;
    assert_eq!(read.unwrap(), message());
    drop(writer.await.unwrap());
}

#[tokio::test]
async fn half_a_text_is_dropped_at_its_deadline() {
    let (mut far, mut near) = duplex(64);
    far.write_all(b"half a message").await.unwrap();
    let began = Instant::now();
    let read = within("the end", read_text(&mut near, HASTY)).await;
    assert!(matches!(read, Err(ConnectionError::Late)), "{read:?}");
    assert!(began.elapsed() >= SHORT);
}

#[tokio::test]
async fn malformed_bytes_drop_the_connection() {
    let (mut far, mut near) = duplex(256);
    far.write_all(&[9; 26]).await.unwrap();
    let read = read_contact(&mut near, PATIENT).await;
    assert!(matches!(read, Err(ConnectionError::Contact(_))), "{read:?}");

    let (mut far, mut near) = duplex(256);
    far.write_all(&[0xff; Message::LEN]).await.unwrap();
    let read = read_text(&mut near, PATIENT).await;
    assert!(matches!(read, Err(ConnectionError::Message(_))), "{read:?}");
}
