//! The golden vectors of version 2, made by Python (`make_vectors_2.py`) and not by this crate:
//! each frame is decoded and compared with its fields, and made again from them.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::net::Ipv4Addr;

use p2pchat_protocol::v2::frame::{Frame, FrameDecoder, HEAD};
use p2pchat_protocol::v2::registry::{MAX_FIRST, MAX_FROM_REGISTRY, MAX_TO_REGISTRY};
use p2pchat_protocol::v2::{
    Binding, Certificate, DeviceId, DisplayName, Endpoint, FromRegistry, Goodbye, Malformed,
    Passphrase, PersonKey, PublicKey, Refusal, Seat, SeatState, SeatUpdate, SignIn, SignUp,
    SignedIn, Status, ToRegistry,
};
use p2pchat_protocol::{PeerAddr, Username};
use serde_json::Value;

fn vectors(list: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("vectors-2.json")).unwrap();
    let list = all[list].as_array().unwrap().clone();
    assert!(!list.is_empty());
    list
}

fn bytes(value: &Value) -> Vec<u8> {
    let hex = value.as_str().unwrap();
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The one frame in these bytes, cut in two places.
fn frame(bytes: &[u8], limit: usize) -> Frame {
    let mut decoder = FrameDecoder::default();
    let (mut first, mut second) = bytes.split_at(bytes.len() / 2);
    let early = decoder.next(&mut first, limit).unwrap();
    assert!(first.is_empty());
    let frame = match early {
        Some(frame) => frame,
        None => decoder.next(&mut second, limit).unwrap().unwrap(),
    };
    assert!(second.is_empty());
    frame
}

/// The fields of a frame.
struct Fields<'a>(&'a Value);

impl Fields<'_> {
    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap()
    }

    fn number(&self, field: &str) -> u64 {
        self.0[field].as_u64().unwrap()
    }

    fn flag(&self, field: &str) -> bool {
        self.0[field].as_bool().unwrap()
    }

    fn name(&self) -> Username {
        self.text("name").parse().unwrap()
    }

    fn display_name(&self) -> DisplayName {
        self.text("display_name").parse().unwrap()
    }

    fn password(&self, field: &str) -> Passphrase {
        self.text(field).parse().unwrap()
    }

    fn certificate(&self) -> Certificate {
        Certificate::from_bytes(&bytes(&self.0["certificate"])).unwrap()
    }

    /// `None` if it is empty.
    fn person(&self) -> Option<PersonKey> {
        let person = bytes(&self.0["person"]);
        PublicKey::try_from(&person[..]).ok().map(PersonKey)
    }

    fn address(&self) -> PeerAddr {
        let number = u32::try_from(self.number("address")).unwrap();
        PeerAddr::new(Ipv4Addr::from(number)).unwrap()
    }

    fn port(&self) -> u16 {
        self.number("port").try_into().unwrap()
    }

    /// What is written as a number, by the order of its values.
    fn choice<T: Copy>(&self, field: &str, all: &[T], first: u64) -> T {
        all[usize::try_from(self.number(field) - first).unwrap()]
    }

    fn status(&self, field: &str) -> Status {
        let all = [Status::Available, Status::Busy, Status::Away];
        self.choice(field, &all, 0)
    }
}

fn to_registry(kind: u64, fields: &Value) -> ToRegistry {
    let of = Fields(fields);
    match kind {
        1 => ToRegistry::SignUp(SignUp {
            name: of.name(),
            password: of.password("password"),
            certificate: of.certificate(),
            display_name: of.display_name(),
        }),
        2 => ToRegistry::SignIn(SignIn {
            name: of.name(),
            certificate: of.certificate(),
            password: fields.get("password").map(|_| of.password("password")),
            port: of.port(),
            version_1: of.flag("version_1"),
            status: of.status("status"),
        }),
        3 => ToRegistry::Subscribe,
        4 => ToRegistry::Lookup(of.name()),
        5 => ToRegistry::SetStatus(of.status("number")),
        6 => ToRegistry::SetDisplayName(of.text("name").parse().unwrap()),
        7 => ToRegistry::ChangePassword {
            old: of.password("old"),
            new: of.password("new"),
        },
        8 => ToRegistry::AllowVersion1(of.number("number") == 1),
        9 => ToRegistry::SignOut,
        10 => ToRegistry::Ping,
        129 => ToRegistry::LookupKey(of.person().unwrap()),
        _ => panic!("no such kind: {kind}"),
    }
}

