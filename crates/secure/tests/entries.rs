//! The golden vectors of conversation entries, made by Python
//! (`crates/protocol/tests/make_vectors_2.py`) and not by our crates: each is read, compared with
//! its fields, verified, and made again from them.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use p2pchat_protocol::v2::conversation::roster::{Act, Add, RosterEntry};
use p2pchat_protocol::v2::conversation::talk::{Header, Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{
    Clock, ConversationId, EntryError, EntryId, roster, talk,
};
use p2pchat_protocol::v2::{Certificate, PersonKey, PublicKey};
use p2pchat_secure::{SecretKey, sha256, verify, verify_certificate};
use serde_json::Value;

fn vectors(list: &str) -> Vec<Value> {
    let all = include_str!("../../protocol/tests/vectors-2.json");
    let all: Value = serde_json::from_str(all).unwrap();
    let list = all[list].as_array().unwrap().clone();
    assert!(!list.is_empty());
    list
}

/// The bytes of a fault. What is too long ends with zeros that are counted.
fn fault(vector: &Value) -> Vec<u8> {
    let mut bytes = hex(&vector["hex"]);
    let zeros = vector["zeros"].as_u64().unwrap_or(0);
    bytes.resize(bytes.len() + usize::try_from(zeros).unwrap(), 0);
    bytes
}

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}

fn id(value: &Value) -> EntryId {
    EntryId(array(value))
}

fn person(value: &Value) -> PersonKey {
    PersonKey(PublicKey(array(value)))
}

