//! The history: messages kept over restarts, in an SQLite file with a full-text index.
//!
//! The index is updated by a search, and now and then before that: to index many messages at
//! once costs a tenth of the time that one by one takes, and a message is only shown after it
//! is written.
//!
//! Processes whose options name one file may share it. A message that was recorded
//! survives `kill -9`; a power cut may lose the last few.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use p2pchat_common::sqlite::{self, Durability, FileError, Kind};
use p2pchat_model::{ConversationId, Delivery, Message, MessageId, Timestamp, Username};
use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use thiserror::Error;

use crate::machine::SaidBy;
use crate::shell::clock::wall;

mod recorder;
mod row;

pub(crate) use recorder::{Change, Recorder};

/// How long to wait for another p2pchat that writes to the same file.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// How many words of a search count; further ones are ignored.
const MAX_SEARCH_WORDS: usize = 32;
/// How many calls of front ends are kept: as many as a machine remembers.
const MAX_CALLS: usize = 4096;
/// The kind of the file, for [`sqlite::open`]. Its application id is "p2pH".
const KIND: Kind = Kind {
    what: "history",
    application_id: 0x7032_7048,
    schema: "
CREATE TABLE message (
    row INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    name_check TEXT NOT NULL,
    text TEXT NOT NULL,
    deliveries TEXT,
    conversation TEXT NOT NULL DEFAULT 'open',
    UNIQUE (account, id)
) STRICT;
CREATE VIRTUAL TABLE message_text USING fts5 (
    text, content = 'message', content_rowid = 'row',
    tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TABLE call (
    row INTEGER PRIMARY KEY,
    front_end TEXT NOT NULL,
    id TEXT NOT NULL,
    fingerprint INTEGER NOT NULL,
    message INTEGER NOT NULL,
    UNIQUE (front_end, id)
) STRICT;
CREATE TABLE conversation (
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    read INTEGER,
    draft TEXT,
    PRIMARY KEY (account, id)
) STRICT;
CREATE TRIGGER message_gone AFTER DELETE ON message BEGIN
    INSERT INTO message_text (message_text, rowid, text) VALUES ('delete', old.row, old.text);
END;
",
    migrations: &[
        "DROP TRIGGER message_added;",
        "ALTER TABLE message ADD COLUMN conversation TEXT NOT NULL DEFAULT 'open';
CREATE TABLE call (
    row INTEGER PRIMARY KEY,
    front_end TEXT NOT NULL,
    id TEXT NOT NULL,
    fingerprint INTEGER NOT NULL,
    message INTEGER NOT NULL,
    UNIQUE (front_end, id)
) STRICT;
CREATE TABLE conversation (
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    read INTEGER,
    draft TEXT,
    PRIMARY KEY (account, id)
) STRICT;
INSERT INTO conversation (account, id, read)
    SELECT account, 'open', max(id) FROM message GROUP BY account;",
    ],
    durability: Durability::Process,
    busy_timeout: BUSY_TIMEOUT,
};

/// A history on disk. Its methods block: not for an async task.
#[derive(Debug)]
pub struct History {
    connection: Connection,
    limits: Limits,
    /// For how long messages are kept; `None` for as long as there is room.
    keep: Option<Duration>,
    /// How many entries were written.
    written: usize,
    /// The same when it was last tidied; `None` before the first time.
    tidied: Option<usize>,
}

/// Why the history cannot be opened, read or written.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// An error of its file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The deliveries of a message cannot be written as JSON, or read.
    #[error("deliveries of a message: {0}")]
    Deliveries(#[from] serde_json::Error),
}

impl From<rusqlite::Error> for HistoryError {
    fn from(error: rusqlite::Error) -> Self {
        Self::File(error.into())
    }
}

/// A page of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Up to [`History::PAGE`] messages, oldest first.
    pub messages: Vec<Message>,
    /// Whether there are older ones.
    pub more: bool,
}

