//! The full-text index: the latest text of each message, and no other.
//!
//! Indexing the words of one message takes as long as storing it, so it is not done before the message
//! is shown: a commit notes which messages it touches, and their words are indexed soon after it, and
//! before a search. Those of many messages take a tenth of that for each, and less than the notes
//! would, so they are indexed in the commit. What goes is taken out of the index at once.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::conversation::{ConversationId, EntryId};
use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::read::{COLUMNS, Entry, Post, Visible};
use super::schema::{kind, well_formed};
use super::store::{Store, StoreError};
use crate::history::search_query;

/// How many messages are indexed at a time: some ten milliseconds.
const AT_ONCE: i64 = 1_000;

/// Of so many entries in one commit the words are indexed in it.
const MANY: usize = 8;

/// Keeps the index of one conversation up to date within a transaction.
///
/// The index has no text of its own, so whatever is taken out of it has to be given to it. Its
/// option `secure-delete` takes the words out at once, where it would only mark them otherwise.
pub(super) struct Index<'a> {
    transaction: &'a Transaction<'a>,
    conversation: i64,
    /// The messages whose latest text may be another now.
    touched: BTreeSet<[u8; 32]>,
    /// New messages are indexed at once.
    is_at_once: bool,
}

impl<'a> Index<'a> {
    pub(super) fn new(transaction: &'a Transaction<'a>, conversation: i64) -> Self {
        Self {
            transaction,
            conversation,
            touched: BTreeSet::new(),
            is_at_once: false,
        }
    }

    /// So many entries are to be stored.
    pub(super) fn expect(&mut self, entries: usize) {
        self.is_at_once = entries >= MANY;
    }

    /// Whether this is the latest text of a new message, and is to be indexed at once. An edit of
    /// it may have come before it.
    pub(super) fn takes(&self, id: [u8; 32], kind: u8) -> rusqlite::Result<bool> {
        if !self.is_at_once || !matches!(kind, kind::MESSAGE | kind::REPLY) {
            return Ok(false);
        }
        let mut statement = self.transaction.prepare_cached(
            "SELECT 1 FROM talk WHERE conversation = ?1 AND target = ?2 AND kind = 3",
        )?;
        Ok(!statement.exists(params![self.conversation, id])?)
    }

    /// Indexes an entry that is marked as indexed.
    pub(super) fn add(&self, row: i64, text: &str) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("INSERT INTO talk_text (rowid, text) VALUES (?1, ?2)")?
            .execute(params![row, text])?;
        Ok(())
    }

    /// An entry has come or gone.
    pub(super) fn touch(&mut self, id: [u8; 32], kind: u8, target: Option<[u8; 32]>) {
        match kind {
            kind::MESSAGE | kind::REPLY => self.touched.extend([id]),
            kind::EDIT => self.touched.extend(target),
            _ => {}
        }
    }

    /// Takes the text of an entry out of the index, while its body is still there.
    pub(super) fn remove(&self, row: i64) -> rusqlite::Result<()> {
        let mut statement = self.transaction.prepare_cached(
            "UPDATE talk SET indexed = 0 WHERE row = ?1 AND indexed RETURNING kind, body",
        )?;
        let found = statement
            .query_row([row], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let text = found.and_then(|(kind, body): (u8, Option<Vec<u8>>)| text_of(kind, &body?));
        if let Some(text) = text {
            self.transaction
                .prepare_cached(
                    "INSERT INTO talk_text (talk_text, rowid, text) VALUES ('delete', ?1, ?2)",
                )?
                .execute(params![row, text])?;
        }
        Ok(())
    }

    /// Notes the messages that were touched, to be indexed. Tells whether there are any.
    pub(super) fn note(self) -> rusqlite::Result<bool> {
        for message in &self.touched {
            self.transaction
                .prepare_cached("INSERT INTO touched (conversation, message) VALUES (?1, ?2)")?
                .execute(params![self.conversation, message])?;
        }
        Ok(!self.touched.is_empty())
    }

    /// Indexes the latest text of a message, in place of an earlier one.
    fn update(&self, message: &[u8; 32]) -> rusqlite::Result<()> {
        let latest = self.latest(message)?;
        let indexed = self.indexed(message)?;
        if indexed == latest.as_ref().map(|(row, _)| *row) {
            return Ok(());
        }
        if let Some(row) = indexed {
            self.remove(row)?;
        }
        if let Some((row, text)) = latest {
            self.add(row, &text)?;
            self.transaction
                .prepare_cached("UPDATE talk SET indexed = 1 WHERE row = ?1")?
                .execute([row])?;
        }
        Ok(())
    }

    /// The entry that has the latest text of a message: its own, or the last edit by its author.
    fn latest(&self, message: &[u8; 32]) -> rusqlite::Result<Option<(i64, String)>> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT talk.row, kind, body, person, place FROM talk JOIN log ON log.row = log
             WHERE talk.conversation = ?1 AND talk.id = ?2 AND kind IN (1, 2)
                 AND (end IS NULL OR position < end)",
        )?;
        let read = |row: &Row<'_>| Ok((read_body(row)?, row.get(3)?, row.get(4)?));
        let found = statement.query_row(params![self.conversation, message], read);
        let found: Option<(Body, Vec<u8>, Vec<u8>)> = found.optional()?;
        let Some((own, person, place)) = found else {
            return Ok(None);
        };
        let mut statement = self.transaction.prepare_cached(
            "SELECT talk.row, kind, body FROM talk JOIN log ON log.row = log
             WHERE talk.conversation = ?1 AND target = ?2 AND place > ?4
                 AND kind = 3 AND body IS NOT NULL AND person = ?3
                 AND (end IS NULL OR position < end)
             ORDER BY place DESC LIMIT 1",
        )?;
        let params = params![self.conversation, message, person, place];
        let edit = statement.query_row(params, read_body).optional()?;
        let latest = edit.unwrap_or(own);
        let text = latest.body.and_then(|body| text_of(latest.kind, &body));
        Ok(text.map(|text| (latest.row, text)))
    }

    /// The entry whose text is in the index for a message.
    fn indexed(&self, message: &[u8; 32]) -> rusqlite::Result<Option<i64>> {
        self.transaction
            .prepare_cached(
                "SELECT row FROM talk
                     WHERE conversation = ?1 AND id = ?2 AND kind IN (1, 2) AND indexed
                 UNION ALL
                 SELECT row FROM talk
                     WHERE conversation = ?1 AND target = ?2 AND kind = 3 AND indexed",
            )?
            .query_row(params![self.conversation, message], |row| row.get(0))
            .optional()
    }
}

