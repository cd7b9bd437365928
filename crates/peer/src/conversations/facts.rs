//! Each fact as statements.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use p2pchat_conversation::log::{End, Named};
use p2pchat_conversation::message::Place;
use p2pchat_conversation::replica::Fact;
use p2pchat_protocol::v2::conversation::roster::{Act, Add as Sealed};
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{EntryId, JoinId};
use p2pchat_protocol::v2::{DeviceKey, PersonKey, PublicKey};
use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension, Params, Row, Transaction, params};

use super::schema::{number, place_bytes, sealed_bytes};
use super::search::Index;
use super::store::StoreError;
use crate::shell::clock::wall;

/// Writes the facts of one conversation.
pub(super) struct Writer<'a> {
    transaction: &'a Transaction<'a>,
    conversation: i64,
    index: Index<'a>,
    /// The rows and devices of logs that were looked up.
    logs: BTreeMap<JoinId, (i64, DeviceKey)>,
    /// Logs of which entries beyond their end may be left.
    ended: BTreeSet<i64>,
    erases: bool,
}

/// What is left to do when facts are committed.
#[derive(Default)]
pub(super) struct Owed {
    /// Messages are to be indexed.
    pub(super) words: bool,
    /// Something was erased.
    pub(super) erasure: bool,
}

/// A talk entry to take away.
struct Gone {
    row: i64,
    id: [u8; 32],
    kind: u8,
    target: Option<[u8; 32]>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(transaction: &'a Transaction<'a>, conversation: i64) -> Self {
        Self {
            transaction,
            conversation,
            index: Index::new(transaction, conversation),
            logs: BTreeMap::new(),
            ended: BTreeSet::new(),
            erases: false,
        }
    }

    /// Writes facts, in their order.
    pub(super) fn write_all(&mut self, facts: &[Fact]) -> Result<(), StoreError> {
        let talk = |fact: &&Fact| matches!(fact, Fact::Talk { .. });
        self.index.expect(facts.iter().filter(talk).count());
        facts.iter().try_for_each(|fact| self.write(fact))
    }

    fn write(&mut self, fact: &Fact) -> Result<(), StoreError> {
        let conversation = self.conversation;
        match fact {
            Fact::Roster(sealed) => self.roster(sealed)?,
            Fact::Dropped(id) => self.execute(
                "DELETE FROM roster WHERE conversation = ?1 AND id = ?2",
                params![conversation, id.0],
            )?,
            Fact::Talk { entry, instead_of } => {
                self.talk(entry)?;
                if let Some(instead_of) = instead_of {
                    self.said_again(instead_of)?;
                }
            }
            Fact::Erased(id, person) => self.erased(id, person)?,
            Fact::Ended { join, proof } => self.end(join, proof)?,
            Fact::Floor { join, position } => self.floor(join, *position)?,
            Fact::Shut(person, removal) => self.execute(
                "INSERT OR IGNORE INTO shut (conversation, person, removal) VALUES (?1, ?2, ?3)",
                params![conversation, person.0.0, removal.0],
            )?,
            Fact::Answered(person, id) => self.execute(
                "INSERT OR IGNORE INTO answered (conversation, person, id) VALUES (?1, ?2, ?3)",
                params![conversation, person.0.0, id.0],
            )?,
            Fact::Got {
                person,
                join,
                range,
            } => self.got(person, join, range)?,
            Fact::Began(join) => {
                let (log, _) = self.log(join)?;
                self.execute("UPDATE log SET begun = 1 WHERE row = ?1", [log])?;
            }
            Fact::Retired(join) => {
                let (log, _) = self.log(join)?;
                self.execute("UPDATE log SET begun = 0 WHERE row = ?1", [log])?;
            }
            Fact::Again(id) => self.execute(
                "UPDATE talk SET again = 1 WHERE conversation = ?1 AND id = ?2",
                params![conversation, id.0],
            )?,
        }
        Ok(())
    }

    /// Takes away what does not count any more, and notes what is to be indexed.
    pub(super) fn finish(mut self) -> Result<Owed, StoreError> {
        for log in std::mem::take(&mut self.ended) {
            self.remove_beyond_end(log)?;
        }
        Ok(Owed {
            words: self.index.note()?,
            erasure: self.erases,
        })
    }

