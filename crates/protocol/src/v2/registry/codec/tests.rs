use super::*;
use crate::Username;
use crate::v2::key::{DeviceKey, Signature};
use crate::v2::registry::{MAX_FIRST, MAX_FROM_REGISTRY};
use crate::v2::{DisplayName, FrameDecoder, Passphrase};

fn certificate() -> Certificate {
    Certificate {
        device: DeviceKey(PublicKey([1; 32])),
        person: PersonKey(PublicKey([2; 32])),
        signature: Signature([3; 64]),
    }
}

fn name() -> Username {
    "bob".parse().unwrap()
}

fn to_registry() -> Vec<ToRegistry> {
    let password = Passphrase::new("a long password of many words").unwrap();
    vec![
        ToRegistry::SignUp(SignUp {
            name: name(),
            password: password.clone(),
            certificate: certificate(),
            display_name: "Bob B.".parse().unwrap(),
        }),
        ToRegistry::SignIn(SignIn {
            name: name(),
            certificate: certificate(),
            password: Some(password.clone()),
            port: 5858,
            version_1: true,
            status: Status::Away,
        }),
        ToRegistry::Subscribe,
        ToRegistry::Lookup(name()),
        ToRegistry::LookupKey(certificate().person),
        ToRegistry::SetStatus(Status::Busy),
        ToRegistry::SetDisplayName(DisplayName::default()),
        ToRegistry::ChangePassword {
            old: password.clone(),
            new: password,
        },
        ToRegistry::AllowVersion1(true),
        ToRegistry::SignOut,
        ToRegistry::Ping,
    ]
}

fn seat() -> Seat {
    Seat {
        name: name(),
        device: Some(certificate().device.id()),
    }
}

fn state() -> SeatState {
    SeatState {
        endpoint: Endpoint {
            address: "10.0.0.9".parse().unwrap(),
            port: 5858,
        },
        version_1: true,
        status: Status::Available,
        serial: 1,
        display_name: Some("Bob".parse().unwrap()),
    }
}

fn from_registry() -> Vec<FromRegistry> {
    vec![
        FromRegistry::Welcome { time: 7 },
        FromRegistry::Done,
        FromRegistry::Refused(Refusal::NoAddress),
        FromRegistry::SignedIn(SignedIn {
            serial: 2,
            display_name: DisplayName::default(),
            address: "10.0.0.9".parse().unwrap(),
            allows_version_1: false,
        }),
        FromRegistry::Found(Binding {
            name: name(),
            serial: 3,
            person: Some(certificate().person),
            display_name: "Bob".parse().unwrap(),
            devices: vec![certificate(); MAX_DEVICES],
        }),
        FromRegistry::Snapshot {
            users: vec![(seat(), Some(state()))],
            begins: true,
            ends: false,
        },
        FromRegistry::Delta(vec![(seat(), None)]),
        FromRegistry::Pong,
        FromRegistry::Goodbye(Goodbye::Replaced),
    ]
}

fn frame(bytes: &[u8]) -> Frame {
    let mut rest = bytes;
    let frame = FrameDecoder::default().next(&mut rest, bytes.len());
    assert!(rest.is_empty());
    frame.unwrap().unwrap()
}

#[test]
fn what_is_encoded_is_decoded_the_same() {
    for sent in to_registry() {
        let mut bytes = Vec::new();
        sent.encode(&mut bytes);
        assert!(bytes.len() <= MAX_FIRST, "{sent:?}");
        assert_eq!(ToRegistry::decode(&frame(&bytes)), Ok(Some(sent)));
    }
    for sent in from_registry() {
        let mut bytes = Vec::new();
        sent.encode(&mut bytes);
        assert_eq!(FromRegistry::decode(&frame(&bytes)), Ok(Some(sent)));
    }
}

#[test]
fn a_user_in_a_snapshot_takes_at_most_64_bytes_with_a_name_as_people_have() {
    let state = SeatState {
        display_name: Some("Maximilian Mustermann".parse().unwrap()),
        ..state()
    };
    let mut bytes = Vec::new();
    FromRegistry::Delta(vec![(seat(), Some(state))]).encode(&mut bytes);
    assert!(bytes.len() - frame::HEAD <= 64, "{}", bytes.len());
}