fn from_registry(kind: u64, fields: &Value) -> FromRegistry {
    let of = Fields(fields);
    match kind {
        65 => FromRegistry::Welcome {
            time: of.number("time"),
        },
        66 => FromRegistry::Done,
        67 => FromRegistry::Refused(of.choice("number", &Refusal::ALL, 1)),
        68 => FromRegistry::SignedIn(SignedIn {
            serial: of.number("serial"),
            display_name: of.display_name(),
            address: of.address(),
            allows_version_1: of.flag("allows_version_1"),
        }),
        69 => FromRegistry::Found(binding(&of)),
        70 => FromRegistry::Snapshot {
            users: users(fields),
            begins: of.flag("begins"),
            ends: of.flag("ends"),
        },
        71 => FromRegistry::Delta(users(fields)),
        72 => FromRegistry::Pong,
        73 => FromRegistry::Goodbye(of.choice("number", &Goodbye::ALL, 1)),
        _ => panic!("no such kind: {kind}"),
    }
}

fn binding(of: &Fields<'_>) -> Binding {
    let devices = of.0["devices"].as_array().unwrap().iter();
    Binding {
        name: of.name(),
        serial: of.number("serial"),
        person: of.person(),
        display_name: of.display_name(),
        devices: devices
            .map(|device| Certificate::from_bytes(&bytes(device)).unwrap())
            .collect(),
    }
}

fn users(fields: &Value) -> Vec<SeatUpdate> {
    let users = fields["users"].as_array().unwrap().iter();
    users.map(user).collect()
}

fn user(fields: &Value) -> SeatUpdate {
    let of = Fields(fields);
    let device = |id: &Value| DeviceId(id.as_u64().unwrap().to_be_bytes());
    let seat = Seat {
        name: of.name(),
        device: fields.get("device").map(device),
    };
    let is_there = fields.get("address").is_some();
    let state = is_there.then(|| SeatState {
        endpoint: Endpoint {
            address: of.address(),
            port: of.port(),
        },
        version_1: of.flag("version_1"),
        status: fields
            .get("status")
            .map_or(Status::Available, |_| of.status("status")),
        serial: fields.get("serial").map_or(0, |_| of.number("serial")),
        display_name: fields.get("display_name").map(|_| of.display_name()),
    });
    (seat, state)
}

#[test]
fn what_a_client_sends_is_read_and_written_as_by_others() {
    for vector in vectors("to_registry") {
        let expected = to_registry(vector["kind"].as_u64().unwrap(), &vector["fields"]);
        let golden = bytes(&vector["hex"]);
        let frame = frame(&golden, MAX_FIRST);
        assert_eq!(
            ToRegistry::decode(&frame),
            Ok(Some(expected.clone())),
            "{vector}"
        );
        let mut encoded = Vec::new();
        expected.encode(&mut encoded);
        assert_eq!(encoded, golden, "{vector}");
    }
}

#[test]
fn what_a_registry_sends_is_read_and_written_as_by_others() {
    for vector in vectors("from_registry") {
        let expected = from_registry(vector["kind"].as_u64().unwrap(), &vector["fields"]);
        let golden = bytes(&vector["hex"]);
        let frame = frame(&golden, MAX_FROM_REGISTRY);
        assert_eq!(
            FromRegistry::decode(&frame),
            Ok(Some(expected.clone())),
            "{vector}"
        );
        let mut encoded = Vec::new();
        expected.encode(&mut encoded);
        assert_eq!(encoded, golden, "{vector}");
    }
}

#[test]
fn there_is_a_vector_of_every_kind() {
    let to_registry: Vec<u64> = (1..=10).chain([129]).collect();
    let from_registry = (65..=73).collect();
    for (list, kinds) in [
        ("to_registry", to_registry),
        ("from_registry", from_registry),
    ] {
        let vectors = vectors(list);
        let there = |kind: u64| vectors.iter().any(|vector| vector["kind"] == kind);
        assert!(kinds.into_iter().all(there), "{list}");
    }
}

