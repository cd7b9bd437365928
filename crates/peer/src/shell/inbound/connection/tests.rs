use std::pin::Pin;
use std::task::{self, Poll};

use p2pchat_model::Username;
use p2pchat_protocol::{ChatList, ChatText};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::time::{Instant, sleep};

use super::*;
use crate::shell::testing::within;

const NEVER: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(200);

/// A late packet is dropped soon; nothing counts as quiet.
const HASTY: Deadlines = Deadlines {
    packet: SHORT,
    quiet: NEVER,
    long_quiet: NEVER,
};
/// No packet is late; nothing counts as quiet.
const PATIENT: Deadlines = Deadlines {
    packet: NEVER,
    quiet: NEVER,
    long_quiet: NEVER,
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
async fn a_list_longer_than_a_segment_is_waited_for_longer() {
    let members: Vec<_> = (1..=60).map(|host| format!("10.0.0.{host}")).collect();
    let members: Vec<_> = members.iter().map(String::as_str).collect();
    let (contact, bytes) = request(&members);
    let last_line = "10.0.0.60\n".len();
    assert!(bytes.len() - last_line > net::SMALLEST_SEGMENT);
    let deadlines = Deadlines {
        quiet: Duration::ZERO,
        long_quiet: SHORT,
        ..PATIENT
    };
    let (mut far, mut near) = duplex(4096);
    let (first, rest) = bytes.split_at(bytes.len() - last_line);
    far.write_all(first).await.unwrap();
    let read = tokio::spawn(async move { read_contact(&mut near, deadlines).await });
    tokio::task::yield_now().await;
    far.write_all(rest).await.unwrap();
    let read = within("the contact", read).await.unwrap();
    assert_eq!(read.unwrap(), contact);
}

#[tokio::test]
async fn silence_within_an_address_is_no_end() {
    // Else 10.0.0.25 could be taken for the whole of 10.0.0.255.
    let (contact, bytes) = request(&["127.0.0.2", "10.0.0.255"]);
    let deadlines = Deadlines {
        quiet: Duration::from_millis(1),
        ..PATIENT
    };
    let (mut far, mut near) = duplex(4096);
    let (first, rest) = bytes.split_at(bytes.len() - 2);
    far.write_all(first).await.unwrap();
    let stalled = timeout(SHORT, read_contact(&mut near, deadlines)).await;
    assert!(stalled.is_err(), "{stalled:?}");

    let (mut far, mut near) = duplex(4096);
    far.write_all(first).await.unwrap();
    let read = tokio::spawn(async move { read_contact(&mut near, deadlines).await });
    tokio::task::yield_now().await;
    far.write_all(rest).await.unwrap();
    assert_eq!(within("the contact", read).await.unwrap().unwrap(), contact);
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

/// A connection that the other side resets.
struct Reset;

impl AsyncRead for Reset {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }
}

#[tokio::test]
async fn a_request_that_breaks_after_its_last_byte_was_withdrawn() {
    let (_, bytes) = request(&["127.0.0.2"]);
    for (count, expected) in [
        (bytes.len(), None),
        (bytes.len() - 1, Some(DropReason::Silent)),
    ] {
        let mut stream = AsyncReadExt::chain(&bytes[..count], Reset);
        let error = read_contact(&mut stream, PATIENT).await.unwrap_err();
        assert_eq!(error.drop_reason(), expected, "{count} bytes: {error}");
    }
}
