//! A conversation as text or JSON.

use std::collections::BTreeMap;
use std::io::{self, Write};

use data_encoding::HEXLOWER;
use p2pchat_conversation::message::{Message, Text};
use p2pchat_model::{Timestamp, printable};
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId};
use serde::Serialize;
use thiserror::Error;

use super::read::{Entry, Visible};
use super::store::{Store, StoreError};

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: a line a message, and the further lines of its text behind four spaces.
    Text,
    /// For programs: a JSON object a line. Further fields may be added.
    Json,
}

/// What only the front end knows.
pub struct Words<'a> {
    /// The name of a person.
    pub name: &'a dyn Fn(&PersonKey) -> String,
    /// A time, for people.
    pub time: &'a dyn Fn(Timestamp) -> String,
}

/// Why a conversation cannot be exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The export cannot be written.
    #[error("cannot write the export: {0}")]
    Write(#[from] io::Error),
}

#[derive(Serialize)]
struct Line<'a> {
    id: String,
    at: Timestamp,
    author: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    erased: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited: Option<Timestamp>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reactions: BTreeMap<&'a str, Vec<String>>,
}

impl Store {
    /// Writes the messages of a conversation, the oldest first. Tells how many. Those that are no
    /// longer kept, or need a newer program, are left out.
    ///
    /// # Errors
    /// If the store cannot be read, or the export cannot be written.
    pub fn export(
        &self,
        conversation: &ConversationId,
        visible: &Visible,
        format: Format,
        words: &Words<'_>,
        out: &mut dyn Write,
    ) -> Result<usize, ExportError> {
        let mut ids = Vec::new();
        self.walk_back(conversation, None, None, visible, |entry| {
            ids.push(entry.id);
            true
        })?;
        let mut written = 0;
        for id in ids.iter().rev() {
            let Some(post) = self.post(conversation, id, visible)? else {
                continue;
            };
            let Some(message) = post.message().filter(|post| post.text != Text::Missing) else {
                continue;
            };
            match format {
                Format::Text => write_text(&post.entry, &message, words, out)?,
                Format::Json => write_json(&post.entry, &message, words, out)?,
            }
            written += 1;
        }
        out.flush()?;
        Ok(written)
    }
}

/// What others have written cannot look like a line of another person.
fn write_text(
    entry: &Entry,
    message: &Message<'_>,
    words: &Words<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let text = match message.text {
        Text::Shown(text) => printable(text).replace('\n', "\n    "),
        Text::Erased | Text::Missing => "(deleted)".to_owned(),
    };
    let time = (words.time)(timestamp(entry.place.clock));
    let name = (words.name)(&entry.author);
    let edited = message.edited.map_or("", |_| " (edited)");
    writeln!(out, "{time} {}: {text}{edited}", printable(&name))
}

fn write_json(
    entry: &Entry,
    message: &Message<'_>,
    words: &Words<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let text = match message.text {
        Text::Shown(text) => Some(text),
        Text::Erased | Text::Missing => None,
    };
    let reactions = message.reactions.iter().map(|(emoji, people)| {
        let names = people.iter().map(words.name);
        (*emoji, names.collect())
    });
    let line = Line {
        id: HEXLOWER.encode(&entry.id.0),
        at: timestamp(entry.place.clock),
        author: HEXLOWER.encode(&entry.author.0.0),
        name: (words.name)(&entry.author),
        text,
        erased: message.text == Text::Erased,
        answers: message.answers.map(|id| HEXLOWER.encode(&id.0)),
        edited: message.edited.map(timestamp),
        reactions: reactions.collect(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}

fn timestamp(clock: Clock) -> Timestamp {
    let millis = clock.since_1970().as_millis();
    Timestamp(u64::try_from(millis).unwrap_or(u64::MAX))
}