fn clock(value: &Value) -> Clock {
    Clock::from_number(value.as_u64().unwrap())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn kind(vector: &Value) -> u8 {
    vector["kind"].as_u64().unwrap().try_into().unwrap()
}

fn signer(vector: &Value) -> SecretKey {
    SecretKey::from_seed(array(&vector["signer_seed"]))
}

fn act(kind: &str, fields: &Value) -> Act {
    let about = || person(&fields["person"]);
    let ids = |field: &str| list(&fields[field]).map(id).collect();
    let cut = || {
        let pairs = list(&fields["cut"]);
        pairs
            .map(|pair| (id(&pair[0]), pair[1].as_u64().unwrap()))
            .collect()
    };
    let certificate = || Certificate::from_bytes(&hex(&fields["certificate"])).unwrap();
    let name = || fields["group_name"].as_str().unwrap().parse().unwrap();
    match kind {
        "create" => Act::Create {
            certificate: certificate(),
            salt: array(&fields["salt"]),
            name: name(),
        },
        "add" => Act::Add {
            person: about(),
            from: clock(&fields["from"]),
            after: ids("after"),
        },
        "join" => Act::Join {
            certificate: certificate(),
            salt: array(&fields["salt"]),
            add: Some(hex(&fields["add"]))
                .filter(|add| !add.is_empty())
                .map(|add| Box::new(Add::decode(&add, sha256).unwrap())),
        },
        "owner" => Act::Owner { person: about() },
        "resign" => Act::Resign {
            keeps: ids("keeps"),
        },
        "remove" => Act::Remove {
            person: about(),
            keeps: ids("keeps"),
            cut: cut(),
        },
        "leave" => Act::Leave {
            keeps: ids("keeps"),
            cut: cut(),
        },
        "rename" => Act::Rename { name: name() },
        other => panic!("{other}"),
    }
}

#[test]
fn roster_entries_are_read_and_written_as_by_others() {
    for vector in vectors("roster_entries") {
        let (golden, key) = (hex(&vector["hex"]), signer(&vector));
        let act = act(vector["kind"].as_str().unwrap(), &vector["fields"]);
        let expected = RosterEntry {
            id: id(&vector["id"]),
            conversation: ConversationId(array(&vector["conversation"])),
            under: vector["under"].as_str().map(|_| id(&vector["under"])),
            clock: clock(&vector["clock"]),
            act,
        };
        let (read, signature) = RosterEntry::decode(&golden, sha256).unwrap();
        assert_eq!(read, expected, "{}", vector["name"]);
        let signed = roster::signed_part(&read.id);
        assert!(verify(&key.public(), &signed, &signature), "{vector}");

        let is_create = matches!(read.act, Act::Create { .. });
        let conversation = (!is_create).then_some(read.conversation);
        let made = RosterEntry::new(conversation, read.under, read.clock, &read.act, sha256);
        assert_eq!(made, Ok(expected), "{}", vector["name"]);
        let bytes = read.to_bytes(&key.sign(&signed));
        assert_eq!(bytes, golden, "{}", vector["name"]);
    }
}

#[test]
fn a_join_is_signed_by_its_own_device_and_its_add_by_the_one_who_invites() {
    let entries = vectors("roster_entries");
    let of_kind = |kind: &str| {
        let vector = entries.iter().find(|vector| vector["kind"] == kind);
        let bytes = hex(&vector.unwrap()["hex"]);
        RosterEntry::decode(&bytes, sha256).unwrap()
    };
    let ((create, _), (join, signature)) = (of_kind("create"), of_kind("join"));
    let (
        Act::Create {
            certificate: owner, ..
        },
        Act::Join {
            certificate,
            add: Some(add),
            ..
        },
    ) = (&create.act, &join.act)
    else {
        panic!("{create:?} {join:?}");
    };
    assert!(verify_certificate(owner) && verify_certificate(certificate));
    let signed = roster::signed_part(&join.id);
    assert!(verify(&certificate.device.0, &signed, &signature));
    assert_eq!(add.entry.under, Some(create.id));
    let signed = roster::signed_part(&add.entry.id);
    assert!(verify(&owner.device.0, &signed, &add.signature()));
}

#[test]
fn the_id_of_a_direct_conversation_does_not_depend_on_who_asks() {
    for vector in vectors("direct_conversations") {
        let people = [&vector["people"][0], &vector["people"][1]].map(person);
        let id = ConversationId::direct(people, sha256);
        assert_eq!(id.0, array::<32>(&vector["id"]));
    }
}

fn talk_of(vector: &Value) -> Option<Talk> {
    let said = &vector["talk"];
    let target = || id(&said["target"]);
    let text = || said["text"].as_str().unwrap().to_owned();
    Some(match said["kind"].as_str()? {
        "message" => Talk::Message { text: text() },
        "reply" => Talk::Reply {
            to: target(),
            text: text(),
        },
        "edit" => Talk::Edit {
            of: target(),
            text: text(),
        },
        "erase" => Talk::Erase { of: target() },
        "reaction" => Talk::Reaction {
            to: target(),
            emoji: text(),
        },
        other => panic!("{other}"),
    })
}

/// The entry of a vector, which is read, verified and made again.
fn talk_entry(vector: &Value) -> TalkEntry {
    let (golden, key) = (hex(&vector["hex"]), signer(vector));
    let number = |field: &str| vector[field].as_u64().unwrap();
    let header = Header {
        conversation: ConversationId(array(&vector["conversation"])),
        join: id(&vector["join"]),
        position: number("position"),
        previous: id(&vector["previous"]),
        clock: clock(&vector["clock"]),
        kind: kind(vector),
        body_len: number("body_len").try_into().unwrap(),
        body_hash: array(&vector["body_hash"]),
    };
    let expected = TalkEntry {
        id: id(&vector["id"]),
        header,
        signature: key.sign(&talk::signed_part(&header.id(sha256))),
        body: vector["body"].as_str().map(|_| hex(&vector["body"]).into()),
    };
    let read = TalkEntry::decode(&golden, sha256).unwrap();
    assert_eq!(read, expected, "{}", vector["name"]);
    assert_eq!(expected.to_bytes(), golden, "{}", vector["name"]);
    let signed = talk::signed_part(&read.id);
    assert!(verify(&key.public(), &signed, &read.signature));
    read
}

#[test]
fn talk_entries_are_read_and_written_as_by_others() {
    for vector in vectors("talk_entries") {
        let entry = talk_entry(&vector);
        let Some(body) = entry.body else {
            continue;
        };
        let read = Talk::decode(entry.header.kind, &body);
        let Some(talk) = talk_of(&vector) else {
            assert_eq!(read, Err(EntryError::Kind(entry.header.kind)), "{vector}");
            continue;
        };
        assert_eq!(read.as_ref(), Ok(&talk), "{vector}");
        assert_eq!(talk.kind(), entry.header.kind);
        let made = talk.to_body(array(&vector["talk"]["salt"])).unwrap();
        assert_eq!(made[..], body[..], "{vector}");
    }
}

#[test]
fn what_ends_a_log_is_read_like_any_other_entry() {
    for vector in vectors("talk_entries_that_end_a_log") {
        talk_entry(&vector);
    }
}

#[test]
fn a_wrong_signature_is_found() {
    for vector in vectors("false_roster_entries") {
        let read = RosterEntry::decode(&hex(&vector["hex"]), sha256);
        let (entry, signature) = read.unwrap();
        let key = PublicKey(array(&vector["signer"]));
        let signed = roster::signed_part(&entry.id);
        assert!(!verify(&key, &signed, &signature), "{}", vector["name"]);
    }
    for vector in vectors("false_talk_entries") {
        let entry = TalkEntry::decode(&hex(&vector["hex"]), sha256).unwrap();
        let key = PublicKey(array(&vector["signer"]));
        let signed = talk::signed_part(&entry.id);
        let is_signed = verify(&key, &signed, &entry.signature);
        assert!(!is_signed, "{}", vector["name"]);
    }
}

/// What is wrong, in the words of the page.
fn word(error: EntryError) -> &'static str {
    match error {
        EntryError::TooLong => "length",
        EntryError::Version(_) => "version",
        EntryError::Kind(_) => "kind",
        EntryError::Short => "short",
        EntryError::LeftOver => "left over",
        EntryError::Place => "place",
        EntryError::Clock => "clock",
        EntryError::Certificate => "certificate",
        EntryError::Order => "order",
        EntryError::Text => "text",
        EntryError::Add => "add",
        EntryError::Body => "body",
    }
}