/// An entry to write to the history of an account.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A message, and the call of a front end that led to it.
    Message {
        account: Username,
        message: Message,
        said_by: Option<SaidBy>,
    },
    /// The delivery status of an earlier message to one member.
    Delivery {
        account: Username,
        id: MessageId,
        delivery: Delivery,
    },
    /// How far a conversation is read, or its draft.
    Mark { account: Username, mark: Mark },
}

/// What the user has done with a conversation in any front end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// They have read it up to this message.
    Read {
        conversation: ConversationId,
        message: MessageId,
    },
    /// They have typed this and not sent it.
    Draft {
        conversation: ConversationId,
        text: String,
    },
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    messages: usize,
    prune_every: usize,
}

impl History {
    /// How many messages of an account are kept; if there are more, the oldest are deleted.
    pub const MAX_MESSAGES: usize = 100_000;
    /// The size limit of a page and of the result of a search.
    pub const PAGE: usize = 100;
    /// After how many new messages [`History::MAX_MESSAGES`] is enforced, so that not each of
    /// them costs a look at the whole account: it may be exceeded by as many.
    const PRUNE_EVERY: usize = 1_000;
    /// After how many new messages the index is updated, so that a search has little to do
    /// before it begins.
    const INDEX_EVERY: usize = 250;

