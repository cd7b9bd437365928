//! The backlog of a page: the older lines of the view, which it has not been sent yet.
//!
//! All pages of a bridge share the peer's one view, but a page begins with the newest lines
//! only. The older ones wait here, so that the page can read back without a gap: first the
//! backlog, then the pages that the peer reads from the history.

use std::borrow::Cow;
use std::mem;

use p2pchat_model::{Event, Line, Message, MessageId, View};

use crate::limits::{FIRST_LINES, HISTORY_PAGE};

/// The backlog of one page.
#[derive(Debug)]
pub(super) struct Backlog {
    /// The lines of the view before those that were sent, and no more of it.
    kept: View,
    /// The oldest message that was sent.
    oldest: Option<MessageId>,
}

impl Backlog {
    /// Splits the view into the newest lines, to be sent at once, and the backlog.
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
        view.more_history |= backlog.has_messages();
        (view, backlog)
    }

    /// The answer to the command `history`, if the messages that it asks for wait here.
    pub(super) fn page(&mut self, before: Option<MessageId>) -> Option<Event> {
        let wanted = |id: MessageId| match (before, self.oldest) {
            (Some(before), _) => id < before,
            // The newest messages: the page has them, unless it has none at all.
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
            before,
            messages: page
                .iter()
                .filter_map(message)
                .filter(|message| message.id <= last)
                .cloned()
                .collect(),
            more: self.has_messages() || self.kept.more_history,
        })
    }

    /// Applies an event to the backlog; returns what of it to send to the page.
    pub(super) fn forward<'a>(&mut self, event: &'a Event) -> Option<Cow<'a, Event>> {
        match event {
            Event::LoggedIn { name, .. } if self.kept.lines_of != Some(*name) => {
                self.kept = View::default();
                self.kept.lines_of = Some(*name);
                self.oldest = None;
            }
            Event::Message(message) => self.oldest = self.oldest.or(Some(message.id)),
            Event::Delivered { .. } => self.kept.apply(event),
            Event::History {
                before,
                messages,
                more,
            } if self.has_messages() => {
                return self.absorb(*before, messages, *more).map(Cow::Owned);
            }
            Event::History { messages, .. } => {
                let first = messages.first().map(|message| message.id);
                self.oldest = [self.oldest, first].into_iter().flatten().min();
            }
            _ => {}
        }
        Some(Cow::Borrowed(event))
    }

    fn has_messages(&self) -> bool {
        self.kept.oldest_message().is_some()
    }

    /// Takes a page of history that another client asked for. The messages older than those of
    /// this page would leave a gap there, so they join the backlog.
    fn absorb(
        &mut self,
        before: Option<MessageId>,
        messages: &[Message],
        more: bool,
    ) -> Option<Event> {
        let is_sent = |message: &&Message| self.oldest.is_some_and(|oldest| message.id >= oldest);
        let (sent, older): (Vec<_>, Vec<_>) = messages.iter().partition(is_sent);
        if !older.is_empty() || sent.is_empty() {
            self.kept.apply(&Event::History {
                before,
                messages: older.into_iter().cloned().collect(),
                more,
            });
        }
        (!sent.is_empty()).then(|| Event::History {
            before,
            messages: sent.into_iter().cloned().collect(),
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