    fn execute(&self, sql: &str, params: impl Params) -> rusqlite::Result<()> {
        self.transaction.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }

    /// The row of a log, and the device that writes it.
    fn log(&mut self, join: &JoinId) -> Result<(i64, DeviceKey), StoreError> {
        if let Some(known) = self.logs.get(join) {
            return Ok(*known);
        }
        let mut statement = self
            .transaction
            .prepare_cached("SELECT row, device FROM log WHERE conversation = ?1 AND id = ?2")?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, DeviceKey(PublicKey(row.get(1)?))));
        let found = statement.query_row(params![self.conversation, join.0], read);
        let found = found.optional()?.ok_or(StoreError::Unknown)?;
        self.logs.insert(*join, found);
        Ok(found)
    }

    fn roster(&self, sealed: &Sealed) -> rusqlite::Result<()> {
        let id = sealed.entry.id.0;
        self.execute(
            "INSERT OR REPLACE INTO roster (conversation, id, bytes) VALUES (?1, ?2, ?3)",
            params![self.conversation, id, &sealed.bytes[..]],
        )?;
        if let Act::Create { certificate, .. } | Act::Join { certificate, .. } = &sealed.entry.act {
            let (device, person) = (certificate.device.0.0, certificate.person.0.0);
            self.execute(
                "INSERT INTO log (conversation, id, device, person) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
                params![self.conversation, id, device, person],
            )?;
        }
        Ok(())
    }

    fn talk(&mut self, entry: &TalkEntry) -> Result<(), StoreError> {
        let header = &entry.header;
        let (log, device) = self.log(&header.join)?;
        let position = number(header.position);
        let place = place_bytes(&Place {
            clock: header.clock,
            device,
            position: header.position,
        });
        let body = entry.body.as_deref();
        let talk = body.and_then(|body| Talk::decode(header.kind, body).ok());
        let target = talk.as_ref().and_then(target).map(|target| target.0);
        let (conversation, id, kind) = (self.conversation, entry.id.0, header.kind);
        let text = match &talk {
            Some(Talk::Message { text } | Talk::Reply { text, .. }) => Some(text),
            _ => None,
        };
        let indexed = match text {
            Some(text) if self.index.takes(id, kind)? => Some(text),
            _ => None,
        };
        let sql = "INSERT INTO talk (conversation, log, position, place, id, kind, target, sealed, body, came, indexed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING";
        let sealed = sealed_bytes(&Named::from(entry));
        let came = i64::try_from(wall().0).unwrap_or(i64::MAX);
        let columns = params![
            conversation,
            log,
            position,
            place,
            id,
            kind,
            target,
            sealed,
            body,
            came,
            indexed.is_some()
        ];
        let is_new = self.transaction.prepare_cached(sql)?.execute(columns)? > 0;
        if !is_new {
            self.remove("log = ?1 AND position = ?2", &[&log, &position])?;
            self.execute(sql, columns)?;
        }
        match indexed {
            Some(text) => {
                let row = self.transaction.last_insert_rowid();
                self.index.add(row, text)?;
            }
            None => self.index.touch(id, kind, target),
        }
        Ok(())
    }

    /// An own entry does not wait any more to be written once more.
    fn said_again(&mut self, id: &EntryId) -> Result<(), StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "UPDATE talk SET again = 0 WHERE conversation = ?1 AND id = ?2 RETURNING log",
        )?;
        let logs = statement.query_map(params![self.conversation, id.0], |row| row.get(0))?;
        self.ended.extend(logs.collect::<Result<Vec<i64>, _>>()?);
        Ok(())
    }

    fn erased(&mut self, id: &EntryId, person: &PersonKey) -> Result<(), StoreError> {
        // What an erase names has to stay known, so that it is not taken again.
        let theirs = "talk.conversation = ?1 AND talk.id = ?2 AND body IS NOT NULL AND kind <> 4
             AND log IN (SELECT row FROM log WHERE conversation = ?1 AND person = ?3)";
        for gone in self.gone(theirs, &[&self.conversation, &id.0, &person.0.0])? {
            self.index.remove(gone.row)?;
            self.index.touch(gone.id, gone.kind, gone.target);
            self.execute(
                "UPDATE talk SET body = NULL, target = NULL WHERE row = ?1",
                [gone.row],
            )?;
            self.erases = true;
        }
        Ok(())
    }

    fn end(&mut self, join: &JoinId, proof: &[Named]) -> Result<(), StoreError> {
        let (log, _) = self.log(join)?;
        let end = End::proven_by(proof).map_or(u64::MAX, |end| end.position());
        let parts: Vec<_> = proof.iter().map(sealed_bytes).collect();
        self.execute(
            "UPDATE log SET end = ?2, proof = ?3 WHERE row = ?1",
            params![log, number(end), parts.concat()],
        )?;
        self.ended.insert(log);
        Ok(())
    }

    fn floor(&mut self, join: &JoinId, position: u64) -> Result<(), StoreError> {
        let (log, _) = self.log(join)?;
        let position = number(position);
        self.execute(
            "UPDATE log SET floor = max(ifnull(floor, ?2), ?2) WHERE row = ?1",
            params![log, position],
        )?;
        self.remove("log = ?1 AND position < ?2", &[&log, &position])
    }

    /// Adds a range to what a person holds: one row for ranges that touch.
    fn got(
        &mut self,
        person: &PersonKey,
        join: &JoinId,
        range: &Range<u64>,
    ) -> Result<(), StoreError> {
        let (log, _) = self.log(join)?;
        let touching = "log = ?1 AND person = ?2 AND start <= ?4 AND end >= ?3";
        let key = params![log, person.0.0, number(range.start), number(range.end)];
        let mut statement = self.transaction.prepare_cached(&format!(
            "SELECT ifnull(min(start, ?3), ?3), ifnull(max(end, ?4), ?4)
             FROM (SELECT min(start) AS start, max(end) AS end FROM got WHERE {touching})"
        ))?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (start, end): ([u8; 8], [u8; 8]) = statement.query_row(key, read)?;
        self.execute(&format!("DELETE FROM got WHERE {touching}"), key)?;
        self.execute(
            "INSERT INTO got (log, person, start, end) VALUES (?1, ?2, ?3, ?4)",
            params![log, person.0.0, start, end],
        )?;
        Ok(())
    }

    /// Takes away what is beyond the end of a log, but for what has to be written once more.
    fn remove_beyond_end(&mut self, log: i64) -> Result<(), StoreError> {
        let beyond = "log = ?1 AND position >= (SELECT end FROM log WHERE row = ?1)";
        for lost in self.gone(beyond, &[&log])? {
            self.index.remove(lost.row)?;
            self.index.touch(lost.id, lost.kind, lost.target);
        }
        self.remove(&format!("{beyond} AND again = 0"), &[&log])
    }

    /// Takes entries away, out of the index too.
    fn remove(&mut self, condition: &str, params: &[&dyn ToSql]) -> Result<(), StoreError> {
        for gone in self.gone(condition, params)? {
            self.index.remove(gone.row)?;
            self.index.touch(gone.id, gone.kind, gone.target);
            self.execute("DELETE FROM talk WHERE row = ?1", [gone.row])?;
        }
        Ok(())
    }

    fn gone(&self, condition: &str, params: &[&dyn ToSql]) -> rusqlite::Result<Vec<Gone>> {
        let sql = format!("SELECT row, id, kind, target FROM talk WHERE {condition}");
        let mut statement = self.transaction.prepare_cached(&sql)?;
        let rows = statement.query_map(params, |row| {
            Ok(Gone {
                row: row.get(0)?,
                id: row.get(1)?,
                kind: row.get(2)?,
                target: row.get(3)?,
            })
        })?;
        rows.collect()
    }
}

/// The message that an entry names.
fn target(talk: &Talk) -> Option<&EntryId> {
    match talk {
        Talk::Message { .. } => None,
        Talk::Reply { to: target, .. }
        | Talk::Edit { of: target, .. }
        | Talk::Erase { of: target }
        | Talk::Reaction { to: target, .. } => Some(target),
    }
}
