//! The limits on what is sent to the socket, and front ends that do not read.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use p2pchat_testkit::SOON;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Registry, talk};

const GREETING: &[u8] = b"{\"version\":2,\"front_end\":\"test\"}\n";

#[test]
fn who_does_not_greet_in_order_is_told_why() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let front = ann.json();
    front.event("view");
    let socket = ann.socket();
    let refused = |lines: &[u8]| {
        let answer = talk(&socket, lines);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["refused"].as_str().unwrap().to_owned()
    };
    assert!(refused(b"hello\n").contains("the first line has to be"));
    let other = refused(b"{\"version\":3,\"front_end\":\"x\"}\n");
    assert!(
        other.contains("speaks version 2 of the contract and not 3"),
        "{other}"
    );
    let bad_id = refused(b"{\"version\":2,\"front_end\":\"a b\"}\n");
    assert!(bad_id.contains("the id of a front end"), "{bad_id}");
    // Too long a line, and none at all.
    assert_eq!(talk(&socket, &vec![b'x'; 2 * 1024 * 1024]), "");
    let start = Instant::now();
    assert_eq!(talk(&socket, b""), "");
    assert!(start.elapsed() < SOON);
}

#[test]
fn a_line_that_is_no_call_is_answered_and_the_next_one_counts() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let front = ann.json();
    front.event("view");
    let mut stream = UnixStream::connect(ann.socket()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let lines = [
        GREETING,
        b"{\"id\":4,\"command\":\"shout\"}\n",
        b"{\"id\":5,\"command\":\"busy\",\"on\":true}\n",
    ];
    stream.write_all(&lines.concat()).unwrap();
    let updates = BufReader::new(stream).lines().map(|line| {
        let update: Value = serde_json::from_str(&line.unwrap()).unwrap();
        update
    });
    let mut answers: Vec<Value> = updates
        .filter(|update| update["event"] == "failed" || update["event"] == "done")
        .take(2)
        .collect();
    answers.sort_by_key(|answer| answer["re"].as_u64());
    assert_eq!(
        (&answers[0]["re"], &answers[0]["code"]),
        (&json!(4), &json!("bad_command"))
    );
    assert_eq!(
        (&answers[1]["re"], &answers[1]["event"]),
        (&json!(5), &json!("done"))
    );
}

#[test]
fn more_front_ends_than_there_is_room_for_are_refused_and_room_comes_back() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let front = ann.json();
    front.event("view");
    let socket = ann.socket();
    let connect = || {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.write_all(GREETING).unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        (stream, line)
    };
    let mut connected = Vec::new();
    let refused = loop {
        let (stream, line) = connect();
        if line.contains("\"refused\"") {
            break line;
        }
        connected.push(stream);
        assert!(connected.len() < 1000);
    };
    assert_eq!(connected.len(), 128);
    assert!(refused.contains("128 front ends are attached"), "{refused}");
    connected.pop();
    p2pchat_testkit::wait_blocking("room", SOON, || {
        connect().1.contains("\"view\"").then_some(())
    });
}

#[test]
fn a_front_end_that_does_not_read_delays_no_one_and_gets_the_view_again() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    // The first one runs the peer.
    let mut first = ann.json();
    first.event("view");
    let (slow, mut second) = (ann.json(), ann.json());
    for front in [&slow, &second] {
        front.event("view");
    }
    first.register("ann");
    slow.signal(Signal::STOP);
    // More than every buffer on the way to it holds.
    let pad = "x".repeat(500);
    let start = Instant::now();
    for id in 1..=8000 {
        let text = format!("{id} {pad}");
        first.call(&json!({"command": "draft", "id": id, "conversation": "open", "text": text}));
        if id % 50 == 0 {
            assert_eq!(first.answer(id)["event"], "done");
        }
    }
    let last = |update: &Value| {
        update["event"] == "draft" && update["text"].as_str().unwrap().starts_with("8000 ")
    };
    second.update("last draft", last);
    assert!(start.elapsed() < SOON * 2, "{:?}", start.elapsed());
    second.call(&json!({"command": "busy", "id": 1, "on": true}));
    assert_eq!(second.answer(1)["event"], "done");
    slow.signal(Signal::CONT);
    let view = slow.update_within(SOON, "new view", |update| update["event"] == "view");
    assert!(view["missed"].as_u64().unwrap() > 0, "{}", view["missed"]);
    let draft = view["view"]["conversations"][0]["draft"].as_str().unwrap();
    assert!(draft.starts_with("8000 "), "{draft}");
}
