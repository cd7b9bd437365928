//! The facts again, at the start.

use p2pchat_conversation::log::Named;
use p2pchat_conversation::message::Place;
use p2pchat_conversation::replica::{Fact, Kind};
use p2pchat_model::Alerts;
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::roster::{Add as Sealed, RosterEntry};
use p2pchat_protocol::v2::conversation::{ConversationId, EntryError, EntryId};
use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension, Row};

use super::schema::{
    SEALED, alerts_of, entry_of, malformed, person_of, place_of, sha256, well_formed,
};
use super::store::{Store, StoreError};

/// All that is stored, but for the bodies of messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restored {
    /// The conversations.
    pub conversations: Vec<Stored>,
    /// How many rows were left out, because they are malformed: the file was damaged.
    pub left_out: usize,
}

/// A conversation as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: ConversationId,
    /// Its kind.
    pub kind: Kind,
    /// What the user has done with it.
    pub settings: Settings,
    /// For [`p2pchat_conversation::replica::Replica::restore`]. Talk entries are without their
    /// bodies but for edits and erases.
    pub facts: Vec<Fact>,
}

/// What the user has done with a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// It stands first.
    pub pinned: bool,
    /// What is notified.
    pub alerts: Alerts,
    /// It is put away.
    pub archived: bool,
    /// How far it is read.
    pub read: Option<Place>,
    /// What was typed and not sent.
    pub draft: String,
}

/// Reads rows of a conversation as facts.
struct Reader<'a> {
    store: &'a Store,
    conversation: i64,
    facts: Vec<Fact>,
    left_out: usize,
}

impl Store {
    /// What is stored.
    ///
    /// # Errors
    /// If the file cannot be read. A row that is malformed is left out and counted.
    pub fn restore(&self) -> Result<Restored, StoreError> {
        let mut statement = self.connection.prepare(
            "SELECT pinned, alerts, archived, read, draft, row, id, people FROM conversation",
        )?;
        let mut rows = statement.query([])?;
        let mut restored = Restored::default();
        while let Some(row) = rows.next()? {
            match well_formed(read_conversation(row))? {
                Some((row, mut stored)) => {
                    let mut reader = Reader {
                        store: self,
                        conversation: row,
                        facts: Vec::new(),
                        left_out: 0,
                    };
                    reader.read_all()?;
                    stored.facts = reader.facts;
                    restored.left_out += reader.left_out;
                    restored.conversations.push(stored);
                }
                None => restored.left_out += 1,
            }
        }
        if restored.left_out > 0 {
            tracing::warn!(
                rows = restored.left_out,
                "the store of conversations is damaged: some of it is left out"
            );
        }
        Ok(restored)
    }
}

impl Store {
    /// What the user has done with a conversation. `None` if it is not stored.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn settings(&self, id: &ConversationId) -> Result<Option<Settings>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT pinned, alerts, archived, read, draft FROM conversation WHERE id = ?1",
        )?;
        let found = statement.query_row([id.0], read_settings).optional();
        Ok(well_formed(found)?.flatten())
    }

    /// How far others have read a conversation, as far as they have told.
    ///
    /// # Errors
    /// If the file cannot be read. A row that is malformed is left out.
    pub fn read_by(&self, id: &ConversationId) -> Result<Vec<(PersonKey, Place)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT person, place FROM read_by JOIN conversation ON row = conversation WHERE id = ?1",
        )?;
        let read = |row: &Row<'_>| Ok((person_of(row.get(0)?), place_of(&row.get(1)?)));
        let mut marks = Vec::new();
        for mark in statement.query_map([id.0], read)? {
            marks.extend(well_formed(mark)?);
        }
        Ok(marks)
    }
}

