//! The hook: what it sends first, what it makes of frames and of closes.

use std::cell::RefCell;
use std::rc::Rc;

use p2pchat_model::Command;
use p2pchat_web::bridge::{Bridge, Connection, Endpoint, Frame, Refusal, use_bridge};
use wasm_bindgen_test::wasm_bindgen_test;
use yew::prelude::*;

use crate::support::{Fake, Mounted, SECRET, VIEW, js, mount, wait_for};

/// What the hook reported, and what it can do.
#[derive(Clone, Default)]
struct Log {
    frames: Rc<RefCell<Vec<Frame>>>,
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
        "ws://127.0.0.1:7878/ws p2pchat.v1"
    );
    let send = log.bridge.borrow().as_ref().unwrap().send.clone();
    fake.open();
    send.emit(Command::Refresh);
    assert_eq!(
        fake.sent(),
        [format!(r#"{{"secret":"{SECRET}"}}"#)],
        "nothing else before the view"
    );
    fake.say(VIEW);
    assert_eq!(log.last(), Some(Connection::Live));
    send.emit(Command::Refresh);
    assert_eq!(fake.sent()[1], r#""refresh""#);
    fake.say(r#"{"busy":{"on":true}}"#);
    fake.say(r#"{"an_event_of_a_later_version":{}}"#);
    fake.say("not even json");
    assert_eq!(log.frames.borrow().len(), 2);
    assert_eq!(log.last(), Some(Connection::Live));
}

#[wasm_bindgen_test]
async fn a_lost_connection_is_made_again_and_greets_again() {
    let fake = Fake::install();
    let (_mounted, log) = probe("127.0.0.1:7878");
    fake.welcome(VIEW).await;
    fake.drop(1006);
    assert!(matches!(log.last(), Some(Connection::Waiting { .. })));
    wait_for("another connection", || fake.count() == 2).await;
    fake.welcome(VIEW).await;
    assert!(fake.sent()[0].contains(SECRET));
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
    let fake = Fake::install();
    let (_mounted, log) = probe("127.0.0.1:7878");
    fake.welcome(r#"{"a view of":"another version"}"#).await;
    assert_eq!(log.last(), Some(Connection::Refused(Refusal::OtherVersion)));
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
    fake.say(r#"{"busy":{"on":true}}"#);
    assert_eq!(log.frames.borrow().len(), before);
}
