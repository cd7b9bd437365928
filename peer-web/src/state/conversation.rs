//! What changes with nearly every message.

use p2pchat_model::{Command, Event, Line, Message, MessageId, View};

use crate::logic::reading::Reading;

use super::ViewRef;

/// What the conversation needs, and little else: it changes with nearly every message.
#[derive(Clone, PartialEq, Default)]
pub struct Talk {
    /// What there is to see. `None` until the bridge has sent it.
    pub view: Option<ViewRef>,
    /// What is new to the user.
    pub reading: Reading,
    /// What a screen reader says next: the newest line.
    pub spoken: Option<Line>,
    /// The message to bring into sight.
    pub jump: Option<MessageId>,
    /// Whether a page of history was asked for and has not come yet.
    pub waits: bool,
}

impl Talk {
    pub(super) fn ask(&mut self, command: &Command) {
        self.waits |= matches!(command, Command::History { .. });
    }

    /// Takes note of what happened, in the view too.
    pub(super) fn happen(&mut self, event: &Event) {
        let Some(view) = &mut self.view else { return };
        let (lines, account) = (view.get().lines.len(), view.get().lines_of);
        view.apply(event);
        view.touch();
        if view.get().lines_of != account {
            self.reading = Reading::begin(&[], None, self.reading.looking());
        }
        if let Event::Message(message) = event {
            self.reading.take(message);
        }
        view.follow(event, lines, self.reading.mark());
        self.spoken = spoken(event).or(self.spoken.take());
        match event {
            // The newest page comes by itself.
            Event::LoggedIn { .. } => self.waits = true,
            Event::LoggedOut { .. } | Event::History { .. } => self.waits = false,
            Event::Failed { failure, .. } if failure.command == "history" => self.waits = false,
            _ => {}
        }
    }

    /// What has been read once the user looks at the end, or no longer does.
    pub(super) fn looked(&self, looking: bool) -> Reading {
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

/// What a screen reader says of an event: what others say, and what happened.
fn spoken(event: &Event) -> Option<Line> {
    match event {
        Event::Message(message) => {
            let others = |message: &&Message| !message.is_own();
            Some(message).filter(others).cloned().map(Line::Message)
        }
        event => View::notice(event),
    }
}
