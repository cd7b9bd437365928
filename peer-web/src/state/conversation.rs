//! The part of the state that changes with nearly every message.

use std::rc::Rc;

use p2pchat_model::{Event, Line, Message, MessageId, View};

use crate::logic::reading::Reading;

use super::view::ViewHandle;

/// The part of the state that changes with nearly every message.
#[derive(Clone, PartialEq, Default)]
pub struct Conversation {
    /// The view. `None` until the bridge has sent it.
    pub view: Option<ViewHandle>,
    /// How far the user has read.
    pub reading: Reading,
    /// What a screen reader says next: the newest line.
    pub spoken: Option<Line>,
    /// The message to scroll to.
    pub jump: Option<MessageId>,
    /// Whether a page of history is still to come.
    pub awaits_history: bool,
    /// Before which message that page ends; `None` if it is the newest.
    page_before: Option<MessageId>,
    /// The texts that were sent and are not acknowledged, oldest first.
    pub unanswered: Vec<Unanswered>,
}

/// A text that was sent and is not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// The text.
    pub text: Rc<str>,
    /// The newest message when it was sent: its own will be a later one.
    pub after: MessageId,
    /// Whether it failed, and goes back into the message field.
    pub failed: bool,
}

impl Unanswered {
    /// Whether the text is among the messages of a view after all.
    #[must_use]
    pub fn is_in(&self, view: &View) -> bool {
        let mut messages = view.lines.iter().rev().filter_map(message_of);
        messages.any(|message| {
            message.is_own() && message.id > self.after && *message.text == *self.text
        })
    }
}

fn message_of(line: &Line) -> Option<&Message> {
    match line {
        Line::Message(message) => Some(message),
        Line::Notice { .. } => None,
    }
}

/// The newest message of a view.
fn newest(view: &View) -> MessageId {
    let newest = view.lines.iter().rev().find_map(message_of);
    newest.map(|message| message.id).unwrap_or_default()
}

impl Conversation {
    /// Applies an event, to the view too.
    pub(super) fn on_event(&mut self, event: &Event) {
        let Some(view) = &mut self.view else { return };
        let (lines, lines_of) = (view.get().lines.len(), view.get().lines_of);
        let was_signed_in = view.get().account.is_some();
        view.apply(event);
        view.touch();
        if view.get().lines_of != lines_of {
            self.reading = Reading::begin(&[], None, self.reading.looking());
        }
        if let Event::Message(message) = event {
            self.reading.take(message);
        }
        view.follow(event, lines, self.reading.mark());
        self.spoken = spoken(event).or(self.spoken.take());
        match event {
            // The newest page of history follows a login, unless the session only goes on
            // after the registry was unreachable.
            Event::LoggedIn { .. } if !was_signed_in => self.await_history(None),
            Event::LoggedOut { .. } => self.awaits_history = false,
            // Other tabs get pages too.
            Event::History { before, .. } if *before == self.page_before => {
                self.awaits_history = false;
            }
            Event::Failed { failure, .. } if failure.command == "history" => {
                self.awaits_history = false;
            }
            _ => {}
        }
    }

    /// Records that a page of history is to come.
    pub(super) fn await_history(&mut self, before: Option<MessageId>) {
        self.awaits_history = true;
        self.page_before = before;
    }

    /// Records a text that is sent.
    pub(super) fn sent(&mut self, text: &str) {
        let after = self.view.as_ref().map(|view| newest(&view.get()));
        self.unanswered.push(Unanswered {
            text: text.into(),
            after: after.unwrap_or_default(),
            failed: false,
        });
    }

    /// Marks the oldest unanswered text as failed, and returns it.
    pub(super) fn fail_oldest(&mut self) -> Option<Rc<str>> {
        let sent = self.unanswered.iter_mut().find(|sent| !sent.failed)?;
        sent.failed = true;
        Some(sent.text.clone())
    }

    /// What has been read now that the user sees the end of the conversation, or no longer.
    pub(super) fn look(&self, looking: bool) -> Reading {
        let mut reading = self.reading.clone();
        reading.look(looking);
        if let Some(view) = &self.view {
            reading.seen(newest(&view.get()));
        }
        reading
    }
}

/// What a screen reader says of an event: the messages of others, and notices.
fn spoken(event: &Event) -> Option<Line> {
    match event {
        Event::Message(message) => {
            let others = |message: &&Message| !message.is_own();
            Some(message).filter(others).cloned().map(Line::from)
        }
        event => View::notice(event),
    }
}