impl Reader<'_> {
    /// Entries in the order in which they came, then what was learned of them. Ends before floors:
    /// an end is found again by its proof, which may be below the floor.
    fn read_all(&mut self) -> Result<(), StoreError> {
        self.read(
            "SELECT id, bytes FROM roster WHERE conversation = ?1 ORDER BY rowid",
            read_roster,
        )?;
        self.read(
            "SELECT person, removal FROM shut WHERE conversation = ?1",
            |row| Ok(Fact::Shut(person_of(row.get(0)?), EntryId(row.get(1)?))),
        )?;
        self.read(
            "SELECT person, id FROM answered WHERE conversation = ?1",
            |row| Ok(Fact::Answered(person_of(row.get(0)?), EntryId(row.get(1)?))),
        )?;
        self.read(
            "SELECT id FROM log WHERE conversation = ?1 AND begun",
            |row| Ok(Fact::Began(EntryId(row.get(0)?))),
        )?;
        self.read(
            "SELECT talk.id, sealed, CASE WHEN kind IN (3, 4) THEN body END, body IS NOT NULL
             FROM talk JOIN log ON log.row = log
             WHERE talk.conversation = ?1 AND (end IS NULL OR position < end) ORDER BY talk.row",
            read_talk,
        )?;
        self.read(
            "SELECT id, proof FROM log WHERE conversation = ?1 AND proof IS NOT NULL",
            read_end,
        )?;
        self.read(
            "SELECT id, floor FROM log WHERE conversation = ?1 AND floor IS NOT NULL",
            |row| {
                let (join, position) = (EntryId(row.get(0)?), number(row, 1)?);
                Ok(Fact::Floor { join, position })
            },
        )?;
        self.read(
            "SELECT got.person, id, start, got.end FROM got JOIN log ON log.row = log
             WHERE conversation = ?1",
            |row| {
                Ok(Fact::Got {
                    person: person_of(row.get(0)?),
                    join: EntryId(row.get(1)?),
                    range: number(row, 2)?..number(row, 3)?,
                })
            },
        )?;
        self.read(
            "SELECT id FROM talk WHERE conversation = ?1 AND again",
            |row| Ok(Fact::Again(EntryId(row.get(0)?))),
        )
    }

    fn read(
        &mut self,
        sql: &str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<Fact>,
    ) -> Result<(), StoreError> {
        let mut statement = self.store.connection.prepare_cached(sql)?;
        let conversation: &dyn ToSql = &self.conversation;
        let mut rows = statement.query([conversation])?;
        while let Some(row) = rows.next()? {
            match well_formed(read(row))? {
                Some(fact) => self.facts.push(fact),
                None => self.left_out += 1,
            }
        }
        Ok(())
    }
}

fn read_conversation(row: &Row<'_>) -> rusqlite::Result<(i64, Stored)> {
    let people: Option<[u8; 64]> = row.get(7)?;
    let kind = people.map_or(Kind::Group, |people| {
        let (one, other) = people.split_first_chunk().expect("32 of 64 bytes");
        let other = other.first_chunk().expect("32 of 32 bytes");
        Kind::Direct([person_of(*one), person_of(*other)])
    });
    let stored = Stored {
        id: ConversationId(row.get(6)?),
        kind,
        settings: read_settings(row)?,
        facts: Vec::new(),
    };
    Ok((row.get(5)?, stored))
}

fn read_settings(row: &Row<'_>) -> rusqlite::Result<Settings> {
    let read: Option<[u8; 48]> = row.get(3)?;
    Ok(Settings {
        pinned: row.get(0)?,
        alerts: alerts_of(row.get(1)?),
        archived: row.get(2)?,
        read: read.as_ref().map(place_of),
        draft: row.get(4)?,
    })
}

fn read_roster(row: &Row<'_>) -> rusqlite::Result<Fact> {
    let bytes: Vec<u8> = row.get(1)?;
    let (entry, _) = RosterEntry::decode(&bytes, sha256).map_err(malformed)?;
    if entry.id != EntryId(row.get(0)?) {
        return Err(malformed(EntryError::Place));
    }
    let bytes = bytes.into();
    Ok(Fact::Roster(Sealed { entry, bytes }))
}

fn read_talk(row: &Row<'_>) -> rusqlite::Result<Fact> {
    let sealed: Vec<u8> = row.get(1)?;
    let body: Option<Vec<u8>> = row.get(2)?;
    let mut entry = entry_of(row.get(0)?, &sealed, body.as_deref())?;
    // That there is a body is told, and what it says only where it matters.
    if entry.body.is_none() && row.get(3)? {
        entry.body = Some(Box::default());
    }
    let instead_of = None;
    Ok(Fact::Talk { entry, instead_of })
}

fn read_end(row: &Row<'_>) -> rusqlite::Result<Fact> {
    let join = EntryId(row.get(0)?);
    let bytes: Vec<u8> = row.get(1)?;
    let parts = bytes.chunks(SEALED).map(|sealed| {
        let entry = p2pchat_protocol::v2::conversation::talk::TalkEntry::decode(sealed, sha256);
        Ok(Named::from(&entry.map_err(malformed)?))
    });
    let proof = parts.collect::<rusqlite::Result<Vec<_>>>()?;
    if proof.is_empty() || proof.len() > 2 {
        return Err(malformed(EntryError::Short));
    }
    Ok(Fact::Ended { join, proof })
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::from_be_bytes(row.get(column)?))
}
