//! Connections of version 2 at the port of contacts.

use p2pchat_protocol::v2::FIRST_BYTE;

use super::*;

/// A listener that hands over what is of version 2, and who it is handed to.
async fn listen_for_both() -> (Listening, mpsc::Receiver<TcpStream>) {
    let (accepted, handed) = mpsc::channel(MAX_OPEN);
    let incoming = Some(Incoming::to(accepted));
    (listen_with(Kind::Contacts, incoming).await, handed)
}

async fn handed_over(handed: &mut mpsc::Receiver<TcpStream>) -> TcpStream {
    within("the connection", handed.recv()).await.unwrap()
}

#[tokio::test]
async fn a_connection_that_begins_as_tls_is_handed_over_with_all_its_bytes() {
    let (mut listening, mut handed) = listen_for_both().await;
    let mut stream = listening.connect(own_address()).await;
    stream.write_all(&[FIRST_BYTE, 3, 1]).await.unwrap();
    let mut taken = handed_over(&mut handed).await;
    let mut bytes = [0; 3];
    within("the bytes", taken.read_exact(&mut bytes))
        .await
        .unwrap();
    assert_eq!(bytes, [FIRST_BYTE, 3, 1]);
    taken.write_all(b"back").await.unwrap();
    let mut answer = [0; 4];
    within("the answer", stream.read_exact(&mut answer))
        .await
        .unwrap();
    assert!(listening.reports.try_recv().is_err());
    assert_eq!(listening.inbound.dropped(), 0);
}

#[tokio::test]
async fn version_1_beside_it_is_as_without_it() {
    let (mut listening, mut handed) = listen_for_both().await;
    let own = own_address();
    let mut stream = listening.connect(own).await;
    let (contact, bytes) = request();
    // The first byte alone, which is looked at and stays.
    stream.set_nodelay(true).unwrap();
    stream.write_all(&bytes[..1]).await.unwrap();
    sleep(Duration::from_millis(20)).await;
    stream.write_all(&bytes[1..]).await.unwrap();
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
    answer.send(ChatAnswer::Accepted).unwrap();
    let mut packet = [0; ChatAnswer::LEN];
    within("the answer", stream.read_exact(&mut packet))
        .await
        .unwrap();
    assert_eq!(ChatAnswer::decode(&packet), ChatAnswer::Accepted);
    assert!(handed.try_recv().is_err());
}

#[tokio::test]
async fn without_who_takes_them_connections_of_version_2_are_malformed_packets() {
    let listening = listen(Kind::Contacts).await;
    let mut stream = listening.connect(own_address()).await;
    stream.write_all(&[FIRST_BYTE; 26]).await.unwrap();
    assert_eq!(end(&mut stream).await.unwrap_or(0), 0);
    assert_eq!(listening.inbound.dropped(), 1);
}

#[tokio::test]
async fn texts_are_of_version_1_alone() {
    let (accepted, mut handed) = mpsc::channel(1);
    let listening = listen_with(Kind::Texts, Some(Incoming::to(accepted))).await;
    let mut stream = listening.connect(own_address()).await;
    stream.write_all(&[FIRST_BYTE; Message::LEN]).await.unwrap();
    assert_eq!(end(&mut stream).await.unwrap_or(0), 0);
    assert!(handed.try_recv().is_err());
}

#[tokio::test]
async fn what_was_handed_over_takes_no_place_of_its_address() {
    let (mut listening, mut handed) = listen_for_both().await;
    let own = own_address();
    let mut held = Vec::new();
    for _ in 0..=MAX_OPEN_PER_SOURCE {
        let mut stream = listening.connect(own).await;
        stream.write_all(&[FIRST_BYTE]).await.unwrap();
        held.push((stream, handed_over(&mut handed).await));
    }
    let mut stream = listening.connect(own).await;
    stream.write_all(&request().1).await.unwrap();
    assert!(matches!(listening.report().await, Report::Request { .. }));
    assert_eq!(listening.inbound.dropped(), 0);
}

#[tokio::test]
async fn until_its_first_byte_is_there_a_connection_has_a_place_of_its_address() {
    let (listening, mut handed) = listen_for_both().await;
    let own = own_address();
    let mut silent = Vec::new();
    for _ in 0..MAX_OPEN_PER_SOURCE {
        silent.push(listening.connect(own).await);
    }
    let mut one_more = listening.connect(own).await;
    assert_eq!(end(&mut one_more).await.unwrap_or(0), 0);
    assert_eq!(listening.inbound.dropped(), 1);
    // Those that wait are of either version yet.
    silent[0].write_all(&[FIRST_BYTE]).await.unwrap();
    handed_over(&mut handed).await;
}
