//! The conversation in rows. Only what is on the screen is laid out, so ten thousand lines
//! cost no more than fifty.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{
    Chat, DeliveryState, Level, Line, Message, MessageId, NameCheck, PostState, Timestamp, View,
};
use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};

use super::mentions;
use super::posts::continues;
use super::theme::Theme;
use crate::clock::Clock;
use crate::wrap::{fit, one_line, rows, width};

/// Messages of one user within this time are grouped under one name.
pub(super) const GROUP_MS: u64 = 5 * 60 * 1000;
/// Maximum width of the text: longer rows are hard to read.
const WIDEST_TEXT: usize = 100;
/// From this many columns on, time and name are to the left of the text.
const WIDE_ENOUGH: usize = 44;
/// Columns of a name: no name has more bytes.
const NAME: usize = 10;
/// Columns before the text: ` 16:23  `, the name and two spaces.
const GUTTER: usize = 8 + NAME + 2;
/// Columns of a space and the mark for the delivery status.
pub(super) const MARK: usize = 2;

/// Lays out lines of a view.
pub(super) struct Layout<'a> {
    pub(super) view: &'a View,
    /// The encrypted conversation that they belong to.
    pub(super) chat: Option<&'a Chat>,
    /// The newest message of the user in an encrypted conversation: the one with a mark for its
    /// delivery status.
    pub(super) newest_own: Option<MessageId>,
    /// The lines of the conversation.
    pub(super) lines: &'a [Line],
    /// What stands above the first of them.
    pub(super) top: Option<String>,
    pub(super) clock: &'a Clock,
    pub(super) theme: Theme,
    pub(super) columns: usize,
    /// The first line below the separator for new ones.
    pub(super) new: Option<usize>,
    /// Whether messages of people who are blocked are shown.
    pub(super) shows_blocked: bool,
    /// A message that is marked, because it was searched for.
    pub(super) lit: Option<MessageId>,
}

