//! The result of a search.

use std::cmp::Reverse;

use p2pchat_model::wording::{self, chat};
use p2pchat_model::{ConversationId, Message, MessageId, Post, Timestamp, View};
use ratatui::text::{Line as Row, Span};

use super::overlay::{Content, RenderContext};
use crate::wrap::{fit, one_line, rows};

/// A message that was found.
pub(super) struct Hit<'a> {
    pub(super) conversation: ConversationId,
    pub(super) id: MessageId,
    at: Timestamp,
    from: String,
    text: &'a str,
}

/// What was found in all conversations, newest first.
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
            let mut row = Row::from(vec![
                Span::styled(self.clock.date_and_time(hit.at), self.theme.dim()),
                Span::raw("  "),
                Span::styled(one_line(&hit.from), self.theme.strong()),
            ]);
            let conversation = self.view().conversation(hit.conversation);
            let title = conversation
                .filter(|one| one.chat.is_some())
                .map(|one| one_line(&chat::title(one)))
                .filter(|title| *title != one_line(&hit.from));
            if let Some(title) = title {
                let room = columns.saturating_sub(row.width() + 2);
                let title = fit(&title, room);
                row.push_span(Span::styled(format!("  {title}"), self.theme.dim()));
            }
            content.rows.push(row);
            let texts = rows(hit.text, columns.saturating_sub(2));
            let texts = texts.iter().map(|text| Row::from(format!("  {text}")));
            content.rows.extend(texts);
            content.items.push(start..content.rows.len());
        }
        let count = wording::found_messages(hits.len(), &findings.text);
        let count = fit(&one_line(&count), columns.saturating_sub(2));
        if content.rows.is_empty() {
            content.rows.push(self.remark(&count));
        } else {
            content.title = format!(" {count} ");
        }
        content
    }
}
