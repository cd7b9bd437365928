//! The lines that a page has not been given yet.
//!
//! All pages of a bridge share the peer's one view, but a page begins with the newest
//! lines only. The older ones wait here, so that the page can read back without a gap:
//! first what waits, then what the peer recalls from the history.

use std::borrow::Cow;
use std::mem;

use p2pchat_model::{Event, Line, Message, MessageId, View};

use crate::limits::{FIRST_LINES, HISTORY_PAGE};

/// What waits for one page.
#[derive(Debug)]
pub(super) struct Backlog {
    /// The lines of the view before those that were given, and no more of it.
    kept: View,
    /// The oldest message that was given.
    oldest: Option<MessageId>,
}

impl Backlog {
    /// Cuts the newest lines off, to be given at once.
    pub(super) fn split(mut view: View) -> (View, Self) {
        let cut = view.lines.len().saturating_sub(FIRST_LINES);
        let newest = view.lines.split_off(cut);
        let kept = View {
            lines: mem::replace(&mut view.lines, newest),
            lines_of: view.lines_of,
            more_history: view.more_history,
            ..View::default()
        };
        let oldest = view.oldest_message();
        let backlog = Self { kept, oldest };
        view.more_history |= backlog.waits();
        (view, backlog)
    }

    /// Answers the command `history`, if what it asks for waits here.
    pub(super) fn page(&mut self, before: Option<MessageId>) -> Option<Event> {
        let wanted = |id: MessageId| match (before, self.oldest) {
            (Some(before), _) => id < before,
            // The newest of all: the page has them, unless it has no message at all.
            (None, oldest) => oldest.is_none(),
        };
        let ids = self.kept.lines.iter().filter_map(message);
        let ids: Vec<_> = ids
            .map(|message| message.id)
            .filter(|id| wanted(*id))
            .collect();
        let first = *ids.get(ids.len().saturating_sub(HISTORY_PAGE))?;
        let last = *ids.last()?;
        let start = self
            .kept
            .lines
            .iter()
            .position(|line| message(line).is_some_and(|message| message.id == first))?;
        let page = self.kept.lines.split_off(start);
        self.oldest = Some(first);
        Some(Event::History {
            messages: page
                .iter()
                .filter_map(message)
                .filter(|message| message.id <= last)
                .cloned()
                .collect(),
            more: self.waits() || self.kept.more_history,
        })
    }

    /// Takes note of an event, and says what of it the page is to be given.
    pub(super) fn pass<'a>(&mut self, event: &'a Event) -> Option<Cow<'a, Event>> {
        match event {
            Event::LoggedIn { name, .. } if self.kept.lines_of != Some(*name) => {
                self.kept = View::default();
                self.kept.lines_of = Some(*name);
                self.oldest = None;
            }
            Event::Message(message) => self.oldest = self.oldest.or(Some(message.id)),
            Event::Delivered { .. } => self.kept.apply(event),
            Event::History { messages, more } if self.waits() => {
                return self.absorb(messages, *more).map(Cow::Owned);
            }
            Event::History { messages, .. } => {
                let first = messages.first().map(|message| message.id);
                self.oldest = [self.oldest, first].into_iter().flatten().min();
            }
            _ => {}
        }
        Some(Cow::Borrowed(event))
    }

    fn waits(&self) -> bool {
        self.kept.oldest_message().is_some()
    }

    /// A page of history that was recalled for somebody else: what is older than what
    /// the page has would leave a gap there.
    fn absorb(&mut self, messages: &[Message], more: bool) -> Option<Event> {
        let is_given = |message: &&Message| self.oldest.is_some_and(|oldest| message.id >= oldest);
        let (given, older): (Vec<_>, Vec<_>) = messages.iter().partition(is_given);
        self.kept.apply(&Event::History {
            messages: older.into_iter().cloned().collect(),
            more,
        });
        (!given.is_empty()).then(|| Event::History {
            messages: given.into_iter().cloned().collect(),
            more: true,
        })
    }
}

fn message(line: &Line) -> Option<&Message> {
    match line {
        Line::Message(message) => Some(message),
        Line::Notice { .. } => None,
    }
}

#[cfg(test)]
mod tests;
