//! The entries of conversations as bytes: what holds for every entry and for every input.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod properties;
mod roster;
mod talk;

use std::collections::BTreeSet;

use p2pchat_protocol::v2::conversation::roster::{Act, Add, RosterEntry};
use p2pchat_protocol::v2::conversation::talk::{Header, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryError, EntryId};
use p2pchat_protocol::v2::{Certificate, DeviceKey, PersonKey, PublicKey, Signature};

/// Not SHA-256, which this crate does not have: it differs where a byte does, most of the time.
fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [1; 32];
    for (at, byte) in bytes.iter().enumerate() {
        let mixed = hash[at % 32] ^ byte;
        hash[at % 32] = mixed.wrapping_mul(167).rotate_left(3);
        hash[(at + 1) % 32] ^= mixed;
    }
    hash
}

const SALT: [u8; 16] = [6; 16];
const SIGNATURE: Signature = Signature([9; 64]);
const GROUP: ConversationId = ConversationId([7; 32]);
const JOIN: EntryId = EntryId([8; 32]);

fn person(byte: u8) -> PersonKey {
    PersonKey(PublicKey([byte; 32]))
}

fn certificate(person: PersonKey) -> Certificate {
    Certificate {
        device: DeviceKey(PublicKey([5; 32])),
        person,
        signature: SIGNATURE,
    }
}

fn entry(act: &Act) -> Result<RosterEntry, EntryError> {
    let (conversation, under) = match act {
        Act::Create { .. } => (None, None),
        Act::Join { .. } => (Some(GROUP), None),
        _ => (Some(GROUP), Some(JOIN)),
    };
    RosterEntry::new(conversation, under, Clock::from_millis(3), act, hash)
}

fn bytes(act: &Act) -> Vec<u8> {
    entry(act).unwrap().to_bytes(&SIGNATURE)
}

fn add_of(person: PersonKey, after: BTreeSet<EntryId>) -> Act {
    Act::Add {
        person,
        from: Clock::ZERO,
        after,
    }
}

fn accepting(add: &[u8], person: PersonKey) -> Act {
    Act::Join {
        certificate: certificate(person),
        salt: SALT,
        add: Some(Box::new(Add::decode(add, hash).unwrap())),
    }
}

fn numbered(number: u16) -> EntryId {
    let mut id = [0; 32];
    id[..2].copy_from_slice(&number.to_be_bytes());
    EntryId(id)
}

fn ids(count: u16) -> BTreeSet<EntryId> {
    (0..count).map(numbered).collect()
}

fn read(bytes: &[u8]) -> Result<RosterEntry, EntryError> {
    RosterEntry::decode(bytes, hash).map(|(entry, _)| entry)
}

/// With other bytes at a place.
fn changed(bytes: &[u8], at: usize, to: &[u8]) -> Vec<u8> {
    [&bytes[..at], to, &bytes[at + to.len()..]].concat()
}

/// With a byte more or less in front of the signature.
fn longer(bytes: &[u8]) -> Vec<u8> {
    let (unsigned, signature) = bytes.split_last_chunk::<64>().unwrap();
    [unsigned, &[0], signature].concat()
}

fn shorter(bytes: &[u8]) -> Vec<u8> {
    let (unsigned, signature) = bytes.split_last_chunk::<64>().unwrap();
    [&unsigned[..unsigned.len() - 1], signature].concat()
}

fn header(body: &[u8], kind: u8) -> Header {
    Header {
        conversation: GROUP,
        join: JOIN,
        position: 4,
        previous: EntryId([3; 32]),
        clock: Clock::from_millis(5),
        kind,
        body_len: u32::try_from(body.len()).unwrap(),
        body_hash: hash(body),
    }
}

fn talk_entry(header: Header, body: Option<&[u8]>) -> TalkEntry {
    TalkEntry {
        id: header.id(hash),
        header,
        signature: SIGNATURE,
        body: body.map(Into::into),
    }
}