#[test]
fn the_longest_users_fit_into_a_frame() {
    let seat = Seat {
        name: "abcdefghij".parse().unwrap(),
        ..seat()
    };
    let endpoint = Endpoint {
        port: u16::MAX,
        ..state().endpoint
    };
    let state = SeatState {
        endpoint,
        status: Status::Away,
        serial: u64::MAX,
        display_name: Some("x".repeat(DisplayName::MAX).parse().unwrap()),
        ..state()
    };
    let mut bytes = Vec::new();
    FromRegistry::Delta(vec![(seat, Some(state)); FromRegistry::USERS]).encode(&mut bytes);
    assert!(
        bytes.len() - frame::HEAD <= MAX_FROM_REGISTRY,
        "{}",
        bytes.len()
    );
}

#[test]
fn unknown_kinds_of_the_upper_half_are_skipped_and_others_end_the_session() {
    let unknown = |kind| Frame {
        kind,
        message: Vec::new(),
    };
    assert_eq!(ToRegistry::decode(&unknown(128)), Ok(None));
    assert_eq!(FromRegistry::decode(&unknown(255)), Ok(None));
    assert_eq!(ToRegistry::decode(&unknown(64)), Err(Malformed::Kind(64)));
    assert_eq!(FromRegistry::decode(&unknown(0)), Err(Malformed::Kind(0)));
}

#[test]
fn values_that_are_not_allowed_are_refused() {
    let refused = |kind, message: &[u8]| {
        let message = message.to_vec();
        ToRegistry::decode(&Frame { kind, message })
    };
    for (kind, message) in [
        (kind::LOOKUP, &b""[..]),
        (kind::LOOKUP, b"\x0a\x0belevenbytes"),
        (kind::LOOKUP, b"\x0a\x02\xff\xff"),
        (kind::LOOKUP_KEY, b""),
        (kind::LOOKUP_KEY, b"\x0a\x03bob"),
        (kind::LOOKUP_KEY, &[&b"\x0a\x21"[..], &[7; 33]].concat()),
        (kind::SET_STATUS, b"\x08\x03"),
        (kind::ALLOW_VERSION_1, b"\x08\x02"),
        (kind::SIGN_IN, b"\x0a\x03bob"),
        (kind::CHANGE_PASSWORD, b"\x0a\x01a"),
        (kind::PING, b"\xff"),
    ] {
        assert_eq!(
            refused(kind, message),
            Err(Malformed::Message(kind)),
            "{kind}"
        );
    }
}

fn decoded(kind: u8, message: Vec<u8>) -> Result<Option<FromRegistry>, Malformed> {
    FromRegistry::decode(&Frame { kind, message })
}

#[test]
fn a_list_has_a_greatest_length_and_no_other_message_is_as_long() {
    let user = b"\x0a\x05\x0a\x03bob";
    assert!(decoded(kind::DELTA, user.repeat(FromRegistry::USERS)).is_ok());
    let users = user.repeat(FromRegistry::USERS + 1);
    let refused = decoded(kind::DELTA, users);
    assert_eq!(refused, Err(Malformed::Message(kind::DELTA)));
    // An unknown field is passed over, but not one of any length.
    let unknown = |length: usize| [&b"\x7a\x80\x20"[..], &vec![0; length - 3]].concat();
    assert_eq!(
        decoded(kind::PONG, unknown(4096 + 3)),
        Err(Malformed::Message(kind::PONG))
    );
    let binding = Binding {
        name: "abcdefghij".parse().unwrap(),
        serial: u64::MAX,
        person: Some(certificate().person),
        display_name: "x".repeat(DisplayName::MAX).parse().unwrap(),
        devices: vec![certificate(); MAX_DEVICES],
    };
    let mut bytes = Vec::new();
    FromRegistry::Found(binding).encode(&mut bytes);
    assert!(bytes.len() - frame::HEAD <= MAX_TO_REGISTRY);
}

#[test]
fn a_snapshot_has_nobody_who_is_gone() {
    let gone = b"\x0a\x05\x0a\x03bob".to_vec();
    assert_eq!(
        decoded(kind::SNAPSHOT, gone),
        Err(Malformed::Message(kind::SNAPSHOT))
    );
}

#[test]
fn a_password_is_nowhere_but_where_it_is_read_from() {
    let sent = &to_registry()[0];
    let mut bytes = Vec::new();
    sent.encode(&mut bytes);
    assert_eq!(bytes.capacity(), bytes.len(), "the buffer did not grow");
    assert!(!format!("{sent:?} {:?}", frame(&bytes)).contains("words"));
}
