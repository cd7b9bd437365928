//! Which clients are let in.

use std::time::Duration;

use futures::SinkExt;
use hyper_tungstenite::tungstenite::{Bytes, Message};
use p2pchat_bridge::Secret;
use p2pchat_model::Link;
use tokio::time::Instant;

use crate::support::{Bridge, DEV_ORIGIN, closed, within};

#[tokio::test]
async fn the_first_frame_is_the_view() {
    let bridge = Bridge::start().await;
    let page = bridge.page().await;
    assert_eq!(page.view.address, Some(bridge.peer()));
    assert_eq!(page.view.registry, "127.0.0.1:9");
    assert_ne!(page.view.link, Link::Up);
}

#[tokio::test]
async fn the_url_carries_the_secret_where_no_request_does() {
    let bridge = Bridge::start().await;
    let (address, secret) = (bridge.address, bridge.secret.expose());
    assert_eq!(bridge.url, format!("http://{address}/#{secret}"));
}

#[tokio::test]
async fn a_wrong_secret_closes_the_socket() {
    let bridge = Bridge::start().await;
    let other = Secret::random().unwrap();
    let right = bridge.secret.expose();
    for secret in [other.expose(), "", &right[..63], &format!("{right}0")] {
        let mut page = bridge.visit().connect().await.unwrap();
        page.greet(secret).await;
        assert_eq!(page.text().await, Err((4001, "wrong secret".to_owned())));
    }
}

#[tokio::test]
async fn a_first_frame_that_is_no_greeting_closes_the_socket() {
    let bridge = Bridge::start().await;
    for text in [
        "",
        "\"leave\"",
        "[]",
        "{}",
        "{\"secret\":1}",
        bridge.secret.expose(),
    ] {
        let mut page = bridge.visit().connect().await.unwrap();
        page.send_text(text).await;
        assert_eq!(
            page.text().await,
            Err((4001, "wrong secret".to_owned())),
            "{text}"
        );
    }
    let mut page = bridge.visit().connect().await.unwrap();
    let greeting = format!("{{\"secret\":\"{}\"}}", bridge.secret.expose());
    page.stream.send(Message::binary(greeting)).await.unwrap();
    assert_eq!(page.text().await, Err((4001, "wrong secret".to_owned())));
}