    /// Opens the history in this file. Creates the file and its folder if they are not there,
    /// readable by their owner alone.
    ///
    /// # Errors
    /// If it cannot be created or opened, or is not a history that this version understands.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        let limits = Limits {
            messages: Self::MAX_MESSAGES,
            prune_every: Self::PRUNE_EVERY,
        };
        Self::open_with(path, limits)
    }

    fn open_with(path: &Path, limits: Limits) -> Result<Self, HistoryError> {
        Ok(Self {
            connection: sqlite::open(path, &KIND)?,
            limits,
            keep: None,
            written: 0,
            tidied: None,
        })
    }

    /// The same, which keeps messages for as long at most: those that are older go now, and
    /// whenever many were written.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn keeping(mut self, keep: Option<Duration>) -> Result<Self, HistoryError> {
        self.keep = keep;
        if keep.is_some() {
            self.tidy()?;
        }
        Ok(self)
    }

    /// Writes messages. One whose id is there already stays as it is.
    ///
    /// # Errors
    /// If the file cannot be written. Then none of them is there; or all are and only the index
    /// is stale, which the next search updates.
    pub fn record(&mut self, account: Username, messages: &[Message]) -> Result<(), HistoryError> {
        let entries: Vec<_> = messages
            .iter()
            .cloned()
            .map(|message| Entry::Message {
                account,
                message,
                said_by: None,
            })
            .collect();
        self.write(&entries)?;
        self.tidy()
    }

    /// Writes the delivery status of a message to one member.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn update_delivery(
        &mut self,
        account: Username,
        id: MessageId,
        delivery: Delivery,
    ) -> Result<(), HistoryError> {
        self.write(&[Entry::Delivery {
            account,
            id,
            delivery,
        }])
    }

    /// Writes all entries, or none of them. Work that can wait until they are shown is left to
    /// [`History::tidy`].
    pub(crate) fn write(&mut self, entries: &[Entry]) -> Result<(), HistoryError> {
        match entries {
            // The most frequent case. A single statement is the cheapest transaction.
            [
                Entry::Message {
                    account,
                    message,
                    said_by: None,
                },
            ] => {
                row::insert(&self.connection, *account, message)?;
            }
            entries => self.write_together(entries)?,
        }
        self.written += entries.len();
        Ok(())
    }

    fn write_together(&mut self, entries: &[Entry]) -> Result<(), HistoryError> {
        let transaction = self.begin()?;
        // One update a message: a text to a thousand members has a list as long.
        let mut updates: BTreeMap<_, Vec<Delivery>> = BTreeMap::new();
        for entry in entries {
            match entry {
                Entry::Message {
                    account,
                    message,
                    said_by,
                } => {
                    row::insert(&transaction, *account, message)?;
                    if let Some(by) = said_by {
                        row::insert_call(&transaction, by, message.id)?;
                    }
                }
                Entry::Mark { account, mark } => row::set_mark(&transaction, *account, mark)?,
                Entry::Delivery {
                    account,
                    id,
                    delivery,
                } => updates.entry((*account, *id)).or_default().push(*delivery),
            }
        }
        for ((account, id), deliveries) in updates {
            row::set_deliveries(&transaction, account, id, deliveries)?;
        }
        Ok(transaction.commit()?)
    }

    /// Updates the index and deletes the oldest messages, if enough was written since the last
    /// time. It may take some milliseconds, so it is called after new messages were shown.
    pub(crate) fn tidy(&mut self) -> Result<(), HistoryError> {
        let (written, tidied) = (self.written, self.tidied);
        let is_due = |every| tidied.is_none_or(|tidied| tidied / every < written / every);
        let must_prune = is_due(self.limits.prune_every);
        if !must_prune && !is_due(Self::INDEX_EVERY) {
            return Ok(());
        }
        // If this fails, it is tried again when as much more was written.
        self.tidied = Some(written);
        let keep = self.limits.messages;
        let oldest = self.keep.map(|keep| wall().before(keep));
        let transaction = self.begin()?;
        // Only messages that are in the index can be deleted from it.
        index(&transaction)?;
        if must_prune {
            prune(&transaction, keep)?;
            if let Some(oldest) = oldest {
                forget_before(&transaction, oldest)?;
            }
            transaction.execute(
                "DELETE FROM call WHERE row <= (SELECT max(row) FROM call) - ?1",
                [MAX_CALLS as i64],
            )?;
        }
        Ok(transaction.commit()?)
    }

    fn begin(&mut self) -> rusqlite::Result<Transaction<'_>> {
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
    }

    /// The messages just before `before`; the newest if `None`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn page(
        &self,
        account: Username,
        conversation: ConversationId,
        before: Option<MessageId>,
    ) -> Result<Page, HistoryError> {
        let before = before.map_or(i64::MAX, |id| row::integer(id.number()));
        let mut messages = self.select(
            "WHERE account = ?1 AND id < ?2 AND conversation = ?4 ORDER BY id DESC LIMIT ?3",
            &[
                &account.as_str(),
                &before,
                &(Self::PAGE as i64 + 1),
                &conversation.as_str(),
            ],
        )?;
        let more = messages.len() > Self::PAGE;
        messages.truncate(Self::PAGE);
        messages.reverse();
        Ok(Page { messages, more })
    }

    /// The greatest id in the file, of all accounts. The ids of new messages have to be greater,
    /// or they would not be the newest, or be taken for messages that are there already.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last(&self) -> Result<Option<MessageId>, HistoryError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT max(id) FROM message")?;
        let last: Option<i64> = statement.query_row([], |row| row.get(0))?;
        Ok(last
            .and_then(|id| u64::try_from(id).ok())
            .map(MessageId::new))
    }

    /// Up to [`History::PAGE`] messages that hold all of these words, the last of which
    /// may be the beginning of one; newest first. Case and accents do not matter.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn find(
        &mut self,
        account: Username,
        conversation: Option<ConversationId>,
        text: &str,
    ) -> Result<Vec<Message>, HistoryError> {
        let Some(query) = search_query(text) else {
            return Ok(Vec::new());
        };
        if let Err(error) = self.index() {
            // The disk is full, or another program holds the file.
            tracing::warn!(%error, "the newest messages cannot be searched");
        }
        self.select(
            "JOIN message_text ON message_text.rowid = message.row
             WHERE message_text MATCH ?2 AND account = ?1 AND ifnull(?4, conversation) = conversation
             ORDER BY message_text.rowid DESC LIMIT ?3",
            &[
                &account.as_str(),
                &query,
                &(Self::PAGE as i64),
                &conversation.as_ref().map(ConversationId::as_str),
            ],
        )
    }

    /// A message.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn message(
        &self,
        account: Username,
        id: MessageId,
    ) -> Result<Option<Message>, HistoryError> {
        let found = self.select(
            "WHERE account = ?1 AND id = ?2",
            &[&account.as_str(), &row::integer(id.number())],
        )?;
        Ok(found.into_iter().next())
    }

    /// The last calls of front ends that led to messages, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn calls(&self) -> Result<Vec<(SaidBy, MessageId)>, HistoryError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT front_end, id, fingerprint, message FROM call ORDER BY row DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([MAX_CALLS as i64], row::read_call)?;
        let mut calls = rows.collect::<Result<Vec<_>, _>>()?;
        calls.reverse();
        Ok(calls)
    }

    /// How far the conversations of an account are read, and their drafts.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn marks(&self, account: Username) -> Result<Vec<Mark>, HistoryError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, read, draft FROM conversation WHERE account = ?1")?;
        let rows = statement.query_map([account.as_str()], row::read_marks)?;
        let marks = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(marks.into_iter().flatten().collect())
    }

    fn index(&mut self) -> Result<(), HistoryError> {
        if is_indexed(&self.connection)? {
            return Ok(());
        }
        let transaction = self.begin()?;
        index(&transaction)?;
        Ok(transaction.commit()?)
    }

    fn select(
        &self,
        condition: &str,
        parameters: &[&dyn ToSql],
    ) -> Result<Vec<Message>, HistoryError> {
        let sql = format!("SELECT {} FROM message {condition}", row::COLUMNS);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(parameters, row::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Whether the newest message is in the index. The last one that is has the last row in the
/// index's table of lengths, whichever program put it there.
fn is_indexed(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT (SELECT max(id) FROM message_text_docsize) IS (SELECT max(row) FROM message)",
        )?
        .query_row([], |row| row.get(0))
}

/// Adds new messages to the index.
fn index(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO message_text (rowid, text) SELECT row, text FROM message
             WHERE row > (SELECT ifnull(max(id), 0) FROM message_text_docsize)",
        )?
        .execute([])?;
    Ok(())
}

