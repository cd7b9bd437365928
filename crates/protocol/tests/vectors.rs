//! The golden vectors, made with Python's `struct` and not with this crate: each is
//! decoded and compared field by field, and made again from its fields.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use p2pchat_protocol::{
    ChatAnswer, ChatList, ChatText, Contact, ContactDecoder, Hello, Kind, Message, OnlineUser,
    Password, PeerAddr, Request, RequestDecoder, Response, ResponseDecoder, Username,
};
use serde_json::Value;

struct Vector {
    name: String,
    kind: String,
    fields: Value,
    bytes: Vec<u8>,
}

impl Vector {
    fn text(&self, field: &str) -> &str {
        self.fields[field].as_str().unwrap()
    }

    fn number(&self, field: &str) -> u8 {
        self.fields[field].as_u64().unwrap().try_into().unwrap()
    }

    fn username(&self, field: &str) -> Username {
        self.text(field).parse().unwrap()
    }

    fn chat_list(&self) -> ChatList {
        self.fields["chat_list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|address| address.as_str().unwrap().parse().unwrap())
            .collect()
    }
}

fn vectors(kinds: &[&str]) -> Vec<Vector> {
    let all: Vec<Value> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    assert_eq!(all.len(), 32);
    let chosen: Vec<Vector> = all
        .into_iter()
        .map(|vector| Vector {
            name: vector["name"].as_str().unwrap().to_owned(),
            kind: vector["kind"].as_str().unwrap().to_owned(),
            bytes: from_hex(vector["hex"].as_str().unwrap()),
            fields: vector["fields"].clone(),
        })
        .filter(|vector| kinds.contains(&vector.kind.as_str()))
        .collect();
    assert!(!chosen.is_empty());
    chosen
}

fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn every_vector_has_a_test() {
    let tested = vectors(&[
        "registry_request",
        "registry_response",
        "hello",
        "chat_request",
        "notify",
        "chat_response",
        "message",
    ]);
    assert_eq!(tested.len(), 32);
}

#[test]
fn registry_requests() {
    for vector in vectors(&["registry_request"]) {
        let username = vector.username("username");
        let data = vector.text("data");
        let expected = match vector.number("type") {
            0 => Request::Register {
                username,
                password: Password::new(data).unwrap(),
            },
            1 => Request::Login {
                username,
                password: Password::new(data).unwrap(),
            },
            2 => Request::Search {
                username,
                target: data.parse().unwrap(),
            },
            3 => Request::Logout { username },
            4 => Request::AllOnline { username },
            other => panic!("{}: type {other}", vector.name),
        };
        let mut bytes = &vector.bytes[..];
        let decoded = RequestDecoder::default().next(&mut bytes).unwrap().unwrap();
        assert_eq!(decoded, expected, "{}", vector.name);
        assert_eq!(expected.encode()[..], vector.bytes, "{}", vector.name);
    }
}

#[test]
fn registry_responses() {
    for vector in vectors(&["registry_response"]) {
        let (kind, status) = (vector.number("type"), vector.number("status"));
        let expected = match (kind, status) {
            (0, 20) => Response::Registered,
            (0, 40) => Response::NameTaken,
            (0, 50) => Response::ServerError {
                kind: Kind::Register,
            },
            (1, 21) => Response::LoggedIn,
            (1, 41) => Response::WrongCredentials,
            (2, 22) => Response::Found(vector.text("message").parse().unwrap()),
            (2, 44) => Response::NotFound,
            (3, 25) => Response::LoggedOut,
            (3, 45) => Response::WasNotOnline,
            (4, 24) => Response::Online(online_users(vector.text("list"))),
            (4, 46) => Response::NobodyOnline,
            other => panic!("{}: {other:?}", vector.name),
        };
        let mut decoder = ResponseDecoder::default();
        let mut bytes = &vector.bytes[..];
        let decoded = decoder.next(&mut bytes).unwrap();
        let decoded = decoded.or_else(|| decoder.quiet());
        assert_eq!(decoded.as_ref(), Some(&expected), "{}", vector.name);
        let mut encoded = Vec::new();
        expected.encode(&mut encoded);
        assert_eq!(encoded, vector.bytes, "{}", vector.name);
    }
}

fn online_users(list: &str) -> Vec<OnlineUser> {
    list.split_terminator(" \t\n ")
        .map(|entry| {
            let (name, address) = entry.rsplit_once('-').unwrap();
            OnlineUser {
                name: name.parse().unwrap(),
                address: address.parse().unwrap(),
            }
        })
        .collect()
}

#[test]
fn hellos() {
    for vector in vectors(&["hello"]) {
        let expected = Hello {
            username: vector.username("username"),
        };
        assert_eq!(
            Hello::decode(&vector.bytes),
            Ok(expected),
            "{}",
            vector.name
        );
        assert_eq!(expected.encode()[..], vector.bytes, "{}", vector.name);
    }
}

#[test]
fn chat_requests_and_notifies() {
    for vector in vectors(&["chat_request", "notify"]) {
        let members = vector.chat_list();
        let expected = match vector.number("type") {
            0 => Contact::Request {
                from: vector.username("message"),
                members,
            },
            1 => Contact::Notify {
                newcomer: vector.text("data").parse::<PeerAddr>().unwrap(),
                members,
            },
            other => panic!("{}: type {other}", vector.name),
        };
        let mut decoder = ContactDecoder::default();
        decoder.push(&vector.bytes).unwrap();
        assert_eq!(decoder.finish().unwrap(), expected, "{}", vector.name);
        let mut encoded = Vec::new();
        expected.encode(&mut encoded);
        assert_eq!(encoded, vector.bytes, "{}", vector.name);
    }
}

#[test]
fn chat_responses() {
    for vector in vectors(&["chat_response"]) {
        let expected = match vector.number("status") {
            20 => ChatAnswer::Accepted,
            40 => ChatAnswer::Rejected,
            other => panic!("{}: status {other}", vector.name),
        };
        let packet: &[u8; ChatAnswer::LEN] = vector.bytes[..].try_into().unwrap();
        assert_eq!(ChatAnswer::decode(packet), expected, "{}", vector.name);
        assert_eq!(expected.encode()[..], vector.bytes, "{}", vector.name);
    }
}

#[test]
fn messages() {
    for vector in vectors(&["message"]) {
        let expected = Message {
            kind: vector.number("type"),
            from: vector.username("username"),
            text: ChatText::new(vector.text("message")).unwrap(),
        };
        assert_eq!(
            Message::decode(&vector.bytes),
            Ok(expected),
            "{}",
            vector.name
        );
        assert_eq!(expected.encode()[..], vector.bytes, "{}", vector.name);
    }
}
