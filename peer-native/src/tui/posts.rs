//! Messages of encrypted conversations in rows.

use p2pchat_model::wording::{chat, label};
use p2pchat_model::{Line, MessageId, Named, Post, PostState, Reaction};
use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};

use super::conversation::{GROUP_MS, Layout};
use super::{code, mentions};
use crate::wrap::{fit, one_line, rows, width};

/// The mark of a message that is on its way to someone who is online.
const SENDING: &str = "…";
/// The mark of a message that has reached everyone.
pub(super) const DELIVERED: &str = "✓";
/// The mark of a message that everyone has read.
pub(super) const READ: &str = "✓✓";

impl Layout<'_> {
    /// The rows of a message. `next` is the line below it, but
    /// for messages that are not shown.
    pub(super) fn post(
        &self,
        post: &Post,
        follows: bool,
        next: Option<&Line>,
        out: &mut Vec<Row<'static>>,
    ) {
        if self.is_folded(post) {
            let text = format!("· {}", chat::FOLDED);
            out.push(self.below(fit(&text, self.text_columns()), self.theme.dim()));
            return;
        }
        let mut head = (!follows).then(|| self.writer(post));
        if !self.is_wide() {
            out.extend(head.take().map(Row::from));
        }
        if let Some(quote) = &post.reply {
            let text = if self.view.has_blocked(&quote.from) && !self.shows_blocked {
                chat::FOLDED
            } else if quote.text.is_empty() {
                chat::NOT_KEPT
            } else {
                &quote.text
            };
            let text = text.trim_start().replace('`', "");
            let quote = format!("┌ {}: {text}", quote.from);
            let quote = fit(&one_line(&quote), self.text_columns());
            out.push(self.with_head(&mut head, Span::styled(quote, self.theme.dim())));
        }
        let first = out.len();
        for spans in self.text(post) {
            let mut spans = spans.into_iter();
            let mut row = self.with_head(&mut head, spans.next().unwrap_or_default());
            row.extend(spans);
            out.push(row);
        }
        self.remarks(post, out);
        if let Some(last) = out.last_mut()
            && let Some(mark) = self.delivery_mark(post)
        {
            let wide = last.width();
            let end = self.indent() + self.text_columns() + 1;
            last.push_span(" ".repeat(end.saturating_sub(wide)));
            last.push_span(mark);
        }
        if self.lit == Some(post.id) {
            let from = self.indent();
            for row in out.iter_mut().skip(first) {
                light(row, from, self.theme.strong().reversed());
            }
        }
        self.reactions(&post.reactions, out);
        self.waiting(post, next, out);
    }

    /// Whether a message is folded away: its writer is blocked.
    pub(super) fn is_folded(&self, post: &Post) -> bool {
        !self.shows_blocked && self.view.has_blocked(&post.from)
    }

    /// The head of a message: time and name.
    pub(super) fn writer(&self, post: &Post) -> Vec<Span<'static>> {
        if post.is_own() {
            return self.head(post.at, label::YOU, self.theme.title());
        }
        let name = one_line(&post.from.to_string());
        self.head(post.at, &name, self.theme.name(&name))
    }

    fn text(&self, post: &Post) -> Vec<Vec<Span<'static>>> {
        if post.state == PostState::Shown {
            let rows = code::rows(&post.text, self.text_columns(), self.theme).into_iter();
            let user = self.view.account.filter(|_| !post.is_own());
            return rows
                .map(|row| mentions::light(row, user, self.theme))
                .collect();
        }
        let texts = rows(chat::text(post), self.text_columns()).into_iter();
        let spans = texts.map(|text| vec![Span::styled(text, self.theme.dim())]);
        spans.collect()
    }

    /// That the text was changed, or came late: behind it, or below where there is no room.
    fn remarks(&self, post: &Post, out: &mut Vec<Row<'static>>) {
        if post.state != PostState::Shown {
            return;
        }
        let edited = post.edited.map(|_| chat::EDITED.to_owned());
        let came = post.came;
        let came = came.map(|at| format!("came {}", self.clock.date_and_time(at)));
        let remarks: Vec<String> = [edited, came].into_iter().flatten().collect();
        if remarks.is_empty() {
            return;
        }
        let text = format!("({})", remarks.join(", "));
        let style = self.theme.dim();
        let end = self.indent() + self.text_columns();
        match out.last_mut() {
            Some(last) if last.width() + 1 + width(&text) <= end => {
                last.push_span(" ");
                last.push_span(Span::styled(text, style));
            }
            _ => out.push(self.below(fit(&text, self.text_columns()), style)),
        }
    }

    /// The mark of the newest message of the user, unless words below it tell more.
    fn delivery_mark(&self, post: &Post) -> Option<Span<'static>> {
        let has_words = !self.absent(post).is_empty() || self.held_back(post).is_some();
        if self.newest_own != Some(post.id) || has_words {
            return None;
        }
        let words = chat::delivery(post, self.chat?)?;
        if post.waits_for().next().is_some() {
            return Some(Span::styled(SENDING, self.theme.dim()));
        }
        let mark = if words == chat::READ { READ } else { DELIVERED };
        Some(Span::styled(mark, self.theme.good()))
    }

    fn reactions(&self, all: &[Reaction], out: &mut Vec<Row<'static>>) {
        if all.is_empty() {
            return;
        }
        let mut row = Row::from(" ".repeat(self.indent()));
        let mut room = self.text_columns();
        for reaction in all {
            let text = one_line(&format!("{}{}", reaction.emoji, reaction.by.len()));
            let wide = width(&text) + 2;
            if wide > room {
                break;
            }
            room -= wide;
            let is_own = reaction.by.iter().any(|who| who.you);
            let style = if is_own {
                self.theme.title()
            } else {
                self.theme.dim()
            };
            row.push_span(Span::styled(text, style));
            row.push_span("  ");
        }
        out.push(row);
    }

    /// Those that a message waits for until they are here or have accepted: below the last of a
    /// run of messages that wait for the same.
    fn waiting(&self, post: &Post, next: Option<&Line>, out: &mut Vec<Row<'static>>) {
        let absent = self.absent(post);
        let is_repeated = match next {
            Some(Line::Post(next)) => next.is_own() && self.absent(next) == absent,
            _ => false,
        };
        if let Some(held) = self.held_back(post) {
            for row in rows(&format!("x {}", uncapitalized(&held)), self.text_columns()) {
                out.push(self.below(row, self.theme.warning()));
            }
            return;
        }
        let has_declined = self.chat.is_some_and(|chat| chat.declined().is_some());
        // That is said once, above the field.
        if absent.is_empty() || is_repeated || has_declined {
            return;
        }
        let known = self.chat;
        let words = known.and_then(|known| chat::waiting_for(absent.into_iter(), known));
        let words = words.unwrap_or_default();
        for row in rows(&format!("… {}", uncapitalized(&words)), self.text_columns()) {
            out.push(self.below(row, self.theme.dim()));
        }
    }

    /// Why a message is held back.
    fn held_back(&self, post: &Post) -> Option<String> {
        let chat = self.chat.filter(|_| post.state == PostState::Shown)?;
        chat::not_sent(post, chat)
    }

    fn absent(&self, post: &Post) -> Vec<Named> {
        let known = self.chat;
        known.map_or_else(Vec::new, |known| chat::absent(post, known, self.view))
    }

    /// A row below the text.
    fn below(&self, text: String, style: Style) -> Row<'static> {
        Row::from(vec![
            Span::raw(" ".repeat(self.indent())),
            Span::styled(text, style),
        ])
    }
}

/// A sentence as it goes on behind a mark.
fn uncapitalized(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(char::to_lowercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// Gives the text of a row, which begins at this column, a style.
fn light(row: &mut Row<'static>, from: usize, style: Style) {
    let mut column = 0;
    for span in &mut row.spans {
        if column >= from && !span.content.trim().is_empty() {
            span.style = style;
        }
        column += span.width();
    }
}

/// The newest message of the user that is shown.
pub(super) fn newest_own(lines: &[Line]) -> Option<MessageId> {
    lines.iter().rev().find_map(|line| match line {
        Line::Post(post) if post.is_own() && post.state == PostState::Shown => Some(post.id),
        _ => None,
    })
}

/// Whether a message belongs to the group of the line before it.
pub(super) fn continues(before: &Line, post: &Post) -> bool {
    match before {
        Line::Post(before) => {
            before.from.key == post.from.key
                && before.is_own() == post.is_own()
                && post.reply.is_none()
                && post.at.0.abs_diff(before.at.0) < GROUP_MS
        }
        Line::Message(_) | Line::Notice { .. } => false,
    }
}