/// Deletes the messages beyond the limit, in every account.
/// Deletes the messages that came before a time.
fn forget_before(transaction: &Transaction<'_>, oldest: Timestamp) -> Result<(), HistoryError> {
    let oldest = i64::try_from(oldest.0).unwrap_or(i64::MAX);
    transaction.execute("DELETE FROM message WHERE at < ?1", [oldest])?;
    Ok(())
}

fn prune(transaction: &Transaction<'_>, keep: usize) -> Result<(), HistoryError> {
    let accounts: Vec<String> = transaction
        .prepare_cached("SELECT DISTINCT account FROM message")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for account in accounts {
        let newest_to_go: Option<i64> = transaction
            .prepare_cached(
                "SELECT id FROM message WHERE account = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2",
            )?
            .query_row(rusqlite::params![account, keep as i64], |row| row.get(0))
            .optional()?;
        if let Some(id) = newest_to_go {
            transaction.execute(
                "DELETE FROM message WHERE account = ?1 AND id <= ?2",
                rusqlite::params![account, id],
            )?;
        }
    }
    Ok(())
}

/// The full-text query for messages that hold all of these words, the last of which may be the
/// beginning of one. `None` if there is no word.
///
/// Each word is quoted, so that nothing in it is an operator of the query language.
pub(crate) fn search_query(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || c == '\0')
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .take(MAX_SEARCH_WORDS)
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect();
    if words.is_empty() {
        return None;
    }
    Some(words.join(" ") + "*")
}

#[cfg(test)]
mod tests;
