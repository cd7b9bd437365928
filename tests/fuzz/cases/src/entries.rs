//! The entries of conversations: what is read is written as it came, and read the same again.

use p2pchat_protocol::v2::conversation::EntryError;
use p2pchat_protocol::v2::conversation::roster::{Act, Add, RosterEntry};
use p2pchat_protocol::v2::conversation::talk::{Header, SALT, Talk, TalkEntry};
use p2pchat_protocol::v2::{Certificate, DeviceKey, PersonKey, Signature};

/// Instead of SHA-256, so that a fuzzer can make a body that is the one of its header.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    let length = bytes.len().to_be_bytes();
    [length[length.len() - 1]; 32]
}

/// The first byte says what the others are.
pub fn entries(data: &[u8]) {
    let Some((which, data)) = data.split_first() else {
        return;
    };
    match which % 3 {
        0 => roster(data),
        1 => talk(data),
        _ => body(data),
    }
}

fn roster(data: &[u8]) {
    let Ok((entry, signature)) = RosterEntry::decode(data, hash) else {
        return;
    };
    assert!(data.len() <= RosterEntry::MAX);
    assert_eq!(entry.to_bytes(&signature), data);
    match &entry.act {
        // Whatever is an add here, a person can accept it.
        Act::Add { person, .. } => accept(data, &entry, *person),
        Act::Join {
            add: Some(add),
            certificate,
            ..
        } => {
            assert_eq!(add.entry.conversation, entry.conversation);
            let is_for =
                |act: &Act| matches!(act, Act::Add { person, .. } if *person == certificate.person);
            assert!(is_for(&add.entry.act));
            assert_eq!(add.entry.to_bytes(&add.signature())[..], add.bytes[..]);
        }
        _ => {}
    }
}

fn accept(data: &[u8], entry: &RosterEntry, person: PersonKey) {
    let add = Add::decode(data, hash).unwrap();
    assert_eq!(&add.entry, entry);
    let act = Act::Join {
        certificate: Certificate {
            device: DeviceKey(person.0),
            person,
            signature: Signature([0; Signature::LEN]),
        },
        salt: [0; 16],
        add: Some(Box::new(add)),
    };
    let join = RosterEntry::new(Some(entry.conversation), None, entry.clock, &act, hash);
    assert_eq!(join.map(|join| join.act), Ok(act));
}

fn talk(data: &[u8]) {
    match TalkEntry::decode(data, hash) {
        Ok(entry) => {
            assert!(data.len() <= TalkEntry::MAX);
            assert_eq!(entry.to_bytes(), data);
            // Erased, it is the same entry.
            let erased = &data[..Header::LEN + Signature::LEN];
            let erased = TalkEntry::decode(erased, hash).unwrap();
            assert_eq!((erased.id, erased.body), (entry.id, None));
            if let Some(text) = entry.body {
                is_body(entry.header.kind, &text);
            }
        }
        Err(error) => assert!(matches!(
            error,
            EntryError::TooLong | EntryError::Short | EntryError::Version(_) | EntryError::Body
        )),
    }
}

fn body(data: &[u8]) {
    if let Some((kind, body)) = data.split_first() {
        is_body(*kind, body);
    }
}

fn is_body(kind: u8, body: &[u8]) {
    if let Ok(talk) = Talk::decode(kind, body) {
        let salt = body.first_chunk::<SALT>().unwrap();
        assert_eq!(talk.kind(), kind);
        assert_eq!(talk.to_body(*salt).as_deref(), Ok(body));
    }
}