#[test]
fn each_fault_is_found() {
    let roster = |vector: &Value| RosterEntry::decode(&fault(vector), sha256).map(drop);
    let talk = |vector: &Value| TalkEntry::decode(&fault(vector), sha256).map(drop);
    let body = |vector: &Value| Talk::decode(kind(vector), &fault(vector)).map(drop);
    type Decode<'a> = &'a dyn Fn(&Value) -> Result<(), EntryError>;
    let lists: [(&str, Decode<'_>); 3] = [
        ("roster_faults", &roster),
        ("talk_faults", &talk),
        ("body_faults", &body),
    ];
    let page = include_str!("../../../docs/protocol-2.md");
    let (_, words) = page.split_once("### What can be wrong").unwrap();
    for (list, decode) in lists {
        let part = list.split('_').next().unwrap();
        let rows = words.lines().filter_map(|row| {
            let mut cells = row.strip_prefix("| `")?.split("` | ");
            let (word, with) = (cells.next()?, cells.next()?);
            let with = with.split(" |").next()?;
            with.split(", ").any(|with| with == part).then_some(word)
        });
        let on_the_page: BTreeSet<&str> = rows.collect();
        let mut seen = BTreeSet::new();
        for vector in vectors(list) {
            let found = decode(&vector).map_err(word);
            let expected = vector["error"].as_str().unwrap();
            assert_eq!(found, Err(expected), "{}", vector["name"]);
            seen.insert(word(decode(&vector).unwrap_err()));
        }
        assert_eq!(seen, on_the_page, "{list}");
    }
}

#[test]
fn there_is_a_vector_of_every_kind() {
    let kinds = |list: &str| -> BTreeSet<String> {
        let vectors = vectors(list);
        vectors
            .iter()
            .map(|vector| vector["kind"].to_string())
            .collect()
    };
    assert_eq!(kinds("roster_entries").len(), 8);
    let talk = kinds("talk_entries");
    assert!((1..=5).all(|kind: u8| talk.contains(&kind.to_string())));
}
