//! The tables, and how values become columns.
//!
//! Numbers of 64 bits are stored as 8 bytes, big endian: SQLite's integers are signed, and the
//! positions and clocks of a hostile writer need not fit. Bytes compare as the numbers do.

use std::ops::RangeInclusive;
use std::time::Duration;

use p2pchat_common::sqlite::{Durability, Kind};
use p2pchat_conversation::log::Named;
use p2pchat_conversation::message::Place;
use p2pchat_model::{Alerts, MessageId};
use p2pchat_protocol::v2::conversation::talk::{Header, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, EntryError, EntryId};
use p2pchat_protocol::v2::{DeviceKey, PersonKey, PublicKey, Signature};
use rusqlite::types::Type;
use sha2::{Digest, Sha256};

/// How long to wait for another program that holds the file, a backup say.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The kind of the file, for [`p2pchat_common::sqlite::open`]. Its application id is "p2pC".
///
/// `talk.place` sorts entries as they are shown. `talk.target` is the message that a reply, edit,
/// erase or reaction names, `talk.came` when the entry was stored, in milliseconds since 1970. The
/// index `talk_text` has no text of its own: its row ids are those of the entries in `talk` that are
/// marked `indexed`. The messages in `touched` are still to be indexed.
pub(super) const KIND: Kind = Kind {
    what: "store of conversations",
    application_id: 0x7032_7043,
    schema: "
CREATE TABLE conversation (
    row INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    people BLOB,
    pinned INTEGER NOT NULL DEFAULT 0,
    alerts INTEGER NOT NULL DEFAULT 0,
    archived INTEGER NOT NULL DEFAULT 0,
    read BLOB,
    draft TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE roster (
    conversation INTEGER NOT NULL REFERENCES conversation,
    id BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (conversation, id)
) STRICT;
CREATE TABLE log (
    row INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversation,
    id BLOB NOT NULL,
    device BLOB NOT NULL,
    person BLOB NOT NULL,
    begun INTEGER NOT NULL DEFAULT 0,
    floor BLOB,
    end BLOB,
    proof BLOB,
    UNIQUE (conversation, id)
) STRICT;
CREATE TABLE talk (
    row INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversation,
    log INTEGER NOT NULL REFERENCES log,
    position BLOB NOT NULL,
    place BLOB NOT NULL,
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    target BLOB,
    again INTEGER NOT NULL DEFAULT 0,
    indexed INTEGER NOT NULL DEFAULT 0,
    sealed BLOB NOT NULL,
    body BLOB,
    came INTEGER NOT NULL,
    UNIQUE (log, position)
) STRICT;
CREATE INDEX talk_place ON talk (conversation, place);
CREATE INDEX talk_id ON talk (conversation, id);
CREATE INDEX talk_target ON talk (conversation, target, place) WHERE target IS NOT NULL;
CREATE TABLE touched (
    row INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL,
    message BLOB NOT NULL
) STRICT;
CREATE VIRTUAL TABLE talk_text USING fts5 (
    text, content = '', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO talk_text (talk_text, rank) VALUES ('secure-delete', 1);
CREATE TABLE shut (
    conversation INTEGER NOT NULL REFERENCES conversation,
    person BLOB NOT NULL,
    removal BLOB NOT NULL,
    PRIMARY KEY (conversation, person, removal)
) STRICT;
CREATE TABLE answered (
    conversation INTEGER NOT NULL REFERENCES conversation,
    person BLOB NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (conversation, person, id)
) STRICT;
CREATE TABLE read_by (
    conversation INTEGER NOT NULL REFERENCES conversation,
    person BLOB NOT NULL,
    place BLOB NOT NULL,
    PRIMARY KEY (conversation, person)
) STRICT;
CREATE TABLE got (
    log INTEGER NOT NULL REFERENCES log,
    person BLOB NOT NULL,
    start BLOB NOT NULL,
    end BLOB NOT NULL,
    PRIMARY KEY (log, person, start)
) STRICT;
CREATE TABLE call (
    row INTEGER PRIMARY KEY,
    front_end TEXT NOT NULL,
    id TEXT NOT NULL,
    fingerprint INTEGER NOT NULL,
    entry BLOB NOT NULL,
    place BLOB NOT NULL,
    UNIQUE (front_end, id)
) STRICT;
",
    migrations: &["
CREATE TABLE read_by (
    conversation INTEGER NOT NULL REFERENCES conversation,
    person BLOB NOT NULL,
    place BLOB NOT NULL,
    PRIMARY KEY (conversation, person)
) STRICT;
"],
    durability: Durability::PowerCut,
    busy_timeout: BUSY_TIMEOUT,
};

/// The kinds of talk entries that the statements name.
pub(super) mod kind {
    pub(in crate::conversations) const MESSAGE: u8 = 1;
    pub(in crate::conversations) const REPLY: u8 = 2;
    pub(in crate::conversations) const EDIT: u8 = 3;
    pub(in crate::conversations) const ERASE: u8 = 4;
    pub(in crate::conversations) const REACTION: u8 = 5;
}

/// The length of a header and its signature, and so of each part of a proof.
pub(super) const SEALED: usize = Header::LEN + Signature::LEN;

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A number as it is stored.
pub(super) fn number(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// A place as it is stored: its bytes sort as places do.
pub(super) fn place_bytes(place: &Place) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..8].copy_from_slice(&number(place.clock.number()));
    bytes[8..40].copy_from_slice(&place.device.0.0);
    bytes[40..].copy_from_slice(&number(place.position));
    bytes
}

/// A place as it was stored.
pub(super) fn place_of(bytes: &[u8; 48]) -> Place {
    let (clock, rest) = bytes.split_first_chunk().expect("8 of 48 bytes");
    let (device, position) = rest.split_first_chunk().expect("32 of 40 bytes");
    let position = position.first_chunk().expect("8 of 8 bytes");
    Place {
        clock: Clock::from_number(u64::from_be_bytes(*clock)),
        device: DeviceKey(PublicKey(*device)),
        position: u64::from_be_bytes(*position),
    }
}

/// The id of a message for people and programs. It has the first bytes of the device alone.
pub(super) fn message_id(place: &Place) -> MessageId {
    let (writer, _) = place.device.0.0.split_first_chunk().expect("8 of 32 bytes");
    let writer = u64::from_be_bytes(*writer);
    MessageId::of_entry(place.clock.number(), writer, place.position)
}

/// The places that a message with this id can have.
pub(super) fn places_of(id: MessageId) -> RangeInclusive<Place> {
    let (clock, writer, position) = id.parts();
    let place = |rest| {
        let mut device = [rest; PublicKey::LEN];
        device[..8].copy_from_slice(&number(writer));
        Place {
            clock: Clock::from_number(clock),
            device: DeviceKey(PublicKey(device)),
            position,
        }
    };
    place(0)..=place(u8::MAX)
}

/// The level of alerts as it is stored.
pub(super) fn alerts_number(alerts: Alerts) -> u8 {
    match alerts {
        Alerts::All => 0,
        Alerts::Mentions => 1,
        Alerts::Nothing => 2,
    }
}

/// The level as it was stored; all of a number that is not known.
pub(super) fn alerts_of(number: u8) -> Alerts {
    let known = [Alerts::All, Alerts::Mentions, Alerts::Nothing];
    let mut known = known.into_iter();
    known
        .find(|alerts| alerts_number(*alerts) == number)
        .unwrap_or_default()
}

/// Before every place of a clock.
pub(super) fn first_place(clock: Clock) -> [u8; 48] {
    place_bytes(&Place {
        clock,
        device: DeviceKey(PublicKey([0; PublicKey::LEN])),
        position: 0,
    })
}

/// The clock behind one.
pub(super) fn behind(clock: Clock) -> Clock {
    Clock::from_number(clock.number().saturating_add(1))
}

pub(super) fn person_of(bytes: [u8; 32]) -> PersonKey {
    PersonKey(PublicKey(bytes))
}

/// A header and its signature as they are stored.
pub(super) fn sealed_bytes(entry: &Named) -> Vec<u8> {
    [&entry.header.to_bytes()[..], &entry.signature.0].concat()
}

/// The entry of a header with its signature, and a body. One that is damaged counts as not there:
/// without the entry there would be a gap, and nobody takes a chain with a gap.
///
/// # Errors
/// If the header is malformed, or not the one with this id.
pub(super) fn entry_of(
    id: [u8; 32],
    sealed: &[u8],
    body: Option<&[u8]>,
) -> rusqlite::Result<TalkEntry> {
    let bytes = [sealed, body.unwrap_or_default()].concat();
    let entry = TalkEntry::decode(&bytes, sha256).or_else(|error| match error {
        EntryError::Body => TalkEntry::decode(sealed, sha256),
        error => Err(error),
    });
    let entry = entry.map_err(malformed)?;
    if entry.id != EntryId(id) || sealed.len() != SEALED {
        return Err(malformed(EntryError::Short));
    }
    Ok(entry)
}

/// A column whose value nothing of ours has written.
pub(super) fn malformed(error: EntryError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, Box::new(error))
}

/// `None` of a row that is malformed, which is left out; other errors are of the file.
pub(super) fn well_formed<T>(read: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..),
        ) => Ok(None),
        Err(error) => Err(error),
    }
}
