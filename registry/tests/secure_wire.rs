//! The bytes of version 2 on the wire, against golden vectors that Python made. Nothing in here
//! is encoded or decoded by the crate `p2pchat-protocol`: frames are bytes, over a connection
//! that is encrypted and nothing else.

use p2pchat_secure::{Connector, Expected, SecretKey, Secured};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::support::SOON;
use crate::support::server::TestServer;

const WELCOME: u8 = 65;
const SNAPSHOT: u8 = 70;
const DELTA: u8 = 71;

fn list(name: &str) -> Vec<Value> {
    let all = include_str!("../../crates/protocol/tests/vectors-2.json");
    let all: Value = serde_json::from_str(all).unwrap();
    let list = all[name].as_array().unwrap().clone();
    assert!(!list.is_empty());
    list
}

fn from_hex(value: &Value) -> Vec<u8> {
    let hex = value.as_str().unwrap();
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// A frame by its name in one of the two lists of frames.
fn vector(name: &str) -> Vec<u8> {
    let frames = [list("to_registry"), list("from_registry")].concat();
    let found = frames.iter().find(|vector| vector["name"] == name);
    from_hex(&found.unwrap_or_else(|| panic!("no vector {name}"))["hex"])
}

/// The device of the certificate in the vectors.
fn device() -> SecretKey {
    let certificate = &list("certificates")[0];
    SecretKey::from_seed(from_hex(&certificate["device_seed"]).try_into().unwrap())
}

/// An encrypted connection of that device.
struct Wire {
    runtime: Runtime,
    stream: Secured<TcpStream>,
}

impl Wire {
    fn connect(server: &TestServer) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let stream = runtime.block_on(async {
            let stream = TcpStream::connect(server.tcp).await.unwrap();
            let connector = Connector::new(&device(), b"p2pchat-registry/2");
            let connecting = connector.connect(stream, Expected::Any);
            timeout(SOON, connecting).await.unwrap().unwrap()
        });
        let mut wire = Self { runtime, stream };
        let welcome = wire.frame().expect("a first frame");
        // A time in milliseconds is field 1, a varint of 6 bytes until the year 4199.
        assert_eq!(welcome[..6], [0, 0, 0, 7, WELCOME, 0x08]);
        wire
    }

    fn send(&mut self, bytes: &[u8]) {
        let stream = &mut self.stream;
        self.runtime.block_on(async {
            stream.write_all(bytes).await.unwrap();
            stream.flush().await.unwrap();
        });
    }

    /// The next frame, `None` if the connection ends in order.
    fn frame(&mut self) -> Option<Vec<u8>> {
        let stream = &mut self.stream;
        let reading = async {
            let mut frame = vec![0; 5];
            if stream.read(&mut frame[..1]).await.unwrap() == 0 {
                return None;
            }
            stream.read_exact(&mut frame[1..]).await.unwrap();
            let length = u32::from_be_bytes(frame[..4].try_into().unwrap());
            frame.resize(5 + usize::try_from(length).unwrap(), 0);
            stream.read_exact(&mut frame[5..]).await.unwrap();
            Some(frame)
        };
        let in_time = self
            .runtime
            .block_on(async { timeout(SOON, reading).await });
        in_time.expect("a frame in time")
    }

    /// The next frame that is an answer.
    fn answer(&mut self) -> Vec<u8> {
        loop {
            let frame = self.frame().expect("an answer");
            if ![SNAPSHOT, DELTA].contains(&frame[4]) {
                return frame;
            }
        }
    }

    /// Sends one vector, and expects another one.
    fn exchange(&mut self, sent: &str, expected: &str) {
        self.send(&vector(sent));
        assert_eq!(self.answer(), vector(expected), "{sent}");
    }

    /// Expects to be told that a frame could not be read, and no more.
    fn is_closed(&mut self, why: &str) {
        assert_eq!(self.answer(), vector("goodbye 3"), "{why}");
        assert_eq!(self.frame(), None, "{why}");
    }
}

