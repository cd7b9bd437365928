use std::net::{Ipv4Addr, SocketAddr};

use p2pchat_model::Username;
use p2pchat_protocol::{OnlineUser, RequestDecoder};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;
use crate::shell::testing::{listener, own_address, within};

fn name() -> Username {
    Username::new("ann").unwrap()
}

fn online(count: u8) -> Response {
    let users = (1..=count).map(|host| OnlineUser {
        name: name(),
        address: PeerAddr::new(Ipv4Addr::new(10, 0, 0, host)).unwrap(),
    });
    Response::Online(users.collect())
}

/// A link, the registry's end of it, and its tasks.
struct Pair {
    link: Link,
    registry: TcpStream,
    _tasks: JoinSet<()>,
}

fn begin(own: PeerAddr, at: PeerAddr, port: u16) -> (Link, JoinSet<()>) {
    let mut tasks = JoinSet::new();
    let name = RegistryNames::new(&format!("{at}:{port}")).unwrap();
    (Link::connect(&mut tasks, own, name, None, None), tasks)
}

async fn event(link: &mut Link) -> LinkEvent {
    within("an event", link.event()).await
}

async fn response(link: &mut Link) -> Response {
    match event(link).await {
        LinkEvent::Response(response) => response,
        other => panic!("{other:?} is not a response"),
    }
}