#[tokio::test]
async fn a_client_that_shows_no_secret_in_time_is_closed() {
    let bridge = Bridge::limited(|limits| limits.secret_timeout = Duration::from_millis(200)).await;
    let mut page = bridge.visit().connect().await.unwrap();
    assert_eq!(
        page.text().await,
        Err((4001, "no secret in time".to_owned()))
    );

    let mut late = bridge.visit().connect().await.unwrap();
    let began = Instant::now();
    // Signs of life are no secret.
    let end = within("the end", async {
        loop {
            let ping = late.stream.send(Message::Ping(Bytes::new())).await;
            let next = tokio::time::timeout(Duration::from_millis(20), late.text()).await;
            match next {
                Ok(closed) if ping.is_ok() => return closed,
                _ => {}
            }
        }
    });
    assert_eq!(end.await, Err((4001, "no secret in time".to_owned())));
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn the_secret_has_three_seconds() {
    let bridge = Bridge::start().await;
    let mut page = bridge.visit().connect().await.unwrap();
    let began = Instant::now();
    assert_eq!(
        page.text().await,
        Err((4001, "no secret in time".to_owned()))
    );
    let took = began.elapsed();
    assert!((2..5).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn pages_of_other_origins_are_not_let_in() {
    let bridge = Bridge::start().await;
    let port = bridge.address.port();
    let other_port = port ^ 1;
    for origin in [
        "http://evil.example".to_owned(),
        format!("http://evil.example:{port}"),
        "null".to_owned(),
        format!("http://127.0.0.1:{other_port}"),
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.2:{port}"),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1:{port}.evil.example"),
        String::new(),
    ] {
        let visit = bridge.visit().with("origin", origin.as_str());
        assert_eq!(visit.connect().await.err(), Some(403), "{origin}");
        let page = bridge.get("/", &format!("Origin: {origin}\r\n")).await;
        assert_eq!(page.status(), 403, "{origin}");
        // Not even the right secret helps.
        let right = format!("Bearer {}", bridge.secret.expose());
        let visit = bridge
            .visit()
            .with("origin", origin.as_str())
            .with("authorization", right);
        assert_eq!(visit.connect().await.err(), Some(403), "{origin}");
    }
}

#[tokio::test]
async fn a_page_of_the_developer_is_let_in_with_the_secret() {
    let bridge = Bridge::start().await;
    let visit = bridge.visit().with("origin", DEV_ORIGIN);
    let mut page = visit.connect().await.unwrap();
    page.greet(bridge.secret.expose()).await;
    page.begin().await;
    assert_eq!(page.view.address, Some(bridge.peer()));
}

#[tokio::test]
async fn a_name_that_resolves_to_loopback_is_not_our_host() {
    let bridge = Bridge::start().await;
    let port = bridge.address.port();
    for host in [
        format!("evil.example:{port}"),
        format!("evil.localhost:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("192.168.1.2:{port}"),
    ] {
        // A page at that name: it is its own origin.
        let origin = format!("http://{host}");
        let visit = bridge
            .visit()
            .with("host", host.as_str())
            .with("origin", origin);
        assert_eq!(visit.connect().await.err(), Some(421), "{host}");
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = bridge.raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
        assert!(answer.contains("localhost"), "says what to do: {answer}");
    }
    let none = bridge
        .raw(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        .await;
    assert!(none.starts_with("HTTP/1.1 400 "), "{none}");
}

#[tokio::test]
async fn every_loopback_name_is_our_host() {
    let bridge = Bridge::start().await;
    let port = bridge.address.port();
    for host in [
        format!("localhost:{port}"),
        format!("127.1.2.3:{port}"),
        format!("[::1]:{port}"),
        // Forwarded from another port, as by `ssh -L`.
        format!("127.0.0.1:{}", port ^ 1),
        "localhost".to_owned(),
    ] {
        let origin = format!("http://{host}");
        let visit = bridge
            .visit()
            .with("host", host.as_str())
            .with("origin", origin);
        let mut page = visit.connect().await.unwrap();
        page.greet(bridge.secret.expose()).await;
        page.begin().await;
    }
}

#[tokio::test]
async fn a_script_shows_the_secret_in_a_header_and_sends_none() {
    let bridge = Bridge::start().await;
    let script = || {
        bridge
            .visit()
            .without("origin")
            .without("sec-websocket-protocol")
    };
    assert_eq!(script().connect().await.err(), Some(401));
    let wrong = format!("Bearer {}", Secret::random().unwrap().expose());
    for shown in [wrong.as_str(), "Bearer", "Basic x", bridge.secret.expose()] {
        let refused = script().with("authorization", shown).connect().await;
        assert_eq!(refused.err(), Some(401), "{shown}");
    }
    let right = format!("Bearer {}", bridge.secret.expose());
    let mut let_in = script()
        .with("authorization", right)
        .connect()
        .await
        .unwrap();
    let_in.begin().await;
    assert_eq!(let_in.view.address, Some(bridge.peer()));
}

#[tokio::test]
async fn a_page_of_another_version_is_told_so() {
    let bridge = Bridge::start().await;
    for visit in [
        bridge.visit().with("sec-websocket-protocol", "p2pchat.v1"),
        bridge
            .visit()
            .with("sec-websocket-protocol", "p2pchat.v1, p2pchat.v3"),
        bridge.visit().without("sec-websocket-protocol"),
        bridge.visit().path("/ws?protocol=p2pchat.v1"),
    ] {
        let mut page = visit.connect().await.unwrap();
        assert_eq!(
            closed(&mut page).await,
            (4002, "another version".to_owned())
        );
    }
}

#[tokio::test]
async fn a_proxy_that_drops_the_subprotocol_does_not_hide_the_version() {
    let bridge = Bridge::start().await;
    let visit = bridge.visit().without("sec-websocket-protocol");
    let mut page = visit
        .path("/ws?protocol=p2pchat.v2")
        .connect()
        .await
        .unwrap();
    page.greet(bridge.secret.expose()).await;
    page.begin().await;
}

#[tokio::test]
async fn the_version_in_the_greeting_counts_too() {
    let bridge = Bridge::start().await;
    let secret = bridge.secret.expose();
    for (version, expected) in [
        ("1", (4002, "another version".to_owned())),
        ("3", (4002, "another version".to_owned())),
        ("\"2\"", (4007, "malformed greeting".to_owned())),
    ] {
        let mut page = bridge.visit().connect().await.unwrap();
        let greeting = format!("{{\"secret\":\"{secret}\",\"version\":{version}}}");
        page.send_text(&greeting).await;
        assert_eq!(page.text().await, Err(expected), "{version}");
    }
    // Who does not know the secret learns nothing about the rest.
    let mut page = bridge.visit().connect().await.unwrap();
    page.send_text("{\"secret\":\"x\",\"version\":1}").await;
    assert_eq!(page.text().await, Err((4001, "wrong secret".to_owned())));
}

#[tokio::test]
async fn a_front_end_may_say_its_id_and_one_that_is_no_id_is_refused() {
    let bridge = Bridge::start().await;
    let secret = bridge.secret.expose();
    let mut page = bridge.visit().connect().await.unwrap();
    page.send_text(&format!("{{\"secret\":\"{secret}\"}}"))
        .await;
    page.begin().await;
    let mut page = bridge.visit().connect().await.unwrap();
    page.greet_as("tab-1", secret).await;
    page.begin().await;
    for id in ["", "a b", &"x".repeat(65)] {
        let mut page = bridge.visit().connect().await.unwrap();
        page.greet_as(id, secret).await;
        let expected = (4007, "malformed greeting".to_owned());
        assert_eq!(page.text().await, Err(expected), "{id}");
    }
}