#[test]
fn the_golden_vectors_of_an_encrypted_session_are_spoken() {
    let server = TestServer::start();
    let mut wire = Wire::connect(&server);
    wire.exchange("ping", "pong");
    for early in [
        "subscribe",
        "lookup",
        "lookup of a person",
        "busy",
        "sign out",
    ] {
        wire.exchange(early, "refused 11");
    }
    wire.exchange("sign in by key", "refused 6");
    wire.exchange("sign in by password", "refused 3");
    wire.exchange("sign up", "done");
    wire.exchange("sign up", "refused 1");
    wire.exchange("sign in by key", "signed in at home");
    wire.exchange("sign in by key", "refused 12");
    wire.exchange("sign up", "refused 12");
    wire.exchange("lookup of bob", "found at home");
    wire.exchange("lookup", "refused 13");
    wire.exchange("lookup of a person", "found at home");
    wire.exchange("lookup of another person", "refused 13");

    wire.exchange("subscribe", "done");
    assert_eq!(wire.frame(), Some(vector("snapshot at home")));
    wire.exchange("busy", "done");
    assert_eq!(wire.frame(), Some(vector("delta, busy at home")));

    for changed in [
        "display name",
        "no display name",
        "allow version 1",
        "allow version 1 no more",
    ] {
        wire.exchange(changed, "done");
    }
    wire.exchange("change password", "refused 3");
    wire.exchange("sign out", "done");
    wire.exchange("sign out", "refused 11");
    wire.exchange("ping", "pong");
}

#[test]
fn odd_frames_are_read_and_unknown_ones_of_the_upper_half_passed_over() {
    let server = TestServer::start();
    let mut wire = Wire::connect(&server);
    for longest in list("longest_to_registry") {
        if longest["session"] == true {
            wire.exchange("sign up", "done");
            wire.exchange("sign in by key", "signed in at home");
        }
        wire.send(&from_hex(&longest["hex"]));
        assert_eq!(wire.answer(), vector("pong"));
    }
    for skipped in list("skipped") {
        wire.send(&from_hex(&skipped["hex"]));
        wire.exchange("ping", "pong");
    }
    for odd in list("odd_to_registry") {
        wire.send(&from_hex(&odd["hex"]));
        let is_password = odd["kind"] == 7;
        let expected = if is_password { "refused 3" } else { "done" };
        assert_eq!(wire.answer(), vector(expected), "{odd}");
    }
}

#[test]
fn each_faulty_frame_ends_its_connection_and_nothing_else() {
    let server = TestServer::start();
    let mut bystander = Wire::connect(&server);
    bystander.exchange("sign up", "done");
    for fault in list("faults_to_registry") {
        let mut wire = Wire::connect(&server);
        let is_long = fault["error"] == "length";
        if is_long && fault["session"] == true {
            wire.exchange("sign in by key", "signed in at home");
        }
        wire.send(&from_hex(&fault["hex"]));
        wire.is_closed(fault["name"].as_str().unwrap());
    }
    bystander.exchange("ping", "pong");
}

/// The certificate in a sign-in is one run of bytes.
#[test]
fn a_certificate_that_is_not_the_devices_is_refused() {
    let server = TestServer::start();
    let mut wire = Wire::connect(&server);
    let sign_in = vector("sign in by key");
    let own = from_hex(&list("certificates")[0]["hex"]);
    let at = sign_in.windows(own.len()).position(|bytes| bytes == own);
    let at = at.unwrap();
    let of_another_device = list("certificates")[1].clone();
    for certificate in list("false_certificates")
        .iter()
        .chain([&of_another_device])
    {
        let mut sent = sign_in.clone();
        sent[at..at + own.len()].copy_from_slice(&from_hex(&certificate["hex"]));
        wire.send(&sent);
        assert_eq!(wire.answer(), vector("refused 8"), "{certificate}");
    }
    wire.exchange("sign in by key", "refused 6");
}