/// The body of an entry.
struct Body {
    row: i64,
    kind: u8,
    body: Option<Vec<u8>>,
}

fn read_body(row: &Row<'_>) -> rusqlite::Result<Body> {
    Ok(Body {
        row: row.get(0)?,
        kind: row.get(1)?,
        body: row.get(2)?,
    })
}

/// The text of a body that has one.
fn text_of(kind: u8, body: &[u8]) -> Option<String> {
    match Talk::decode(kind, body).ok()? {
        Talk::Message { text } | Talk::Reply { text, .. } | Talk::Edit { text, .. } => Some(text),
        Talk::Erase { .. } | Talk::Reaction { .. } => None,
    }
}

impl Store {
    /// Indexes what was noted, so much of it that nobody waits for long.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn index_words(&mut self) -> Result<(), StoreError> {
        if self.owes_words {
            self.owes_words = self.index_some()?;
        }
        Ok(())
    }

    /// Tells whether there may be more to index.
    fn index_some(&self) -> Result<bool, StoreError> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = Transaction::new_unchecked(&self.connection, behavior)?;
        let noted = {
            let mut statement = transaction.prepare_cached(
                "SELECT row, conversation, message FROM touched ORDER BY row LIMIT ?1",
            )?;
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let noted = statement.query_map([AT_ONCE], read)?;
            noted.collect::<Result<Vec<(i64, i64, [u8; 32])>, _>>()?
        };
        for (_, conversation, message) in &noted {
            Index::new(&transaction, *conversation).update(message)?;
        }
        if let Some((last, ..)) = noted.last() {
            transaction.execute("DELETE FROM touched WHERE row <= ?1", [last])?;
        }
        transaction.commit()?;
        Ok(!noted.is_empty())
    }

    /// Indexes all that was noted. If the file cannot be written, that is not found yet.
    fn index_all(&self) {
        let indexed = loop {
            match self.index_some() {
                Ok(true) => {}
                done => break done,
            }
        };
        if let Err(error) = indexed {
            tracing::debug!(%error, "words cannot be indexed");
        }
    }

    /// Up to `count` messages whose latest text holds all of these words, the last of which may be
    /// the beginning of one; newest first. Case and accents do not matter. Searched are the
    /// conversations that are given, in what is visible of each.
    ///
    /// A message whose latest text is not visible is not found.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn find(
        &self,
        within: &BTreeMap<ConversationId, Visible>,
        text: &str,
        count: usize,
    ) -> Result<Vec<(ConversationId, Post)>, StoreError> {
        let Some(query) = search_query(text) else {
            return Ok(Vec::new());
        };
        self.index_all();
        let only = match within.len() {
            1 => within.keys().next().map(|id| id.0),
            _ => None,
        };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS}, conversation.id, target
             FROM talk_text JOIN talk ON talk.row = talk_text.rowid
                 JOIN log ON log.row = log JOIN conversation ON conversation.row = talk.conversation
             WHERE talk_text MATCH ?1 AND ifnull(?2, conversation.id) = conversation.id
             ORDER BY place DESC"
        ))?;
        let mut rows = statement.query(params![query, only])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let target: Option<[u8; 32]> = row.get("target")?;
            let conversation = ConversationId(row.get(Entry::COLUMNS)?);
            let (Some(visible), Some(entry)) =
                (within.get(&conversation), well_formed(Entry::read(row))?)
            else {
                continue;
            };
            let id = match (entry.kind, target) {
                (kind::EDIT, Some(of)) => EntryId(of),
                _ => entry.id,
            };
            if !visible.has(&entry) {
                continue;
            }
            let post = self.post(&conversation, &id, visible)?;
            found.extend(post.map(|post| (conversation, post)));
            if found.len() >= count {
                break;
            }
        }
        Ok(found)
    }
}
