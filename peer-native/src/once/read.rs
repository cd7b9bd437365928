//! `who`, `history` and all that is one command: what is asked of the peer, and what its answers
//! come to.

use p2pchat_model::{Call, Command, ConversationId, Event, Line, MessageId, Update, View};

use super::job::{End, Ids, Job, Pending, Step, no_answer};

/// Asks one command.
#[derive(Debug)]
pub(super) struct Asking {
    command: Command,
    ids: Ids,
    pending: Pending,
    /// What came before the end of the call.
    pub(super) answers: Vec<Event>,
}

impl Asking {
    pub(super) fn new(command: Command, ids: Ids) -> Self {
        Self {
            command,
            ids,
            pending: Pending::default(),
            answers: Vec::new(),
        }
    }
}

impl Job for Asking {
    fn start(&mut self, _: &View) -> Step {
        let call = self.ids.call(self.command.clone());
        self.pending.begin(call)
    }

    fn on_update(&mut self, update: &Update, view: &View) -> Step {
        match self.pending.closed_by(update) {
            None => {
                if self.pending.is_answered_by(update) {
                    self.answers.push((*update.event).clone());
                }
                Step::Wait
            }
            Some(Ok(())) => Step::End(End::DONE),
            Some(Err(failure)) => Step::End(End::failed(failure, view)),
        }
    }

    fn out_of_time(&mut self, _: &View) -> (Option<Call>, End) {
        (None, no_answer())
    }
}

/// Which messages of a conversation are read.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) conversation: ConversationId,
    /// How many at most, the newest ones.
    pub(super) limit: usize,
    /// Only those before this one.
    pub(super) before: Option<MessageId>,
    /// Only those with all of these words.
    pub(super) find: Option<String>,
}

/// Reads pages of the history, from the newest back.
#[derive(Debug)]
pub(super) struct Reading {
    wanted: Wanted,
    ids: Ids,
    pending: Pending,
    /// Oldest first.
    messages: Vec<Line>,
    /// Whether there are older ones than these.
    more: bool,
}

impl Reading {
    pub(super) fn new(wanted: Wanted, ids: Ids) -> Self {
        Self {
            wanted,
            ids,
            pending: Pending::default(),
            messages: Vec::new(),
            more: false,
        }
    }

    /// The messages that were found, oldest first.
    pub(super) fn into_messages(mut self) -> Vec<Line> {
        let older = self.messages.len().saturating_sub(self.wanted.limit);
        self.messages.split_off(older)
    }

    fn add(&mut self, page: impl Iterator<Item = Line>, more: bool) -> Step {
        let known = self.messages.len();
        self.messages.splice(..0, page);
        self.more = more && self.messages.len() > known;
        Step::Wait
    }

    fn next_page(&mut self) -> Step {
        let oldest = self.messages.first().and_then(Line::message_id);
        let conversation = self.wanted.conversation;
        let command = match self.wanted.find.clone() {
            Some(text) => Command::Find {
                conversation: Some(conversation),
                text,
            },
            None => Command::History {
                conversation,
                before: oldest.or(self.wanted.before),
            },
        };
        let call = self.ids.call(command);
        self.pending.begin(call)
    }
}

impl Job for Reading {
    fn start(&mut self, _: &View) -> Step {
        self.next_page()
    }

    fn on_update(&mut self, update: &Update, _: &View) -> Step {
        if !self.pending.is_answered_by(update) {
            return Step::Wait;
        }
        match &*update.event {
            Event::History { messages, more, .. } => {
                self.add(messages.iter().cloned().map(Line::from), *more)
            }
            Event::Posts { posts, more, .. } => {
                self.add(posts.iter().cloned().map(Line::from), *more)
            }
            Event::Findings {
                messages, posts, ..
            } => {
                let messages = messages.iter().rev().cloned().map(Line::from);
                let posts = posts.iter().rev().cloned().map(Line::from);
                self.add(messages.chain(posts), false)
            }
            Event::Failed(failure) => Step::End(End::refused(failure)),
            Event::Done if self.more && self.messages.len() < self.wanted.limit => self.next_page(),
            Event::Done => Step::End(End::DONE),
            _ => Step::Wait,
        }
    }

