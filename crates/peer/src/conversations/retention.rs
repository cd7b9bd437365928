//! What is beyond what is kept. Of the member with the most, the oldest goes first: one who
//! floods a conversation drives out their own.

use std::collections::{BTreeMap, VecDeque};

use p2pchat_conversation::replica::Fact;
use p2pchat_protocol::v2::conversation::talk::MAX_BODY;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use rusqlite::{Row, params};

use super::schema::{behind, first_place};
use super::store::{Change, Store, StoreError};

/// The most bodies that are kept of a conversation: some years of a lively one.
pub const MAX_BODIES: i64 = 100_000;
/// The most bytes of bodies that are kept of a conversation, 1 GiB: a third of what as many of the
/// longest have.
pub const MAX_BYTES: i64 = 1 << 30;
/// After how many new entries a conversation is looked at, so that not each of them costs a look
/// at the whole: the limits may be exceeded by as many.
const CHECK_EVERY: usize = 1_000;
/// The bytes of the longest body.
const MAX_LENGTH: i64 = MAX_BODY as i64;

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) bodies: i64,
    pub(super) bytes: i64,
    pub(super) check_every: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bodies: MAX_BODIES,
            bytes: MAX_BYTES,
            check_every: CHECK_EVERY,
        }
    }
}

/// A body that is held.
struct Held {
    log: JoinId,
    position: u64,
    bytes: i64,
}

/// What one person has written, the oldest first.
#[derive(Default)]
struct Share {
    held: VecDeque<Held>,
    bytes: i64,
}

/// Counts the talk entries of changes.
pub(super) fn note_written(written: &mut BTreeMap<ConversationId, usize>, changes: &[Change]) {
    for change in changes {
        if let Change::Facts(id, facts) = change {
            let talk = facts
                .iter()
                .filter(|fact| matches!(fact, Fact::Talk { .. }));
            *written.entry(*id).or_default() += talk.count();
        }
    }
}

impl Store {
    /// The floors that bring conversations back within [`MAX_BODIES`] and [`MAX_BYTES`]. Looks at
    /// those alone to which much was added since they were looked at, so it may be called after
    /// every commit. The floors are to be applied to the replicas and committed.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn surplus(&mut self) -> Result<Vec<(ConversationId, Vec<Fact>)>, StoreError> {
        let due = self.written.iter().filter(|(id, new)| {
            let room = self.room.get(id).copied().unwrap_or_default();
            **new >= room.max(self.limits.check_every)
        });
        let due: Vec<_> = due.map(|(id, _)| *id).collect();
        let mut surplus = Vec::new();
        for id in due {
            let floors = self.surplus_of(&id)?;
            self.written.remove(&id);
            if !floors.is_empty() {
                surplus.push((id, floors));
            }
        }
        Ok(surplus)
    }

    /// The same for one conversation, whatever was added to it.
    pub(super) fn surplus_of(&mut self, id: &ConversationId) -> Result<Vec<Fact>, StoreError> {
        let Some(conversation) = self.conversation(id)? else {
            return Ok(Vec::new());
        };
        let (bodies, bytes): (i64, i64) = self.connection.query_row(
            "SELECT count(*), ifnull(sum(length(body)), 0) FROM talk
             WHERE conversation = ?1 AND body IS NOT NULL",
            [conversation],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let (mut bodies, mut bytes) = (bodies - self.limits.bodies, bytes - self.limits.bytes);
        // Each new entry has one body, which is at most so long.
        let room = (-bodies).min(-bytes / MAX_LENGTH);
        self.room
            .insert(*id, usize::try_from(room).unwrap_or_default());
        if bodies <= 0 && bytes <= 0 {
            return Ok(Vec::new());
        }
        let mut shares = self.shares(conversation)?;
        let mut floors = BTreeMap::new();
        while bodies > 0 || bytes > 0 {
            let most = shares.values_mut().max_by_key(|share| {
                let held = i64::try_from(share.held.len()).unwrap_or(i64::MAX);
                if bodies > 0 { held } else { share.bytes }
            });
            let Some((share, oldest)) =
                most.and_then(|share| share.held.pop_front().map(|oldest| (share, oldest)))
            else {
                break;
            };
            share.bytes -= oldest.bytes;
            bodies -= 1;
            bytes -= oldest.bytes;
            floors.insert(oldest.log, oldest.position.saturating_add(1));
        }
        Ok(floors_of(floors))
    }

    fn shares(&self, conversation: i64) -> Result<BTreeMap<[u8; 32], Share>, StoreError> {
        let mut statement = self.connection.prepare(
            "SELECT person, log.id, position, length(body) FROM talk JOIN log ON log.row = log
             WHERE talk.conversation = ?1 AND body IS NOT NULL ORDER BY place",
        )?;
        let mut rows = statement.query([conversation])?;
        let mut shares: BTreeMap<_, Share> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let share = shares.entry(row.get(0)?).or_default();
            let held = Held {
                log: EntryId(row.get(1)?),
                position: u64::from_be_bytes(row.get(2)?),
                bytes: row.get(3)?,
            };
            share.bytes += held.bytes;
            share.held.push_back(held);
        }
        Ok(shares)
    }

    /// The floors by which nothing is kept that was written until a time.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn older_than(&self, time: Clock) -> Result<Vec<(ConversationId, Vec<Fact>)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT conversation.id, log.id, max(position)
             FROM conversation JOIN talk ON talk.conversation = conversation.row
                 JOIN log ON log.row = log
             WHERE place < ?1 GROUP BY talk.log",
        )?;
        let read = |row: &Row<'_>| {
            let position: [u8; 8] = row.get(2)?;
            let floor = u64::from_be_bytes(position).saturating_add(1);
            let log: JoinId = EntryId(row.get(1)?);
            Ok((ConversationId(row.get(0)?), (log, floor)))
        };
        let rows = statement.query_map(params![first_place(behind(time))], read)?;
        let mut old: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for row in rows {
            let (id, (log, floor)) = row?;
            old.entry(id).or_default().insert(log, floor);
        }
        let floors = old.into_iter().map(|(id, floors)| (id, floors_of(floors)));
        Ok(floors.collect())
    }
}

fn floors_of(floors: BTreeMap<JoinId, u64>) -> Vec<Fact> {
    let floor = |(join, position)| Fact::Floor { join, position };
    floors.into_iter().map(floor).collect()
}