impl Layout<'_> {
    /// The rows of one line, and of the separators before it.
    pub(super) fn block(&self, index: usize) -> Vec<Row<'static>> {
        let Some(line) = self.lines.get(index) else {
            return Vec::new();
        };
        let before = index.checked_sub(1).and_then(|at| self.lines.get(at));
        let mut out = Vec::new();
        if let Some(top) = self.top.as_ref().filter(|_| index == 0) {
            out.push(self.separator(top, false));
        }
        let day = self.clock.day(line.at());
        if before.is_none_or(|before| self.clock.day(before.at()) != day) {
            out.push(self.separator(&self.clock.day_name(line.at()), false));
        }
        let marked = self.new == Some(index);
        if marked {
            out.push(self.separator(label::NEW, true));
        }
        match line {
            Line::Message(message) => {
                let follows = out.is_empty() && before.is_some_and(|line| joins(line, message));
                self.message(message, follows, &mut out);
            }
            Line::Post(post) => {
                let follows = out.is_empty() && before.is_some_and(|line| continues(line, post));
                let is_told = |line: &&Line| !matches!(line, Line::Post(post) if post.state != PostState::Shown);
                let next = self.lines.iter().skip(index + 1).find(is_told);
                self.post(post, follows, next, &mut out);
            }
            Line::Notice { at, level, text } => self.notice(*at, *level, text, &mut out),
        }
        out
    }

    /// A row at the top of the screen. A row of a message tells whose it is and of when, even
    /// where the message or the run of them begins above.
    pub(super) fn top_row(&self, index: usize, row: Row<'static>) -> Row<'static> {
        let head = match self.lines.get(index) {
            Some(Line::Message(message)) => self.author(message),
            Some(Line::Post(post)) if !self.is_folded(post) => self.writer(post),
            Some(Line::Post(_)) => return row,
            Some(Line::Notice { .. }) | None => return row,
        };
        let indent = " ".repeat(self.indent());
        if row
            .spans
            .first()
            .is_none_or(|first| first.content != indent)
        {
            return row;
        }
        let head = head.into_iter();
        if self.is_wide() {
            head.chain(row.spans.into_iter().skip(1)).collect()
        } else {
            head.collect()
        }
    }

    fn separator(&self, text: &str, loud: bool) -> Row<'static> {
        let columns = self.columns.min(GUTTER + WIDEST_TEXT + MARK + 1);
        let columns = columns.saturating_sub(2);
        let text = format!(" {text} ");
        let left = columns.saturating_sub(width(&text)) / 2;
        let right = columns.saturating_sub(left + width(&text));
        let style = if loud {
            self.theme.accent()
        } else {
            self.theme.dim()
        };
        Row::from(Span::styled(
            fit(
                &format!(" {}{text}{}", "─".repeat(left), "─".repeat(right)),
                self.columns,
            ),
            style,
        ))
    }

    pub(super) fn is_wide(&self) -> bool {
        self.columns >= WIDE_ENOUGH
    }

    pub(super) fn indent(&self) -> usize {
        if self.is_wide() { GUTTER } else { 2 }
    }

    pub(super) fn text_columns(&self) -> usize {
        let room = self.columns.saturating_sub(self.indent() + MARK + 1);
        room.clamp(2, WIDEST_TEXT)
    }

    fn message(&self, message: &Message, follows: bool, out: &mut Vec<Row<'static>>) {
        let mut head = (!follows).then(|| self.author(message));
        if !self.is_wide() {
            out.extend(head.take().map(Row::from));
        }
        if !follows && !message.is_own() {
            for (style, text) in self.warnings(message) {
                for text in rows(&text, self.text_columns()) {
                    out.push(self.with_head(&mut head, Span::styled(text, style)));
                }
            }
        }
        let texts = rows(&message.text, self.text_columns());
        let last = texts.len() - 1;
        let is_lit = self.lit == Some(message.id);
        let style = if is_lit {
            self.theme.strong().reversed()
        } else {
            Style::new()
        };
        let user = self.view.account.filter(|_| !is_lit && !message.is_own());
        for (at, text) in texts.into_iter().enumerate() {
            let wide = width(&text);
            let spans = mentions::light(vec![Span::styled(text, style)], user, self.theme);
            let mut spans = spans.into_iter();
            let mut row = self.with_head(&mut head, spans.next().unwrap_or_default());
            row.extend(spans);
            if at == last
                && let Some(mark) = self.mark(message)
            {
                row.push_span(" ".repeat(self.text_columns() + 1 - wide));
                row.push_span(mark);
            }
            out.push(row);
        }
        self.failures(message, out);
    }

    /// The head of a message: time and name.
    fn author(&self, message: &Message) -> Vec<Span<'static>> {
        if message.is_own() {
            return self.head(message.at, label::YOU, self.theme.title());
        }
        let name = one_line(message.from.title());
        self.head(message.at, &name, self.theme.name(&name))
    }

    /// Warnings about the name of a message, with their style.
    fn warnings(&self, message: &Message) -> Vec<(Style, String)> {
        let from = &message.from;
        let mut out = Vec::new();
        if let Some(warning) = from.check.warning() {
            let style = if from.check == NameCheck::Differs {
                self.theme.warning()
            } else {
                self.theme.dim()
            };
            out.push((style, format!("{}: {warning}", from.address)));
        }
        if let Some(other) = from.name.and_then(|name| self.view.lookalike_of(name)) {
            out.push((self.theme.warning(), wording::looks_like(other)));
        }
        out
    }

    /// Time and a word, as wide as the gutter on a wide screen.
    pub(super) fn head(&self, at: Timestamp, name: &str, style: Style) -> Vec<Span<'static>> {
        let time = Span::styled(format!(" {}  ", self.clock.time(at)), self.theme.dim());
        let name = fit(name, NAME);
        if !self.is_wide() {
            return vec![time, Span::styled(name, style)];
        }
        let pad = " ".repeat(NAME - width(&name));
        vec![
            time,
            Span::raw(pad),
            Span::styled(name, style),
            Span::raw("  "),
        ]
    }

    /// A row of text: after the head if there is one left, else below it.
    pub(super) fn with_head(
        &self,
        head: &mut Option<Vec<Span<'static>>>,
        text: Span<'static>,
    ) -> Row<'static> {
        let mut spans = head
            .take()
            .unwrap_or_else(|| vec![Span::raw(" ".repeat(self.indent()))]);
        spans.push(text);
        Row::from(spans)
    }

    /// The mark for the delivery status of the user's own message.
    fn mark(&self, message: &Message) -> Option<Span<'static>> {
        let state = message.delivery()?;
        let style = match state {
            DeliveryState::Failed(_) => self.theme.error(),
            DeliveryState::Sending | DeliveryState::Unconfirmed => self.theme.dim(),
            DeliveryState::Sent => self.theme.good(),
        };
        Some(Span::styled(mark(state), style))
    }

    fn failures(&self, message: &Message, out: &mut Vec<Row<'static>>) {
        for delivery in message.deliveries.iter().flatten() {
            if let DeliveryState::Failed(reason) = delivery.state {
                let text = format!(
                    "{} {}",
                    mark(delivery.state),
                    wording::not_delivered(&delivery.to, reason)
                );
                for row in rows(&text, self.text_columns()) {
                    out.push(Row::from(vec![
                        Span::raw(" ".repeat(self.indent())),
                        Span::styled(row, self.theme.error()),
                    ]));
                }
            }
        }
    }

    fn notice(&self, at: Timestamp, level: Level, text: &str, out: &mut Vec<Row<'static>>) {
        let (mark, style) = match level {
            Level::Info => ("·", self.theme.dim()),
            Level::Warning => ("!", self.theme.warning()),
        };
        let mut head = Some(if self.is_wide() {
            self.head(at, mark, style)
        } else {
            vec![Span::styled(format!("{mark} "), style)]
        });
        for row in rows(text, self.text_columns()) {
            let row = self.with_head(&mut head, Span::styled(row, style));
            out.push(row);
        }
    }
}

/// The first message of others after the one that was read last.
pub(super) fn first_new(lines: &[Line], read: MessageId) -> Option<usize> {
    let mut first = None;
    for (index, line) in lines.iter().enumerate().rev() {
        match line {
            Line::Message(message) if message.id <= read => break,
            Line::Message(message) if !message.is_own() => first = Some(index),
            Line::Post(post) if post.id <= read => break,
            Line::Post(post) if !post.is_own() => first = Some(index),
            _ => {}
        }
    }
    first
}

/// The mark for a delivery status.
pub(super) fn mark(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Sending => "…",
        DeliveryState::Sent => "✓",
        DeliveryState::Unconfirmed => "~",
        DeliveryState::Failed(_) => "✗",
    }
}

/// Whether a message belongs to the group of the line before it.
fn joins(before: &Line, message: &Message) -> bool {
    match before {
        Line::Message(before) => {
            before.from == message.from
                && before.is_own() == message.is_own()
                && message.at.0.saturating_sub(before.at.0) < GROUP_MS
        }
        Line::Post(_) | Line::Notice { .. } => false,
    }
}
