//! What the user has read, and what is new.

use p2pchat_model::{Line, Message, MessageId};

/// How far the user has read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Whether the user sees the end of the conversation now.
    looking: bool,
    /// The newest message that the user has seen.
    read: MessageId,
    /// The first message that came while the user was not looking: the mark stands before it.
    mark: Option<MessageId>,
    /// How many came since.
    unread: usize,
}

impl Reading {
    /// The beginning: a conversation that was seen up to `read`, or whole, if that is not
    /// known.
    #[must_use]
    pub fn begin(lines: &[Line], read: Option<MessageId>, looking: bool) -> Self {
        let messages = || {
            lines.iter().filter_map(|line| match line {
                Line::Message(message) => Some(message),
                Line::Post(_) | Line::Notice { .. } => None,
            })
        };
        let newest = messages()
            .map(|message| message.id)
            .max()
            .unwrap_or_default();
        let read = read.unwrap_or(newest);
        let mut reading = Self {
            looking: false,
            read,
            ..Self::default()
        };
        for message in messages().filter(|message| message.id > read) {
            reading.take(message);
        }
        reading.look(looking);
        reading
    }

    /// Records a message that was received or sent just now.
    pub fn take(&mut self, message: &Message) {
        if message.is_own() {
            // A user who answers has read what was before.
            self.mark = None;
            self.unread = 0;
            self.read = self.read.max(message.id);
        } else if self.looking {
            self.read = self.read.max(message.id);
        } else {
            if self.unread == 0 {
                self.mark = Some(message.id);
            }
            self.unread += 1;
        }
    }

    /// Records that the user has read up to this message in another front end, of those lines.
    pub fn read_elsewhere(&mut self, message: MessageId, lines: &[Line]) {
        if message > self.read {
            *self = Self::begin(lines, Some(message), self.looking);
        }
    }

    /// Records whether the user sees the end of the conversation. The mark stays: it shows
    /// where to begin.
    pub fn look(&mut self, looking: bool) {
        self.looking = looking;
        if looking {
            self.unread = 0;
        }
    }

    /// Records the newest message that the user sees.
    pub fn seen(&mut self, newest: MessageId) {
        if self.looking {
            self.read = self.read.max(newest);
        }
    }

    /// The message before which the mark stands.
    #[must_use]
    pub fn mark(&self) -> Option<MessageId> {
        self.mark
    }

    /// How many messages came while the user was not looking.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.unread
    }

    /// The newest message that the user has seen.
    #[must_use]
    pub fn read(&self) -> MessageId {
        self.read
    }

    /// Whether the user sees the end of the conversation.
    #[must_use]
    pub fn looking(&self) -> bool {
        self.looking
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::rows::samples::message;

    fn others(id: u64) -> Message {
        message(id, id * 1000, "bob", false)
    }

    #[test]
    fn a_message_that_comes_while_nobody_looks_is_unread_and_the_mark_stands_before_the_first() {
        let mut reading = Reading::default();
        reading.take(&others(1));
        reading.take(&others(2));
        assert_eq!(
            (reading.unread(), reading.mark()),
            (2, Some(MessageId::new(1)))
        );
        reading.look(true);
        assert_eq!(
            (reading.unread(), reading.mark()),
            (0, Some(MessageId::new(1)))
        );
        reading.take(&others(3));
        assert_eq!(
            (reading.unread(), reading.mark()),
            (0, Some(MessageId::new(1)))
        );
        reading.look(false);
        reading.take(&others(4));
        assert_eq!(
            (reading.unread(), reading.mark()),
            (1, Some(MessageId::new(4)))
        );
    }

    #[test]
    fn an_answer_takes_the_mark_away() {
        let mut reading = Reading::default();
        reading.take(&others(1));
        reading.take(&message(2, 2000, "me", true));
        assert_eq!((reading.unread(), reading.mark()), (0, None));
        assert_eq!(reading.read(), MessageId::new(2));
    }

    #[test]
    fn a_reload_remembers_what_was_read() {
        let lines: Vec<Line> = (1..=5).map(|id| Line::from(others(id))).collect();
        let fresh = Reading::begin(&lines, None, false);
        assert_eq!((fresh.unread(), fresh.read()), (0, MessageId::new(5)));
        let again = Reading::begin(&lines, Some(MessageId::new(3)), false);
        assert_eq!((again.unread(), again.mark()), (2, Some(MessageId::new(4))));
    }
}
