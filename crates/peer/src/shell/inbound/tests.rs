use p2pchat_model::Username;
use p2pchat_protocol::{ChatAnswer, ChatList, ChatText, Contact, Message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::*;
use crate::shell::net::reset_on_close;
use crate::shell::testing::{listener, own_address, within};

mod encrypted;
mod limits;

/// A listener that serves, and its reports.
struct Listening {
    address: PeerAddr,
    port: u16,
    inbound: Inbound,
    reports: mpsc::Receiver<Report>,
}

async fn listen(kind: Kind) -> Listening {
    listen_with(kind, None).await
}

async fn listen_with(kind: Kind, incoming: Option<Incoming>) -> Listening {
    let address = own_address();
    let (listener, port) = listener(address).await;
    let (sender, reports) = mpsc::channel(16);
    let inbound = Inbound::new(sender, Duration::from_secs(15), watch::channel(incoming).1);
    tokio::spawn(inbound.clone().serve(listener, kind));
    Listening {
        address,
        port,
        inbound,
        reports,
    }
}

impl Listening {
    /// A connection from an address of its own.
    async fn connect(&self, own: PeerAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((own.ip(), 0).into()).unwrap();
        let to = (self.address.ip(), self.port).into();
        within("the connection", socket.connect(to)).await.unwrap()
    }

    async fn report(&mut self) -> Report {
        within("a report", self.reports.recv()).await.unwrap()
    }
}

fn message() -> Message {
    let text = ChatText::new("hello").unwrap();
    Message::new(Username::new("ann").unwrap(), text)
}

fn request() -> (Contact, Vec<u8>) {
    let contact = Contact::Request {
        from: Username::new("ann").unwrap(),
        members: ["10.0.0.7", "10.0.0.8"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect(),
    };
    let mut bytes = Vec::new();
    contact.encode(&mut bytes);
    (contact, bytes)
}

async fn end(stream: &mut TcpStream) -> std::io::Result<usize> {
    within("the end", stream.read(&mut [0])).await
}

#[tokio::test]
async fn a_text_is_reported_with_its_source_and_closed_in_order_when_taken() {
    let mut listening = listen(Kind::Texts).await;
    let own = own_address();
    let mut stream = listening.connect(own).await;
    stream.write_all(&message().encode()).await.unwrap();

    let Report::Text {
        from,
        message: arrived,
        taken,
        ..
    } = listening.report().await
    else {
        panic!("no text")
    };
    assert_eq!((from, arrived), (own, message()));
    taken.send(()).unwrap();
    assert_eq!(end(&mut stream).await.unwrap(), 0);
}

#[tokio::test]
async fn what_follows_a_text_does_not_turn_its_confirmation_into_a_reset() {
    let mut listening = listen(Kind::Texts).await;
    let mut stream = listening.connect(own_address()).await;
    let bytes = [&message().encode()[..], b"and more"].concat();
    stream.write_all(&bytes).await.unwrap();

    let Report::Text { taken, .. } = listening.report().await else {
        panic!("no text")
    };
    taken.send(()).unwrap();
    assert_eq!(end(&mut stream).await.unwrap(), 0);
}

#[tokio::test]
async fn a_text_that_is_not_taken_is_answered_with_a_reset() {
    let mut listening = listen(Kind::Texts).await;
    let mut stream = listening.connect(own_address()).await;
    stream.write_all(&message().encode()).await.unwrap();
    stream.shutdown().await.unwrap();

    let Report::Text { taken, .. } = listening.report().await else {
        panic!("no text")
    };
    drop(taken);
    let error = end(&mut stream).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_text_whose_connection_broke_before_it_was_taken_is_not_taken() {
    let address = own_address();
    let (listener, port) = listener(address).await;
    let (sender, mut reports) = mpsc::channel(16);
    let inbound = Inbound::new(sender, Duration::from_secs(15), watch::channel(None).1);
    let send = async |breaks: bool| {
        let socket = TcpSocket::new_v4().unwrap();
        let to = (address.ip(), port).into();
        let mut stream = socket.connect(to).await.unwrap();
        stream.write_all(&message().encode()).await.unwrap();
        stream.shutdown().await.unwrap();
        if breaks {
            reset_on_close(&stream);
            drop(stream);
            return None;
        }
        Some(stream)
    };
    // Both wait for a peer that is busy; the first one's sender gives up.
    send(true).await;
    let mut other = send(false).await.unwrap();
    tokio::spawn(inbound.clone().serve(listener, Kind::Texts));

    let report = within("a report", reports.recv()).await.unwrap();
    let Report::Text { taken, .. } = report else {
        panic!("no text")
    };
    taken.send(()).unwrap();
    assert_eq!(end(&mut other).await.unwrap(), 0);
    assert!(reports.try_recv().is_err(), "the broken one was reported");
    assert_eq!(inbound.dropped(), 1);
}

#[tokio::test]
async fn a_text_whose_receiver_dies_before_taking_it_is_answered_with_a_reset() {
    let mut listening = listen(Kind::Texts).await;
    let mut stream = listening.connect(own_address()).await;
    stream.write_all(&message().encode()).await.unwrap();
    drop(listening.report().await);
    assert!(end(&mut stream).await.is_err());
}

#[tokio::test]
async fn each_connection_has_its_own_id() {
    let mut listening = listen(Kind::Texts).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut stream = listening.connect(own_address()).await;
        stream.write_all(&message().encode()).await.unwrap();
        let Report::Text { conn, .. } = listening.report().await else {
            panic!("no text")
        };
        ids.push(conn);
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_request_in_segments_is_answered_over_its_connection() {
    let mut listening = listen(Kind::Contacts).await;
    let own = own_address();
    let mut stream = listening.connect(own).await;
    stream.set_nodelay(true).unwrap();
    let (contact, bytes) = request();
    for part in bytes.chunks(7) {
        stream.write_all(part).await.unwrap();
        sleep(Duration::from_millis(5)).await;
    }

    let Report::Request {
        from,
        contact: arrived,
        answer,
        ..
    } = listening.report().await
    else {
        panic!("no request")
    };
    assert_eq!((from, arrived), (own, contact));
    stream.write_all(b"late bytes do not matter").await.unwrap();
    answer.send(ChatAnswer::Busy).unwrap();
    let mut packet = [0; ChatAnswer::LEN];
    within("the answer", stream.read_exact(&mut packet))
        .await
        .unwrap();
    assert_eq!(packet, ChatAnswer::Busy.encode());
    assert_eq!(end(&mut stream).await.unwrap(), 0);
}

#[tokio::test]
async fn a_requester_that_closes_its_half_still_gets_its_answer() {
    let mut listening = listen(Kind::Contacts).await;
    let mut stream = listening.connect(own_address()).await;
    stream.write_all(&request().1).await.unwrap();
    stream.shutdown().await.unwrap();

    let Report::Request { answer, .. } = listening.report().await else {
        panic!("no request")
    };
    sleep(Duration::from_millis(50)).await;
    answer.send(ChatAnswer::Accepted).unwrap();
    let mut packet = [0; ChatAnswer::LEN];
    within("the answer", stream.read_exact(&mut packet))
        .await
        .unwrap();
    assert_eq!(ChatAnswer::decode(&packet), ChatAnswer::Accepted);
}

#[tokio::test]
async fn a_request_whose_connection_breaks_is_lost() {
    let mut listening = listen(Kind::Contacts).await;
    let mut stream = listening.connect(own_address()).await;
    stream.write_all(&request().1).await.unwrap();
    let Report::Request { conn, answer, .. } = listening.report().await else {
        panic!("no request")
    };

    reset_on_close(&stream);
    drop(stream);
    let Report::Input(Input::ContactLost { conn: lost }) = listening.report().await else {
        panic!("not lost")
    };
    assert_eq!(lost, conn);
    assert!(answer.is_closed());
}

#[tokio::test]
async fn a_notify_is_reported_and_closed() {
    let mut listening = listen(Kind::Contacts).await;
    let own = own_address();
    let notify = Contact::Notify {
        newcomer: "10.0.0.9".parse().unwrap(),
        members: ChatList::default(),
    };
    let mut bytes = Vec::new();
    notify.encode(&mut bytes);
    let mut stream = listening.connect(own).await;
    stream.write_all(&bytes).await.unwrap();

    let Report::Input(Input::Contact { from, contact, .. }) = listening.report().await else {
        panic!("no notify")
    };
    assert_eq!((from, contact), (own, notify));
    assert_eq!(end(&mut stream).await.unwrap(), 0);
}

#[tokio::test]
async fn malformed_packets_are_dropped_and_counted() {
    let mut listening = listen(Kind::Contacts).await;
    for bytes in [&[7_u8; 26][..], &[0; 26], b"short"] {
        let before = listening.inbound.dropped();
        let mut stream = listening.connect(own_address()).await;
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        // Whether this is a reset or not does not matter.
        let _ = end(&mut stream).await;
        within("the count", async {
            while listening.inbound.dropped() == before {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
    assert!(listening.reports.try_recv().is_err());
}

/// The text of the next report.
async fn next_text(listening: &mut Listening) -> String {
    let Report::Text { message, .. } = listening.report().await else {
        panic!("a text");
    };
    message.text.as_str().to_owned()
}

fn packet_of(text: &str) -> [u8; Message::LEN] {
    let text = ChatText::new(text).unwrap();
    Message::new(Username::new("ann").unwrap(), text).encode()
}

#[tokio::test]
async fn texts_of_one_address_are_reported_in_the_order_of_their_connections() {
    let mut listening = listen(Kind::Texts).await;
    let own = own_address();
    let mut streams = Vec::new();
    for _ in 0..MAX_OPEN_PER_SOURCE {
        streams.push(listening.connect(own).await);
    }
    for (number, stream) in streams.iter_mut().enumerate().rev() {
        stream
            .write_all(&packet_of(&number.to_string()))
            .await
            .unwrap();
    }
    for number in 0..MAX_OPEN_PER_SOURCE {
        assert_eq!(next_text(&mut listening).await, number.to_string());
    }
}

#[tokio::test]
async fn a_silent_connection_holds_up_its_address_for_a_moment_and_no_other() {
    let mut listening = listen(Kind::Texts).await;
    let own = own_address();
    let _silent = listening.connect(own).await;
    let mut held_up = listening.connect(own).await;
    held_up.write_all(&packet_of("held up")).await.unwrap();
    let mut other = listening.connect(own_address()).await;
    other.write_all(&packet_of("other")).await.unwrap();
    assert_eq!(next_text(&mut listening).await, "other");
    assert_eq!(next_text(&mut listening).await, "held up");
}

#[tokio::test]
async fn dropped_connections_are_counted_and_reported() {
    let mut listening = listen(Kind::Contacts).await;
    tokio::spawn(listening.inbound.clone().report_dropped());
    let own = own_address();
    for _ in 0..3 {
        let mut stream = listening.connect(own).await;
        stream.write_all(&[7; 26]).await.unwrap();
        let _ = end(&mut stream).await;
    }
    let mut counted = 0;
    while counted < 3 {
        let Report::Input(Input::Dropped {
            from, why, count, ..
        }) = listening.report().await
        else {
            panic!("no count")
        };
        assert_eq!((from, why), (Some(own), DropReason::Malformed));
        counted += count;
    }
    assert_eq!(counted, 3);
}

#[tokio::test]
async fn closing_ends_the_listener_and_its_connections() {
    let listening = listen(Kind::Texts).await;
    let mut idle = listening.connect(own_address()).await;
    listening.inbound.closing.cancel();
    assert!(end(&mut idle).await.unwrap_or(0) == 0);
    let again = TcpStream::connect((listening.address.ip(), listening.port)).await;
    assert!(again.is_err());
}
