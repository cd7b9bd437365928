//! The limits on connections and frames.

use std::num::NonZeroUsize;
use std::time::Duration;

use futures::SinkExt;
use hyper_tungstenite::tungstenite::protocol::frame::Frame;
use hyper_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use hyper_tungstenite::tungstenite::{Bytes, Message};
use p2pchat_bridge::limits::MAX_FRAME_BYTES;
use p2pchat_bridge::{Assets, Limits, Secret, Service, Setup};
use p2pchat_common::rate_limit::Rate;
use p2pchat_model::{Command, ConversationId, Event};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::support::{
    Bridge, Page, TestOptions, closed, open_profile, own_address, read_all, within,
};

/// More bytes than a header may have.
const MUCH: usize = 100_000;

#[tokio::test]
async fn a_header_that_is_too_big_is_refused() {
    let bridge = Bridge::start().await;
    let host = bridge.address;
    let long = "x".repeat(MUCH);
    let many = "a: b\r\n".repeat(1000);
    for (request, statuses) in [
        (
            format!("GET / HTTP/1.1\r\nHost: {host}\r\nx: {long}\r\n\r\n"),
            &[431][..],
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: {host}\r\n{many}\r\n"),
            &[431],
        ),
        (
            format!("GET /{long} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            &[414, 431],
        ),
    ] {
        let answer = bridge.raw(request.as_bytes()).await;
        // The answer may be lost where the request was not read to its end.
        let status = answer
            .split(' ')
            .nth(1)
            .map_or(431, |status| status.parse().unwrap());
        assert!(statuses.contains(&status), "{answer}");
    }
    assert_eq!(bridge.get("/", "").await.status(), 200);
}

#[tokio::test]
async fn a_header_that_does_not_come_ends_the_connection() {
    let bridge = Bridge::limited(|limits| limits.header_timeout = Duration::from_millis(200)).await;
    for start in ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x"] {
        let mut stream = bridge.connect().await;
        stream.write_all(start.as_bytes()).await.unwrap();
        let answer = read_all(&mut stream).await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let host = bridge.address;
    let mut kept = bridge.connect().await;
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    kept.write_all(request.as_bytes()).await.unwrap();
    // Ends, though it could have been used again.
    assert!(read_all(&mut kept).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_header_that_drips_ends_the_connection() {
    let bridge = Bridge::limited(|limits| limits.header_timeout = Duration::from_millis(200)).await;
    let mut stream = bridge.connect().await;
    within("the end", async {
        stream.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
        while stream.write_all(b"y").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_not_read_holds_its_slot_for_a_time_only() {
    let bridge = Bridge::limited(|limits| {
        limits.http_life = Duration::from_millis(200);
        limits.connections = NonZeroUsize::MIN;
    });
    let bridge = bridge.await;
    let host = bridge.address;
    let mut greedy = bridge.connect().await;
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    // Asks without end and reads nothing.
    let asking =
        tokio::spawn(async move { while greedy.write_all(request.as_bytes()).await.is_ok() {} });
    within("the end", asking).await.unwrap();
    within("a free slot", async {
        while bridge.get("/", "").await.status() != 200 {}
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_finishes_its_last_request_is_evicted_too() {
    let http_life = Duration::from_millis(50);
    let profile = open_profile(p2pchat_peer::Options {
        registry: "127.0.0.1:9".to_owned(),
        hello_port: 9,
        address: Some(own_address()),
        unprivileged: true,
        ..p2pchat_peer::Options::default()
    });
    let profile = profile.await;
    let setup = Setup {
        secret: Secret::random().unwrap(),
        assets: Assets::from_files([]),
        origins: Vec::new(),
        limits: Limits {
            connections: NonZeroUsize::MIN,
            http_life,
            // Longer than the test has patience.
            finish_timeout: Duration::from_secs(3600),
            ..Limits::default()
        },
    };
    let service = Service::new("127.0.0.1:7878".parse().unwrap(), profile.clone(), setup);
    let request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:7878\r\nConnection: close\r\n\r\n";
    let serve = |stream| {
        let service = service.clone();
        tokio::spawn(async move { service.serve(stream).await })
    };

    // The pipe holds less than the answer, which is never read.
    let (mut stuck, stream) = duplex(request.len());
    let first = serve(stream);
    stuck.write_all(request).await.unwrap();
    tokio::time::sleep(4 * http_life).await;
    assert!(!first.is_finished());

    let (mut client, stream) = duplex(4096);
    serve(stream);
    client.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    within("an answer", client.read_to_end(&mut answer))
        .await
        .unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    within("the eviction", first).await.unwrap();
    profile.close().await.unwrap();
}

#[tokio::test]
async fn garbage_gets_400_and_harms_nobody() {
    let bridge = Bridge::start().await;
    let mut page = bridge.page().await;
    let host = bridge.address;
    for garbage in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\xff\xfe: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ] {
        let answer = bridge.raw(garbage).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{garbage:?}: {answer}");
    }
    let http2 = bridge.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert_eq!(http2, "", "there is no HTTP/2 to answer it in");
    for (path, headers, status) in [
        ("/ws", "", 426),
        ("/ws", "Upgrade: websocket\r\n", 426),
        ("/ws", "Upgrade: h2c\r\nConnection: upgrade\r\n", 426),
    ] {
        assert_eq!(
            bridge.get(path, headers).await.status(),
            status,
            "{headers}"
        );
    }
    let origin = format!("Host: {host}\r\nOrigin: http://{host}\r\n");
    let upgrade = "Upgrade: websocket\r\nConnection: upgrade\r\n";
    for headers in [
        "",
        "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: x\r\n",
        "Sec-WebSocket-Version: 13\r\n",
    ] {
        let request = format!("GET /ws HTTP/1.1\r\n{origin}{upgrade}{headers}\r\n");
        let mut stream = bridge.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        within("an answer", stream.read_exact(&mut answer))
            .await
            .unwrap();
        assert_eq!(&answer, b"HTTP/1.1 400", "{headers}");
    }
    page.send_text("{\"command\":\"busy\",\"on\":true}").await;
    page.until_view("an answer", |view| view.busy).await;
}

#[tokio::test]
async fn a_frame_that_is_too_big_closes_the_socket() {
    let bridge = Bridge::start().await;
    let mut page = bridge.page().await;
    let _ = page
        .stream
        .send(Message::text(" ".repeat(MAX_FRAME_BYTES + 1)))
        .await;
    let lost = page.until("an answer", |event| match event {
        Event::Failed(failure) => Some(failure.message.clone()),
        _ => None,
    });
    assert!(lost.await.contains("at most 1048576 bytes"));
    assert_eq!(closed(&mut page).await, (1009, "too big".to_owned()));

    // The same in pieces, none of which is too big.
    let mut page = bridge.page().await;
    let piece = Bytes::from(vec![b' '; MAX_FRAME_BYTES * 2 / 3]);
    for opcode in [Data::Text, Data::Continue] {
        let frame = Frame::message(piece.clone(), OpCode::Data(opcode), false);
        let _ = page.stream.send(Message::Frame(frame)).await;
    }
    assert_eq!(closed(&mut page).await, (1009, "too big".to_owned()));

    // The secret too.
    let mut page = bridge.visit().connect().await.unwrap();
    let _ = page
        .stream
        .send(Message::text(" ".repeat(MAX_FRAME_BYTES + 1)))
        .await;
    assert_eq!(closed(&mut page).await, (1009, "too big".to_owned()));
}

#[tokio::test]
async fn a_text_that_is_too_long_is_answered_and_the_socket_stays() {
    let bridge = Bridge::start().await;
    let mut page = bridge.page().await;
    for length in [70_000, MAX_FRAME_BYTES - 100] {
        let text = "x".repeat(length);
        let conversation = ConversationId::OPEN;
        page.send(&Command::Say {
            conversation,
            text,
            reply_to: None,
        })
        .await;
        let failure = page.until("an answer", |event| match event {
            Event::Failed(failure) => Some(failure.clone()),
            _ => None,
        });
        assert_eq!(failure.await.command, "say");
    }
    page.send_text("{\"command\":\"busy\",\"on\":true}").await;
    page.until_view("an answer", |view| view.busy).await;
}

#[tokio::test]
async fn a_page_is_told_that_the_peer_has_stopped_and_the_bridge_ends() {
    let bridge = Bridge::start().await;
    let address = bridge.address;
    let mut page = bridge.page().await;
    let mut stranger = bridge.visit().connect().await.unwrap();
    let ending = tokio::spawn(bridge.lose_profile());
    for page in [&mut page, &mut stranger] {
        let expected = (1001, "the peer has stopped".to_owned());
        assert_eq!(closed(page).await, expected);
    }
    let error = ending.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("the bridge has stopped"), "{error}");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn bytes_that_are_no_websocket_frame_end_the_socket() {
    let bridge = Bridge::start().await;
    let mut other = bridge.page().await;
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xff; 100],
        &[0x81, 0x05, b'h', b'e', b'l', b'l', b'o'],
    ] {
        let mut page = bridge.page().await;
        page.stream.get_mut().write_all(bytes).await.unwrap();
        assert_eq!(closed(&mut page).await.0, 1002, "{bytes:?}");
    }
    other.send_text("{\"command\":\"busy\",\"on\":true}").await;
    other.until_view("an answer", |view| view.busy).await;
}

#[tokio::test]
async fn binary_frames_close_the_socket() {
    let bridge = Bridge::start().await;
    let mut page = bridge.page().await;
    page.stream
        .send(Message::binary(vec![1, 2, 3]))
        .await
        .unwrap();
    assert_eq!(closed(&mut page).await, (1003, "only text".to_owned()));
}

#[tokio::test]
async fn frames_that_come_too_fast_are_held_back_and_none_is_lost() {
    const FRAMES: u32 = 150;
    let rate = Rate {
        burst: 10,
        interval: Duration::from_millis(5),
    };
    let bridge = Bridge::limited(|limits| limits.frames = rate).await;
    let mut page = bridge.page().await;
    let began = Instant::now();
    for turn in 0..FRAMES {
        page.send(&Command::Busy { on: turn % 2 == 0 }).await;
    }
    for turn in 0..FRAMES {
        let on = page.until("an answer", is_busy).await;
        assert_eq!(on, turn % 2 == 0, "in order");
    }
    assert!(began.elapsed() >= rate.interval * (FRAMES - rate.burst));
    let mut other = bridge.page().await;
    other.send(&Command::Busy { on: true }).await;
    assert!(other.until("an answer", is_busy).await);
}

#[tokio::test]
async fn a_client_that_is_held_back_for_long_does_not_count_as_gone() {
    const FRAMES: u32 = 4;
    let bridge = Bridge::limited(|limits| {
        limits.frames = Rate {
            burst: 1,
            interval: Duration::from_millis(400),
        };
        limits.ping_every = Duration::from_millis(20);
        limits.dead_after = Duration::from_millis(200);
    });
    let bridge = bridge.await;
    let mut page = bridge.page().await;
    for turn in 0..FRAMES {
        page.send(&Command::Busy { on: turn % 2 == 0 }).await;
    }
    for turn in 0..FRAMES {
        let on = page.until("an answer", is_busy).await;
        assert_eq!(on, turn % 2 == 0, "in order");
    }
}

#[tokio::test]
async fn a_client_that_is_held_back_is_told_at_once_that_the_bridge_stops() {
    let bridge = Bridge::limited(|limits| {
        limits.frames = Rate {
            burst: 1,
            // Longer than the test has patience.
            interval: Duration::from_secs(3600),
        };
    });
    let bridge = bridge.await;
    let mut page = bridge.page().await;
    for turn in 0..100 {
        page.send(&Command::Busy { on: turn % 2 == 0 }).await;
    }
    assert!(page.until("the first answer", is_busy).await);
    let stopping = tokio::spawn(bridge.stop());
    assert_eq!(
        closed(&mut page).await,
        (1001, "the bridge stops".to_owned())
    );
    stopping.await.unwrap();
}

fn is_busy(event: &Event) -> Option<bool> {
    match event {
        Event::Busy { on } => Some(*on),
        _ => None,
    }
}

#[tokio::test]
async fn a_burst_of_a_user_passes() {
    let bridge = Bridge::start().await;
    let mut page = bridge.page().await;
    for round in 0..45 {
        page.send(&Command::Busy { on: round % 2 == 0 }).await;
    }
    for round in 0..45 {
        assert_eq!(page.until("an answer", is_busy).await, round % 2 == 0);
    }
}

#[tokio::test]
async fn a_malformed_frame_is_answered_to_its_sender_alone() {
    let bridge = Bridge::start().await;
    let mut page = bridge.page().await;
    let mut other = bridge.page().await;
    for text in [
        "",
        "{",
        "null",
        "{\"command\":\"shout\"}",
        "{\"command\":\"login\",\"name\":\"a\",\"password\":31415926}",
    ] {
        page.send_text(text).await;
        let failure = page.until("an answer", |event| match event {
            Event::Failed(failure) if failure.command == "?" => Some(failure.clone()),
            _ => None,
        });
        let failure = failure.await;
        assert!(!failure.message.contains("31415926"), "{}", failure.message);
    }
    page.send(&Command::Busy { on: true }).await;
    let bad = other.until("the busy switch", |event| match event {
        Event::Busy { .. } => Some(false),
        Event::Failed(_) => Some(true),
        _ => None,
    });
    assert!(!bad.await);
}

#[tokio::test]
async fn too_many_malformed_frames_close_the_socket() {
    let bridge = Bridge::start().await;
    let mut page = bridge.page().await;
    for _ in 0..11 {
        page.send_text("x").await;
    }
    assert_eq!(
        closed(&mut page).await,
        (4007, "too many malformed frames".to_owned())
    );
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let bridge = Bridge::limited(|limits| limits.connections = NonZeroUsize::new(2).unwrap()).await;
    let mut page = bridge.page().await;
    let second = bridge.page().await;
    assert_eq!(bridge.get("/", "").await.status(), 503);
    drop(second);
    within("a free slot", async {
        while bridge.get("/", "").await.status() != 200 {}
    })
    .await;
    page.send(&Command::Busy { on: true }).await;
    page.until_view("an answer", |view| view.busy).await;
}

#[tokio::test]
async fn nobody_keeps_the_user_out_by_holding_connections_open() {
    let bridge = Bridge::limited(|limits| limits.connections = NonZeroUsize::new(8).unwrap()).await;
    let host = bridge.address;
    let mut held = Vec::new();
    for n in 0..16 {
        let mut stream = bridge.connect().await;
        // Some say nothing, some ask and stay, some are sockets without a secret.
        let request = match n % 3 {
            0 => String::new(),
            1 => format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            _ => format!(
                "GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\
                 Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            ),
        };
        stream.write_all(request.as_bytes()).await.unwrap();
        held.push(stream);
    }
    assert_eq!(bridge.get("/", "").await.status(), 200);
    let mut page = bridge.page().await;
    for _ in 0..16 {
        held.push(bridge.connect().await);
    }
    page.send(&Command::Busy { on: true }).await;
    page.until_view("an answer", |view| view.busy).await;
}

#[tokio::test]
async fn thousands_of_connections_do_not_disturb_the_page_that_is_there() {
    let bridge = Bridge::limited(|limits| limits.header_timeout = Duration::from_millis(500)).await;
    let mut page = bridge.page().await;
    let mut crowd = Vec::new();
    for round in 0..3000 {
        if let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_secs(1), TcpStream::connect(bridge.address)).await
        {
            crowd.push(stream);
        }
        if round % 500 == 0 {
            let on = !page.view.busy;
            page.send(&Command::Busy { on }).await;
            page.until_view("an answer", |view| view.busy == on).await;
        }
        // A process has a limited number of files.
        if crowd.len() == 400 {
            crowd.clear();
        }
    }
    within("a free slot", async {
        while bridge.get("/", "").await.status() != 200 {}
    })
    .await;
}

#[tokio::test]
async fn a_client_that_answers_no_ping_counts_as_gone() {
    let bridge = Bridge::limited(|limits| {
        limits.ping_every = Duration::from_millis(50);
        limits.dead_after = Duration::from_millis(200);
        limits.connections = NonZeroUsize::MIN;
    });
    let bridge = bridge.await;
    // Held open, and not even a ping is answered.
    let silent = bridge.page().await;
    within("a free slot", async {
        while bridge.get("/", "").await.status() != 200 {}
    })
    .await;
    drop(silent);

    let mut alive = within("a slot", async {
        loop {
            if let Ok(page) = bridge.visit().connect().await {
                return page;
            }
        }
    })
    .await;
    alive.greet(bridge.secret.expose()).await;
    alive.begin().await;
    let until = Instant::now() + Duration::from_millis(600);
    // Reading answers the pings.
    let end = tokio::time::timeout_at(until, closed(&mut alive)).await;
    assert!(end.is_err(), "{end:?}");
}

#[tokio::test]
async fn a_page_that_is_too_slow_gets_a_fresh_view_and_holds_up_nobody() {
    let mut options = TestOptions {
        send_buffer: Some(4096),
        ..TestOptions::default()
    };
    options.limits.frames.burst = 1_000_000;
    // Longer than the test has patience: it is not the time that counts here.
    options.limits.write_timeout = Duration::from_secs(3600);
    options.limits.dead_after = Duration::from_secs(3600);
    let bridge = Bridge::start_with(options).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(bridge.address).await.unwrap();
    let mut slow = bridge.visit().connect_by(stream).await.unwrap();
    slow.greet(bridge.secret.expose()).await;
    slow.begin().await;

    // More than the peer and the system keep for it.
    let mut quick = bridge.page().await;
    for _ in 0..200 {
        toggle(&mut quick, 50).await;
    }
    let missed = slow.until("a fresh view", |event| match event {
        Event::View(snapshot) => Some(snapshot.missed),
        _ => None,
    });
    assert!(missed.await > 0);
    assert_eq!(slow.view.busy, quick.view.busy);
    toggle(&mut quick, 1).await;
    let on = quick.view.busy;
    slow.until_view("the last event", |view| view.busy == on)
        .await;
}

/// Causes this many events, and reads them.
async fn toggle(page: &mut Page, times: usize) {
    for _ in 0..times {
        let on = !page.view.busy;
        page.view.busy = on;
        page.send(&Command::Busy { on }).await;
    }
    let mut seen = 0;
    while seen < times {
        seen += usize::from(matches!(*page.event().await, Event::Busy { .. }));
    }
}
