//! The hook: what it sends first, what it makes of frames and of closes.

use std::cell::RefCell;
use std::rc::Rc;

use p2pchat_model::{Call, Command, Update};
use p2pchat_web::bridge::{Bridge, Connection, Endpoint, Refusal, use_bridge};
use wasm_bindgen_test::wasm_bindgen_test;
use yew::prelude::*;

use crate::support::{Fake, Mounted, SECRET, VIEW, js, mount, wait_for};

/// What the hook reported, and what it can do.
#[derive(Clone, Default)]
struct Log {
    frames: Rc<RefCell<Vec<Update>>>,
    connections: Rc<RefCell<Vec<Connection>>>,
    bridge: Rc<RefCell<Option<Bridge>>>,
}

impl Log {
    fn last(&self) -> Option<Connection> {
        self.connections.borrow().last().copied()
    }

    fn waiting(&self) -> usize {
        let waits = |connection: &&Connection| matches!(connection, Connection::Waiting { .. });
        self.connections.borrow().iter().filter(waits).count()
    }
}

#[derive(Properties, Clone)]
struct Props {
    endpoint: Endpoint,
    log: Log,
}

impl PartialEq for Props {
    fn eq(&self, other: &Self) -> bool {
        self.endpoint == other.endpoint
    }
}

#[component]
fn Probe(props: &Props) -> Html {
    let (frames, connections) = (props.log.frames.clone(), props.log.connections.clone());
    let bridge = use_bridge(
        Some(props.endpoint.clone()),
        Callback::from(move |frame| frames.borrow_mut().push(frame)),
        Callback::from(move |connection| connections.borrow_mut().push(connection)),
    );
    *props.log.bridge.borrow_mut() = Some(bridge);
    html! {}
}

fn probe(host: &str) -> (Mounted<Probe>, Log) {
    let endpoint = Endpoint::of_page("http:", host, &format!("#{SECRET}")).unwrap();
    let log = Log::default();
    (
        mount::<Probe>(Props {
            endpoint,
            log: log.clone(),
        }),
        log,
    )
}

#[wasm_bindgen_test]
async fn a_bridge_that_is_not_there_is_tried_again_and_again() {
    // A real WebSocket to a port where nobody listens.
    js("window.WebSocket = window.realSocket ?? window.WebSocket");
    let (_mounted, log) = probe("127.0.0.1:9");
    wait_for("two tries", || log.waiting() >= 2).await;
    assert!(log.frames.borrow().is_empty());
}

#[wasm_bindgen_test]
async fn the_secret_goes_first_and_the_view_makes_it_live() {
    let fake = Fake::install();
    let (_mounted, log) = probe("127.0.0.1:7878");
    wait_for("a connection", || fake.count() == 1).await;
    assert_eq!(
        js("window.sockets[0].url + ' ' + window.sockets[0].protocol")
            .as_string()
            .unwrap(),
        "ws://127.0.0.1:7878/ws p2pchat.v2"
    );
    let send = log.bridge.borrow().as_ref().unwrap().send.clone();
    fake.open();
    send.emit(Call::with_id(1, Command::Refresh));
    let sent = fake.sent();
    assert_eq!(sent.len(), 1, "nothing else before the view");
    let greeting = format!(r#"{{"secret":"{SECRET}","front_end":""#);
    let rest = sent[0].strip_prefix(&greeting).unwrap();
    let (front_end, rest) = rest.split_once('"').unwrap();
    assert_eq!((front_end.len(), rest), (32, r#","version":2}"#));
    fake.say(VIEW);
    assert_eq!(log.last(), Some(Connection::Live));
    send.emit(Call::with_id(1, Command::Refresh));
    assert_eq!(fake.sent()[1], r#"{"id":1,"command":"refresh"}"#);
    fake.say(r#"{"event":"busy","on":true}"#);
    fake.say(r#"{"event":"of_a_later_version"}"#);
    fake.say("not even json");
    assert_eq!(log.frames.borrow().len(), 2);
    assert_eq!(log.last(), Some(Connection::Live));
}

#[wasm_bindgen_test]
async fn a_lost_connection_is_made_again_and_greets_again() {
    let fake = Fake::install();
    let (_mounted, log) = probe("127.0.0.1:7878");
    fake.welcome(VIEW).await;
    let greeting = fake.sent()[0].clone();
    fake.drop(1006);
    assert!(matches!(log.last(), Some(Connection::Waiting { .. })));
    wait_for("another connection", || fake.count() == 2).await;
    fake.welcome(VIEW).await;
    // It is the same front end: its calls are known by their ids.
    assert_eq!(fake.sent()[0], greeting);
    assert_eq!(log.last(), Some(Connection::Live));
    fake.drop(4003);
    wait_for("a connection at once", || fake.count() == 3).await;
}

#[wasm_bindgen_test]
async fn a_refusal_is_final() {
    for (code, refusal) in [(4001, Refusal::WrongSecret), (4002, Refusal::OtherVersion)] {
        let fake = Fake::install();
        let (_mounted, log) = probe("127.0.0.1:7878");
        wait_for("a connection", || fake.count() == 1).await;
        fake.open();
        fake.drop(code);
        assert_eq!(log.last(), Some(Connection::Refused(refusal)));
    }
    let later = VIEW.replace(r#""version":2"#, r#""version":3"#);
    for first in [r#"{"a view of":"another version"}"#, &later] {
        let fake = Fake::install();
        let (_mounted, log) = probe("127.0.0.1:7878");
        fake.welcome(first).await;
        assert_eq!(log.last(), Some(Connection::Refused(Refusal::OtherVersion)));
    }
}

#[wasm_bindgen_test]
async fn leaving_the_page_closes_the_connection() {
    let fake = Fake::install();
    let (mounted, log) = probe("127.0.0.1:7878");
    fake.welcome(VIEW).await;
    drop(mounted);
    wait_for("the close", || {
        js("window.sockets[0].readyState").as_f64() == Some(3.0)
    })
    .await;
    let before = log.frames.borrow().len();
    fake.say(r#"{"event":"busy","on":true}"#);
    assert_eq!(log.frames.borrow().len(), before);
}
