//! The result of a search.

use std::cmp::Reverse;

use p2pchat_model::wording::{self, chat, label};
use p2pchat_model::{Command, ConversationId, Findings, Message, MessageId, Post, Timestamp, View};
use ratatui::text::{Line as Row, Span};

use super::overlay::{Content, RenderContext};
use crate::shown::Shown;
use crate::wrap::{fit, one_line, rows, width};

/// So many rows of a message are listed: the next one is in sight, however long it is.
const MAX_ROWS: usize = 3;

/// A message that was found.
pub(super) struct Hit<'a> {
    pub(super) conversation: ConversationId,
    pub(super) id: MessageId,
    at: Timestamp,
    from: String,
    text: &'a str,
}

/// The search for the same in all conversations, after one in a single one; after one in all, that
/// in the conversation that is shown.
pub(super) fn other_scope(shown: Shown<'_>) -> Option<Command> {
    let findings = shown.view.findings.as_ref()?;
    let conversation = match findings.conversation {
        Some(_) => None,
        None => Some(shown.id),
    };
    let text = findings.text.clone();
    Some(Command::Find { conversation, text })
}

/// The rows around the first one that has a word that was searched for.
fn around_hit<'a>(rows: &'a [String], words: &str) -> &'a [String] {
    let is_hit = |row: &String| {
        p2pchat_model::hits(row, words)
            .iter()
            .any(|(is_hit, _)| *is_hit)
    };
    let first = rows.iter().position(is_hit).unwrap_or(0).saturating_sub(1);
    &rows[first..rows.len().min(first + MAX_ROWS)]
}

/// What was found, newest first.
pub(super) fn hits(view: &View) -> Vec<Hit<'_>> {
    let Some(findings) = &view.findings else {
        return Vec::new();
    };
    let message = |message: &'_ Message| (message.conversation, message.id, message.at);
    let post = |post: &'_ Post| (post.conversation, post.id, post.at);
    let messages = findings.messages.iter().map(|one| {
        let from = one.from.title().to_owned();
        (message(one), from, one.text.as_str())
    });
    let posts = findings.posts.iter().map(|one| {
        let from = one.from.to_string();
        (post(one), from, one.text.as_str())
    });
    let mut hits: Vec<Hit<'_>> = messages
        .chain(posts)
        .map(|((conversation, id, at), from, text)| Hit {
            conversation,
            id,
            at,
            from,
            text,
        })
        .collect();
    hits.sort_by_key(|hit| Reverse(hit.at));
    hits
}

impl RenderContext<'_> {
    pub(super) fn findings(&self, columns: usize) -> Content {
        let mut content = Content::new(" Search ");
        let Some(findings) = &self.view().findings else {
            return content;
        };
        let hits = hits(self.view());
        for hit in &hits {
            let start = content.rows.len();
            let when = self.clock.date_and_time(hit.at);
            let from = one_line(&hit.from);
            let mut row = Row::from(vec![Span::styled(when, self.theme.dim()), Span::raw("  ")]);
            let conversation = self.view().conversation(hit.conversation);
            let title = conversation
                .filter(|one| one.chat.is_some() && findings.conversation.is_none())
                .map(|one| one_line(&chat::title(one)))
                .filter(|title| *title != from);
            if let Some(title) = title {
                // Who said it is seen in any case.
                let room = columns.saturating_sub(row.width() + width(&from) + 3);
                row.push_span(Span::raw(format!("{} / ", fit(&title, room))));
            }
            row.push_span(Span::styled(from, self.theme.strong()));
            content.rows.push(row);
            let texts = rows(hit.text, columns.saturating_sub(2));
            let texts = around_hit(&texts, &findings.text);
            let texts = texts.iter().map(|text| self.found(text, &findings.text));
            content.rows.extend(texts);
            content.items.push(start..content.rows.len());
        }
        let count = wording::found_messages(hits.len(), &findings.text);
        let within = self.searched(findings);
        if content.rows.is_empty() {
            content
                .rows
                .push(self.remark(&fit(&one_line(&count), columns)));
            content.title = format!(" {} ", fit(&within, columns.saturating_sub(2)));
        } else {
            let title = one_line(&format!("{within}: {count}"));
            content.title = format!(" {} ", fit(&title, columns.saturating_sub(2)));
        }
        content
    }

    /// A row of a message, with the words that were searched for.
    fn found(&self, text: &str, words: &str) -> Row<'static> {
        let parts = p2pchat_model::hits(text, words).into_iter();
        let parts = parts.map(|(is_hit, part)| {
            let part = part.to_owned();
            if is_hit {
                Span::styled(part, self.theme.strong())
            } else {
                Span::raw(part)
            }
        });
        [Span::raw("  ")].into_iter().chain(parts).collect()
    }

    /// Where was searched: in the conversation that is shown, in another one, or in all.
    fn searched(&self, findings: &Findings) -> String {
        match findings.conversation {
            None => label::ALL_CHATS.to_owned(),
            Some(id) if id == self.shown.id => label::THIS_CHAT.to_owned(),
            Some(id) => {
                let title = self.view().conversation(id).map(chat::title);
                one_line(&title.unwrap_or_default())
            }
        }
    }

    /// What the keys do in the list.
    pub(super) fn finding_keys(&self, is_empty: bool) -> &'static str {
        let findings = self.view().findings.as_ref();
        let is_of_all = findings.is_none_or(|findings| findings.conversation.is_none());
        match (is_of_all, is_empty) {
            (false, true) => " Tab all chats · Esc closes ",
            (false, false) => " ↑↓ Enter opens · Tab all chats · Esc closes ",
            (true, true) => " Tab this chat · Esc closes ",
            (true, false) => " ↑↓ Enter opens · Tab this chat · Esc closes ",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_message_the_rows_around_the_word_are_listed() {
        let rows: Vec<String> = (0..9).map(|nth| format!("row {nth}")).collect();
        assert_eq!(around_hit(&rows, "5"), &rows[4..7]);
        assert_eq!(around_hit(&rows, "8"), &rows[7..]);
        assert_eq!(around_hit(&rows, "row"), &rows[..3]);
        assert_eq!(around_hit(&rows[..1], "none"), &rows[..1]);
    }
}
