//! The part of the state that changes with nearly every message.

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
            Event::LoggedIn { .. } => self.awaits_history |= !was_signed_in,
            Event::LoggedOut { .. } | Event::History { .. } => self.awaits_history = false,
            Event::Failed { failure, .. } if failure.command == "history" => {
                self.awaits_history = false;
            }
            _ => {}
        }
    }

    /// What has been read now that the user sees the end of the conversation, or no longer.
    pub(super) fn look(&self, looking: bool) -> Reading {
        let mut reading = self.reading.clone();
        reading.look(looking);
        if let Some(view) = &self.view {
            let newest = view.get().lines.iter().rev().find_map(|line| match line {
                Line::Message(message) => Some(message.id),
                Line::Notice { .. } => None,
            });
            reading.seen(newest.unwrap_or_default());
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