async fn down(link: &mut Link) -> String {
    match event(link).await {
        LinkEvent::Down(error) => error.to_string(),
        other => panic!("{other:?} is not an end"),
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, std::net::IpAddr) {
    let (stream, from) = within("a connection", listener.accept()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    (stream, from.ip())
}

async fn pair() -> Pair {
    let (own, at) = (own_address(), own_address());
    let (listener, port) = listener(at).await;
    let (mut link, tasks) = begin(own, at, port);
    let (registry, from) = accept(&listener).await;
    assert_eq!(from, own.ip());
    assert!(matches!(event(&mut link).await, LinkEvent::Up(reached) if *reached.ip() == at.ip()));
    Pair {
        link,
        registry,
        _tasks: tasks,
    }
}

#[tokio::test]
async fn a_link_that_fails_says_from_which_address_the_registry_would_be_reached() {
    let (listener, port) = listener(own_address()).await;
    drop(listener);
    let (mut link, _tasks) = begin(own_address(), own_address(), port);
    let LinkEvent::Down(LinkError::NotConnected { reasons, from }) = event(&mut link).await else {
        panic!("a registry is there");
    };
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(from.is_some_and(|from| from.ip().is_loopback()), "{from:?}");
}

#[tokio::test]
async fn a_conversation_ends_when_its_own_address_is_gone() {
    let forever = std::future::pending;
    // Reserved for documentation (RFC 5737): no machine has it.
    let ended = while_at("192.0.2.1".parse().unwrap(), forever()).await;
    assert!(matches!(ended, Err(LinkError::NetworkGone)), "{ended:?}");
    tokio::time::pause();
    let goes_on = while_at(own_address(), forever());
    let goes_on = tokio::time::timeout(10 * LOOK, goes_on).await;
    assert!(goes_on.is_err(), "{goes_on:?}");
}

#[tokio::test]
async fn requests_are_written_and_responses_become_events() {
    let mut pair = pair().await;
    assert!(pair.link.ask(Request::AllOnline { username: name() }));
    let mut packet = [0; Request::LEN];
    within("the request", pair.registry.read_exact(&mut packet))
        .await
        .unwrap();
    let request = RequestDecoder::default().next(&mut &packet[..]);
    assert!(matches!(request, Some(Ok(Request::AllOnline { .. }))));

    let mut bytes = Vec::new();
    Response::LoggedIn.encode(&mut bytes);
    online(3).encode(&mut bytes);
    for part in bytes.chunks(5) {
        pair.registry.write_all(part).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(response(&mut pair.link).await, Response::LoggedIn);
    assert_eq!(response(&mut pair.link).await, online(3));
}

#[tokio::test]
async fn a_list_ends_when_the_next_response_begins() {
    let mut pair = pair().await;
    let mut bytes = Vec::new();
    online(2).encode(&mut bytes);
    Response::NotFound.encode(&mut bytes);
    pair.registry.write_all(&bytes).await.unwrap();
    assert_eq!(response(&mut pair.link).await, online(2));
    assert_eq!(response(&mut pair.link).await, Response::NotFound);
}

/// The bytes of a response without those that it shares with a shorter one.
fn rest_of(whole: &Response, begun: &Response) -> Vec<u8> {
    let [mut whole_bytes, mut begun_bytes] = [Vec::new(), Vec::new()];
    whole.encode(&mut whole_bytes);
    begun.encode(&mut begun_bytes);
    whole_bytes.split_off(begun_bytes.len())
}

#[tokio::test]
async fn a_list_that_stalls_at_an_entry_goes_on_with_the_next_one() {
    let mut pair = pair().await;
    let mut bytes = Vec::new();
    online(2).encode(&mut bytes);
    pair.registry.write_all(&bytes).await.unwrap();
    // The registry stalls until the silence counts as the end.
    assert_eq!(response(&mut pair.link).await, online(2));
    for (before, now) in [(2, 5), (5, 6)] {
        let rest = rest_of(&online(now), &online(before));
        pair.registry.write_all(&rest).await.unwrap();
        match event(&mut pair.link).await {
            LinkEvent::ListContinued(users) => assert_eq!(Response::Online(users), online(now)),
            other => panic!("{other:?} does not continue the list"),
        }
    }
    // What is asked next has its answer, and the list is not told again.
    let mut bytes = Vec::new();
    Response::NotFound.encode(&mut bytes);
    online(1).encode(&mut bytes);
    pair.registry.write_all(&bytes).await.unwrap();
    assert_eq!(response(&mut pair.link).await, Response::NotFound);
    assert_eq!(response(&mut pair.link).await, online(1));
}

#[tokio::test]
async fn a_list_longer_than_a_segment_is_waited_for_as_long_as_segments_are_sent_again() {
    let mut pair = pair().await;
    let mut bytes = Vec::new();
    online(60).encode(&mut bytes);
    assert!(bytes.len() > net::SMALLEST_SEGMENT);
    pair.registry.write_all(&bytes).await.unwrap();
    let written = tokio::time::Instant::now();
    assert_eq!(response(&mut pair.link).await, online(60));
    assert!(written.elapsed() >= Duration::from_millis(950));
}

#[tokio::test]
async fn the_end_of_the_connection_has_its_text() {
    let Pair {
        mut link,
        registry,
        _tasks,
    } = pair().await;
    drop(registry);
    let reason = down(&mut link).await;
    assert!(reason.contains("closed the connection"), "{reason}");
}

#[tokio::test]
async fn a_server_that_is_not_a_registry_has_its_text() {
    let mut pair = pair().await;
    pair.registry
        .write_all(b"HTTP/1.1 400 Bad Request\r\n")
        .await
        .unwrap();
    let reason = down(&mut pair.link).await;
    assert!(reason.contains("is not a p2pchat registry"), "{reason}");
}

#[tokio::test]
async fn a_registry_that_does_not_listen_has_its_text() {
    let (own, at) = (own_address(), own_address());
    let port = listener(at).await.1;
    let (mut link, _tasks) = begin(own, at, port);
    let reason = down(&mut link).await;
    assert!(
        reason.contains(&format!("nothing answers at {at}, port {port}")),
        "{reason}"
    );
}

#[tokio::test]
async fn a_name_that_cannot_be_resolved_has_its_text() {
    let mut tasks = JoinSet::new();
    let name = RegistryNames::new("no-such-host.invalid:3131").unwrap();
    let mut link = Link::connect(&mut tasks, own_address(), name, None, None);
    let reason = down(&mut link).await;
    assert!(reason.contains("its name cannot be resolved"), "{reason}");
}

#[tokio::test]
async fn a_link_that_is_dropped_sends_its_requests_and_closes_in_order() {
    // Often, because it may depend on which of its channels the task looks at first.
    for _ in 0..10 {
        let Pair {
            link,
            mut registry,
            _tasks: mut tasks,
        } = pair().await;
        link.ask(Request::Logout { username: name() });
        drop(link);
        let mut bytes = Vec::new();
        within("the end", registry.read_to_end(&mut bytes))
            .await
            .unwrap();
        assert_eq!(bytes, Request::Logout { username: name() }.encode());
        drop(registry);
        within("the end of its task", tasks.join_next()).await;
    }
}

#[tokio::test]
async fn a_registry_that_does_not_read_gets_no_endless_queue() {
    // The system accepts, so the link connects, but no one reads. The queue is filled
    // before its task can run.
    let (own, at) = (own_address(), own_address());
    let (_listener, port) = listener(at).await;
    let (link, _tasks) = begin(own, at, port);
    let taken = (0..1000)
        .take_while(|_| link.ask(Request::AllOnline { username: name() }))
        .count();
    assert_eq!(taken, MAX_REQUESTS);
}

#[tokio::test]
async fn of_several_the_next_one_is_taken_where_one_is_gone() {
    let own = own_address();
    let (first, first_port) = listener(own_address()).await;
    let (second, second_port) = listener(own_address()).await;
    let at = [&first, &second].map(|listener| match listener.local_addr().unwrap() {
        SocketAddr::V4(at) => at,
        SocketAddr::V6(_) => unreachable!("an IPv4 listener"),
    });
    assert_eq!(at.map(|at| at.port()), [first_port, second_port]);
    let names = RegistryNames::new(&format!("{},{}", at[0], at[1])).unwrap();
    let mut tasks = JoinSet::new();
    let mut reached = async |last| {
        let mut link = Link::connect(&mut tasks, own, names.clone(), last, None);
        match event(&mut link).await {
            LinkEvent::Up(at) => Ok(at),
            LinkEvent::Down(error) => Err(error.to_string()),
            other => panic!("{other:?} unasked"),
        }
    };
    assert_eq!(reached(None).await, Ok(at[0]));
    // The link to the first broke, for whatever reason.
    assert_eq!(reached(Some(at[0])).await, Ok(at[1]));
    assert_eq!(reached(Some(at[1])).await, Ok(at[0]));
    drop(first);
    assert_eq!(reached(Some(at[1])).await, Ok(at[1]));
    drop(second);
    let reason = reached(None).await.unwrap_err();
    for at in at {
        let answer = format!("answers at {}, port {}", at.ip(), at.port());
        assert!(reason.contains(&answer), "{reason}");
    }
}