#[test]
fn other_bytes_for_the_same_frame_are_read_the_same() {
    for vector in vectors("odd_to_registry") {
        let expected = to_registry(vector["kind"].as_u64().unwrap(), &vector["fields"]);
        let frame = frame(&bytes(&vector["hex"]), MAX_FIRST);
        assert_eq!(ToRegistry::decode(&frame), Ok(Some(expected)), "{vector}");
    }
}

#[test]
fn the_longest_messages_of_a_client_are_read() {
    for vector in vectors("longest_to_registry") {
        let has_session = vector["session"].as_bool().unwrap();
        let limit = if has_session {
            MAX_TO_REGISTRY
        } else {
            MAX_FIRST
        };
        let frame = frame(&bytes(&vector["hex"]), limit);
        assert_eq!(frame.message.len(), limit);
        assert_eq!(ToRegistry::decode(&frame), Ok(Some(ToRegistry::Ping)));
    }
}

#[test]
fn kinds_of_the_upper_half_are_passed_over() {
    for vector in vectors("skipped") {
        let frame = frame(&bytes(&vector["hex"]), MAX_FIRST);
        assert_eq!(ToRegistry::decode(&frame), Ok(None), "{vector}");
        assert_eq!(FromRegistry::decode(&frame), Ok(None), "{vector}");
    }
}

/// What is wrong with bytes: in the words of the vectors.
fn fault<T>(
    golden: &[u8],
    limit: usize,
    decode: impl Fn(&Frame) -> Result<T, Malformed>,
) -> &'static str {
    let mut head = &golden[..HEAD];
    let mut decoder = FrameDecoder::default();
    if let Err(error) = decoder.next(&mut head, limit) {
        assert!(error.length > error.limit);
        return "length";
    }
    let frame = frame(golden, limit);
    match decode(&frame) {
        Ok(_) => "none",
        Err(Malformed::Kind(kind)) if kind == frame.kind => "kind",
        Err(Malformed::Message(kind)) if kind == frame.kind => "message",
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn each_fault_is_found() {
    for vector in vectors("faults_to_registry") {
        let has_session = vector["session"].as_bool().unwrap();
        let limit = if has_session {
            MAX_TO_REGISTRY
        } else {
            MAX_FIRST
        };
        let found = fault(&bytes(&vector["hex"]), limit, ToRegistry::decode);
        assert_eq!(found, vector["error"], "{}", vector["name"]);
    }
    for vector in vectors("faults_from_registry") {
        let found = fault(
            &bytes(&vector["hex"]),
            MAX_FROM_REGISTRY,
            FromRegistry::decode,
        );
        assert_eq!(found, vector["error"], "{}", vector["name"]);
    }
}

#[test]
fn certificates_are_read_and_written_as_by_others() {
    let lists = ["certificates", "false_certificates"];
    for vector in lists.into_iter().flat_map(vectors) {
        let golden = bytes(&vector["hex"]);
        let read = Certificate::from_bytes(&golden).unwrap();
        assert_eq!(read.to_bytes()[..], golden);
    }
    for vector in vectors("malformed_certificates") {
        let read = Certificate::from_bytes(&bytes(&vector["hex"]));
        assert_eq!(read, None, "{}", vector["name"]);
    }
}

/// The bytes in the examples of a page: the hexadecimal numbers that a line begins with.
fn examples(page: &str) -> Vec<Vec<u8>> {
    let (_, examples) = page.split_once("## 11 An example").unwrap();
    let blocks = examples.split("```").skip(1).step_by(2);
    let byte = |word: &str| (word.len() == 2).then(|| u8::from_str_radix(word, 16).ok())?;
    let line = |line: &str| line.split_whitespace().map_while(byte).collect::<Vec<u8>>();
    blocks
        .map(|block| block.lines().flat_map(line).collect())
        .collect()
}

#[test]
fn the_examples_of_the_page_are_frames() {
    let examples = examples(include_str!("../../../docs/protocol-2.md"));
    let [answered, delta] = &examples[..] else {
        panic!("{examples:?}");
    };
    let mut expected = Vec::new();
    ToRegistry::SetStatus(Status::Away).encode(&mut expected);
    FromRegistry::Done.encode(&mut expected);
    assert_eq!(answered, &expected);
    let vectors = vectors("from_registry");
    let golden = vectors
        .iter()
        .find(|vector| vector["name"] == "delta")
        .unwrap();
    assert_eq!(delta, &bytes(&golden["hex"]));
}
