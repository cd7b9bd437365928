//! What a message and a message of an encrypted conversation have in common.

use p2pchat_model::{Line, MessageId, Named, Person, Timestamp, wording};

/// A message of either kind.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// Its identifier.
    pub id: MessageId,
    /// When it was written.
    pub at: Timestamp,
    /// Whether the user wrote it.
    pub own: bool,
    /// Who wrote it.
    pub who: Who<'a>,
    /// Its text, or what stands in its place.
    pub text: &'a str,
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who<'a> {
    /// Someone in the open chat.
    Person(&'a Person),
    /// Someone by their key.
    Named(&'a Named),
}

impl Who<'_> {
    /// Their name.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Person(person) => person.title().to_owned(),
            Self::Named(named) => named.to_string(),
        }
    }
}

/// The message that a line is, if it is one.
#[must_use]
pub fn said(line: &Line) -> Option<Said<'_>> {
    match line {
        Line::Message(message) => Some(Said {
            id: message.id,
            at: message.at,
            own: message.is_own(),
            who: Who::Person(&message.from),
            text: &message.text,
        }),
        Line::Post(post) => Some(Said {
            id: post.id,
            at: post.at,
            own: post.is_own(),
            who: Who::Named(&post.from),
            text: wording::chat::text(post),
        }),
        Line::Notice { .. } => None,
    }
}
