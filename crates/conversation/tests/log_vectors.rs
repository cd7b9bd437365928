//! The golden vectors of entries that end a log, made by Python: each is read, and ends one.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use p2pchat_conversation::log::{Named, TalkLog};
use p2pchat_protocol::v2::conversation::EntryId;
use p2pchat_protocol::v2::conversation::talk::{Header, TalkEntry};
use serde_json::Value;

fn vectors(list: &str) -> Vec<Value> {
    let all = include_str!("../../protocol/tests/vectors-2.json");
    let all: Value = serde_json::from_str(all).unwrap();
    all[list].as_array().unwrap().clone()
}

fn bytes(value: &Value) -> Vec<u8> {
    let hex = value.as_str().unwrap();
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The header and its id, which is SHA-256 and not made here.
fn named(vector: &Value) -> Named {
    let header_and_signature = &bytes(&vector["hex"])[..Header::LEN + 64];
    let entry = TalkEntry::decode(header_and_signature, |_| [0; 32]).unwrap();
    Named {
        id: EntryId(bytes(&vector["id"]).try_into().unwrap()),
        ..Named::from(&entry)
    }
}

fn ends(stretches: &[&[Named]]) -> bool {
    let Header {
        conversation, join, ..
    } = stretches[0][0].header;
    let mut log = TalkLog::new(conversation, join);
    for stretch in stretches {
        log.take(stretch, |_| true).unwrap();
    }
    log.end().is_some()
}

#[test]
fn the_entries_that_end_a_log_do_and_the_others_do_not() {
    let good = vectors("talk_entries");
    let first = named(&good[0]);
    assert_eq!(first.header.position, 0);
    for vector in &good[1..] {
        let entry = named(vector);
        // Each is the first of a log, the second, or far from both.
        let is_first = entry.header.position == 0;
        let log: &[&[Named]] = if is_first {
            &[&[entry]]
        } else {
            &[&[first], &[entry]]
        };
        assert!(!ends(log), "{}", vector["name"]);
    }
    let bad = vectors("talk_entries_that_end_a_log");
    assert!(bad.len() > 10);
    for vector in bad {
        let entry = named(&vector);
        // A position that leaves a gap is noticed beside the entry that it claims to follow.
        let is_chain = entry.header.previous == first.id;
        let ends = ends(&[&[first], &[entry]]) || is_chain && ends(&[&[first, entry]]);
        assert!(ends, "{}", vector["name"]);
    }
}