    fn out_of_time(&mut self, _: &View) -> (Option<Call>, End) {
        (None, no_answer())
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{Failure, Message, Person, Problem, Timestamp};

    use super::*;
    use crate::exit::Exit;

    fn message(id: u64) -> Message {
        Message {
            conversation: ConversationId::OPEN,
            id: MessageId::new(id),
            at: Timestamp(0),
            from: Person::listed("127.0.0.2".parse().unwrap(), None),
            text: "hi".to_owned(),
            deliveries: None,
        }
    }

    /// Reads a history with the messages 1 to `last`, in pages of 3.
    fn read(wanted: Wanted, last: u64) -> Vec<u64> {
        let view = View::default();
        let mut job = Reading::new(wanted, Ids::new(Timestamp(0)));
        let mut step = job.start(&view);
        let mut calls = 0;
        while let Step::Call(call) = &step {
            let call = call.clone();
            calls += 1;
            assert!(calls <= last + 1, "it ends");
            let answer = match call.command {
                Command::History { before, .. } => {
                    let before = before.map_or(last + 1, MessageId::number);
                    let first = before.saturating_sub(3).max(1);
                    Event::History {
                        conversation: ConversationId::OPEN,
                        before: Some(MessageId::new(before)),
                        messages: (first..before).map(message).collect(),
                        more: first > 1,
                    }
                }
                Command::Find { conversation, text } => Event::Findings {
                    posts: Vec::new(),
                    conversation,
                    text,
                    messages: (1..=last).rev().map(message).collect(),
                },
                other => panic!("{other:?}"),
            };
            for event in [answer, Event::Done] {
                let mut update = Update::from(event);
                update.re = call.id.clone();
                step = job.on_update(&update, &view);
            }
        }
        assert_eq!(step, Step::End(End::DONE));
        let messages = job.into_messages().into_iter();
        messages
            .map(|line| line.message_id().unwrap().number())
            .collect()
    }

    fn wanted(limit: usize) -> Wanted {
        Wanted {
            limit,
            before: None,
            find: None,
            conversation: ConversationId::OPEN,
        }
    }

    #[test]
    fn as_many_pages_are_read_as_are_wanted() {
        assert_eq!(read(wanted(2), 7), [6, 7]);
        assert_eq!(read(wanted(5), 7), [3, 4, 5, 6, 7]);
        assert_eq!(read(wanted(100), 7), [1, 2, 3, 4, 5, 6, 7]);
        assert!(read(wanted(5), 0).is_empty());
        assert!(read(wanted(0), 7).is_empty());
        let before = Wanted {
            before: Some(MessageId::new(4)),
            ..wanted(2)
        };
        assert_eq!(read(before, 7), [2, 3]);
    }

    #[test]
    fn what_is_found_is_shown_oldest_first_and_no_more_than_wanted() {
        let find = |limit| Wanted {
            find: Some("hi".to_owned()),
            ..wanted(limit)
        };
        assert_eq!(read(find(100), 3), [1, 2, 3]);
        assert_eq!(read(find(2), 3), [2, 3]);
    }

    #[test]
    fn a_history_that_is_off_is_a_refusal_with_its_code() {
        let mut job = Reading::new(wanted(1), Ids::new(Timestamp(0)));
        let Step::Call(call) = job.start(&View::default()) else {
            panic!("no call");
        };
        let failure = Failure::new(Timestamp(0), "history", Problem::NoHistory);
        let mut update = Update::from(Event::Failed(failure));
        // Not the answer to this call.
        let step = job.on_update(&update, &View::default());
        assert_eq!(step, Step::Wait);
        update.re = call.id;
        let Step::End(end) = job.on_update(&update, &View::default()) else {
            panic!("no end");
        };
        assert_eq!(end.exit, Exit::Refused);
        assert!(end.words.unwrap().starts_with("no_history: "));
    }
}
