//! What the user has read, and what is new.

use p2pchat_model::{Line, MessageId};

use super::said::{Said, said};

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
    /// What was read at the beginning.
    before: MessageId,
}

impl Reading {
    /// The beginning: a conversation that was seen up to `read`, or whole, if that is not
    /// known.
    #[must_use]
    pub fn begin(lines: &[Line], read: Option<MessageId>, looking: bool) -> Self {
        let messages = || lines.iter().filter_map(said);
        let newest = messages()
            .map(|message| message.id)
            .max()
            .unwrap_or_default();
        let read = read.unwrap_or(newest);
        let mut reading = Self {
            looking: false,
            read,
            before: read,
            ..Self::default()
        };
        for message in messages().filter(|message| message.id > read) {
            reading.take(&message);
        }
        reading.look(looking);
        reading
    }

    /// Records a message that was received or sent just now.
    pub fn take(&mut self, message: &Said<'_>) {
        if message.own {
            // A user who answers has read what was before.
            self.mark = None;
            self.unread = 0;
            self.read = self.read.max(message.id);
        } else if self.looking {
            self.read = self.read.max(message.id);
        } else {
            if self.unread == 0 {
                self.mark = Some(message.id);
                self.before = self.read;
            }
            self.unread += 1;
        }
    }

    /// So many messages are unread at the beginning, with those that are not loaded.
    #[must_use]
    pub fn of(mut self, unread: usize) -> Self {
        if self.unread > 0 {
            self.unread = self.unread.max(unread);
        }
        self
    }

    /// Moves the mark to the first message that was not read at the beginning, now that there are
    /// earlier lines.
    pub fn found_earlier(&mut self, lines: &[Line]) {
        if self.mark.is_some() {
            let mut messages = lines.iter().filter_map(said);
            let first = messages.find(|one| !one.own && one.id > self.before);
            let first = first.map(|one| one.id);
            self.mark = first.filter(|id| Some(*id) < self.mark).or(self.mark);
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

    /// The first message that was not read.
    #[must_use]
    pub fn first_unread(&self) -> Option<MessageId> {
        self.mark.filter(|_| self.unread > 0)
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

    fn line(id: u64, own: bool) -> Line {
        Line::from(message(id, id * 1000, "bob", own))
    }

    fn take(reading: &mut Reading, id: u64, own: bool) {
        reading.take(&said(&line(id, own)).unwrap());
    }

    #[test]
    fn a_message_that_comes_while_nobody_looks_is_unread_and_the_mark_stands_before_the_first() {
        let mut reading = Reading::default();
        take(&mut reading, 1, false);
        take(&mut reading, 2, false);
        assert_eq!(
            (reading.unread(), reading.mark()),
            (2, Some(MessageId::new(1)))
        );
        reading.look(true);
        assert_eq!(
            (reading.unread(), reading.mark()),
            (0, Some(MessageId::new(1)))
        );
        take(&mut reading, 3, false);
        assert_eq!(
            (reading.unread(), reading.mark()),
            (0, Some(MessageId::new(1)))
        );
        reading.look(false);
        take(&mut reading, 4, false);
        assert_eq!(
            (reading.unread(), reading.mark()),
            (1, Some(MessageId::new(4)))
        );
    }

    #[test]
    fn an_answer_takes_the_mark_away() {
        let mut reading = Reading::default();
        take(&mut reading, 1, false);
        take(&mut reading, 2, true);
        assert_eq!((reading.unread(), reading.mark()), (0, None));
        assert_eq!(reading.read(), MessageId::new(2));
    }

    #[test]
    fn a_reload_remembers_what_was_read() {
        let lines: Vec<Line> = (1..=5).map(|id| line(id, false)).collect();
        let fresh = Reading::begin(&lines, None, false);
        assert_eq!((fresh.unread(), fresh.read()), (0, MessageId::new(5)));
        let again = Reading::begin(&lines, Some(MessageId::new(3)), false);
        assert_eq!((again.unread(), again.mark()), (2, Some(MessageId::new(4))));
    }
    #[test]
    fn the_mark_goes_to_the_first_unread_message_once_that_is_loaded() {
        let newest = [line(9, false)];
        let mut reading = Reading::begin(&newest, Some(MessageId::new(3)), true);
        assert_eq!(reading.mark(), Some(MessageId::new(9)));
        let lines: Vec<Line> = (1..=9).map(|id| line(id, id == 4)).collect();
        reading.found_earlier(&lines);
        assert_eq!(reading.mark(), Some(MessageId::new(5)));
    }
}
