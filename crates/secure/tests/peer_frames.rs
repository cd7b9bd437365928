//! The golden vectors of the frames between peers, made by Python
//! (`crates/protocol/tests/make_vectors_2.py`) and not by our crates: each is read, compared with
//! its fields, and made again from them.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use p2pchat_protocol::v2::conversation::roster::{Add, RosterEntry};
use p2pchat_protocol::v2::conversation::talk::TalkEntry;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, Place};
use p2pchat_protocol::v2::frame::{FrameDecoder, HEAD};
use p2pchat_protocol::v2::peer::{
    Bye, Ending, Ephemeral, Frame, Have, Heads, Hello, Item, MAX_FIRST, MAX_TO_PEER, Short, ToPeer,
    Want, What,
};
use p2pchat_protocol::v2::{Certificate, DeviceKey, Malformed, PersonKey, PublicKey};
use p2pchat_secure::{sha256, verify, verify_certificate};
use serde_json::Value;

fn vectors(list: &str) -> Vec<Value> {
    let all = include_str!("../../protocol/tests/vectors-2.json");
    let all: Value = serde_json::from_str(all).unwrap();
    let list = all[list].as_array().unwrap().clone();
    assert!(!list.is_empty());
    list
}

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

/// The bytes of a vector. What is too long ends with zeros that are counted.
fn bytes(vector: &Value) -> Vec<u8> {
    let mut bytes = hex(&vector["hex"]);
    let zeros = vector["zeros"].as_u64().unwrap_or(0);
    bytes.resize(bytes.len() + usize::try_from(zeros).unwrap(), 0);
    bytes
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn id(value: &Value) -> EntryId {
    EntryId(array(value))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

/// The one frame in these bytes.
fn raw(mut bytes: &[u8], limit: usize) -> p2pchat_protocol::v2::Frame {
    let frame = FrameDecoder::default().next(&mut bytes, limit);
    assert!(bytes.is_empty());
    frame.unwrap().unwrap()
}

fn read(bytes: &[u8]) -> Result<Option<(ToPeer, usize)>, Malformed> {
    ToPeer::decode(&raw(bytes, MAX_TO_PEER), sha256)
}

/// The frame with these fields.
fn frame(kind: u64, fields: &Value) -> ToPeer {
    match kind {
        1 => ToPeer::Hello(Hello {
            certificate: Certificate::from_bytes(&hex(&fields["certificate"])).unwrap(),
            time: number(&fields["time"]),
        }),
        2 => ToPeer::Ping,
        3 => ToPeer::Pong,
        4 => ToPeer::Bye(Bye::ALL[usize::try_from(number(&fields["number"])).unwrap() - 1]),
        kind => about(kind, fields),
    }
}

fn about(kind: u64, fields: &Value) -> ToPeer {
    let conversation = ConversationId(array(&fields["conversation"]));
    let what = match kind {
        16 => What::Have(have(fields)),
        17 => {
            let held = hex(&fields["held"]);
            let held = held.chunks(16).map(|id| Short(id.try_into().unwrap()));
            What::Want(Want::Roster(held.collect()))
        }
        18 => What::Want(Want::Newest),
        19 => What::Want(Want::Log {
            join: id(&fields["join"]),
            range: number(&fields["begin"])..number(&fields["end"]),
        }),
        20 => What::Want(Want::Proof(id(&fields["id"]))),
        21 => What::Roster(list(&fields["entries"]).map(roster_entry).collect()),
        22 => {
            let stretch = talk_entries(fields);
            let join = stretch[0].header.join;
            What::Talk { join, stretch }
        }
        23 => {
            let entries = talk_entries(fields);
            let join = entries[0].header.join;
            What::Proof { join, entries }
        }
        24 => What::Done,
        25 => What::Answer(id(&fields["id"])),
        kind => {
            let what = ephemeral(kind, fields);
            return ToPeer::Ephemeral { conversation, what };
        }
    };
    ToPeer::About(Frame { conversation, what })
}

fn ephemeral(kind: u64, fields: &Value) -> Ephemeral {
    match kind {
        128 => Ephemeral::Typing,
        129 => Ephemeral::Read(Place {
            clock: Clock::new(number(&fields["clock"])).unwrap(),
            device: DeviceKey(PublicKey(array(&fields["device"]))),
            position: number(&fields["position"]),
        }),
        _ => panic!("no such kind: {kind}"),
    }
}

fn have(fields: &Value) -> Have {
    let people = list(&fields["people"]);
    let people: Vec<_> = people.map(|key| PersonKey(PublicKey(array(key)))).collect();
    let heads = match fields.get("items") {
        Some(items) => Heads::Items(list(items).map(item).collect()),
        None => Heads::Digest(Short(array(&fields["digest"]))),
    };
    Have {
        people: people.try_into().ok(),
        roster: Short(array(&fields["roster"])),
        heads,
        asks: fields["asks"].as_bool().unwrap(),
    }
}

fn item(fields: &Value) -> Item {
    Item {
        join: id(&fields["join"]),
        lowest: number(&fields["lowest"]),
        has_older: fields["has_older"].as_bool().unwrap(),
        next: number(&fields["next"]),
        newest: Short(array(&fields["newest"])),
        clock: Clock::new(number(&fields["clock"])).unwrap(),
        end: fields.get("end").map(|end| Ending {
            position: number(&end["position"]),
            is_lowest: end["is_lowest"].as_bool().unwrap(),
        }),
    }
}

fn roster_entry(golden: &Value) -> Add {
    let bytes = hex(golden);
    let (entry, _) = RosterEntry::decode(&bytes, sha256).unwrap();
    let bytes = bytes.into();
    Add { entry, bytes }
}

fn talk_entries(fields: &Value) -> Vec<TalkEntry> {
    let entries = list(&fields["entries"]);
    entries
        .map(|golden| TalkEntry::decode(&hex(golden), sha256).unwrap())
        .collect()
}

#[test]
fn what_a_peer_sends_is_read_and_written_as_by_others() {
    for vector in vectors("to_peer") {
        let expected = frame(number(&vector["kind"]), &vector["fields"]);
        let golden = bytes(&vector);
        assert_eq!(read(&golden), Ok(Some((expected.clone(), 0))), "{vector}");
        let mut encoded = Vec::new();
        expected.encode(&mut encoded);
        assert_eq!(encoded, golden, "{vector}");
    }
}

#[test]
fn there_is_a_vector_of_every_kind() {
    let vectors = vectors("to_peer");
    let there: BTreeSet<u64> = vectors
        .iter()
        .map(|vector| number(&vector["kind"]))
        .collect();
    let kinds: BTreeSet<u64> = (1..=4).chain(16..=25).chain(128..=129).collect();
    assert_eq!(there, kinds);
}

#[test]
fn other_bytes_for_the_same_frame_are_read_the_same_but_for_what_is_left_out() {
    let mut dropped_in_all = 0;
    for vector in vectors("odd_to_peer") {
        let expected = frame(number(&vector["kind"]), &vector["fields"]);
        let dropped = vector["dropped"].as_u64().unwrap_or(0);
        let dropped = usize::try_from(dropped).unwrap();
        assert_eq!(
            read(&bytes(&vector)),
            Ok(Some((expected, dropped))),
            "{vector}"
        );
        dropped_in_all += dropped;
    }
    assert!(dropped_in_all > 3);
}

#[test]
fn kinds_of_the_upper_half_are_passed_over() {
    for vector in vectors("skipped_by_peers") {
        assert_eq!(read(&bytes(&vector)), Ok(None), "{vector}");
    }
}

/// What is wrong with bytes: in the words of the vectors.
fn fault(golden: &[u8], limit: usize) -> &'static str {
    let mut head = &golden[..HEAD];
    if let Err(error) = FrameDecoder::default().next(&mut head, limit) {
        assert!(error.length > error.limit);
        return "length";
    }
    let frame = raw(golden, limit);
    match ToPeer::decode(&frame, sha256) {
        Ok(_) => "none",
        Err(Malformed::Kind(kind)) if kind == frame.kind => "kind",
        Err(Malformed::Message(kind)) if kind == frame.kind => "message",
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn each_fault_is_found() {
    for vector in vectors("faults_to_peer") {
        let is_after_hello = vector["session"].as_bool().unwrap();
        let limit = if is_after_hello {
            MAX_TO_PEER
        } else {
            MAX_FIRST
        };
        let found = fault(&bytes(&vector), limit);
        assert_eq!(found, vector["error"], "{}", vector["name"]);
    }
}

/// What is read of changed bytes is written so that it is read the same.
fn is_read_the_same_or_not(frame: &p2pchat_protocol::v2::Frame) {
    if let Ok(Some((read_once, _))) = ToPeer::decode(frame, sha256) {
        let mut encoded = Vec::new();
        read_once.encode(&mut encoded);
        assert_eq!(read(&encoded), Ok(Some((read_once, 0))));
    }
}

#[test]
fn a_frame_with_any_bit_changed_or_cut_anywhere_is_read_or_refused() {
    let mut tried = 0;
    for vector in vectors("to_peer").iter().chain(&vectors("odd_to_peer")) {
        let golden = raw(&bytes(vector), MAX_TO_PEER);
        for at in 0..golden.message.len() {
            let mut cut = golden.clone();
            cut.message.truncate(at);
            is_read_the_same_or_not(&cut);
            for bit in 0..8 {
                let mut changed = golden.clone();
                changed.message[at] ^= 1 << bit;
                is_read_the_same_or_not(&changed);
                tried += 1;
            }
        }
    }
    assert!(tried > 10_000);
}

#[test]
fn the_entries_of_the_vectors_are_signed() {
    let vectors = vectors("to_peer");
    let of_kind = |kind: u64| {
        let frames = vectors.iter().filter(move |vector| vector["kind"] == kind);
        frames.map(move |vector| frame(kind, &vector["fields"]))
    };
    for hello in of_kind(1) {
        let ToPeer::Hello(hello) = hello else {
            panic!("{hello:?}");
        };
        assert!(verify_certificate(&hello.certificate));
    }
    let bob = of_kind(129).next().unwrap();
    let ToPeer::Ephemeral {
        what: Ephemeral::Read(place),
        ..
    } = bob
    else {
        panic!("{bob:?}");
    };
    for talk in of_kind(22).chain(of_kind(23)) {
        let (ToPeer::About(Frame {
            what: What::Talk { stretch, .. },
            ..
        })
        | ToPeer::About(Frame {
            what: What::Proof {
                entries: stretch, ..
            },
            ..
        })) = talk
        else {
            panic!("{talk:?}");
        };
        for entry in stretch {
            let signed = p2pchat_protocol::v2::conversation::talk::signed_part(&entry.id);
            assert!(verify(&place.device.0, &signed, &entry.signature));
        }
    }
}
