//! The conversation in rows. Only what is on the screen is laid out, so ten thousand
//! lines cost no more than fifty.

use p2pchat_model::{DeliveryState, Level, Line, Message, NameCheck, Timestamp, View};
use ratatui::text::{Line as Row, Span};

use super::theme::Theme;
use crate::clock::Clock;
use crate::words::undelivered;
use crate::wrap::{fit, one_line, rows, width};

/// Messages of one person that follow each other within this time stand under one name.
const GROUP_MS: u64 = 5 * 60 * 1000;
/// Longer rows than this are hard to read, however wide the screen.
const WIDEST_TEXT: usize = 100;
/// Time and name stand before the text where at least this many columns are there.
const WIDE_ENOUGH: usize = 44;
/// Columns for a name: no name has more bytes.
const NAME: usize = 10;
/// ` 16:23  ` and two columns behind the name.
const GUTTER: usize = 8 + NAME + 2;
/// A space and a mark that says how a text fared.
const MARK: usize = 2;

/// Lays out lines of a view.
pub(super) struct Layout<'a> {
    pub(super) view: &'a View,
    pub(super) clock: &'a Clock,
    pub(super) theme: Theme,
    pub(super) columns: usize,
    /// How many of the last lines are behind the mark for what is new.
    pub(super) new: Option<usize>,
}

impl Layout<'_> {
    /// The rows of one line, and of what stands before it: a day, the mark for new ones.
    pub(super) fn block(&self, index: usize) -> Vec<Row<'static>> {
        let Some(line) = self.view.lines.get(index) else {
            return Vec::new();
        };
        let before = index.checked_sub(1).and_then(|at| self.view.lines.get(at));
        let mut out = Vec::new();
        let day = self.clock.day(line.at());
        if before.is_none_or(|before| self.clock.day(before.at()) != day) {
            out.push(self.separator(&self.clock.day_name(line.at()), false));
        }
        let marked = self.new == Some(self.view.lines.len() - index);
        if marked {
            out.push(self.separator("new", true));
        }
        match line {
            Line::Message(message) => {
                let follows = out.is_empty() && before.is_some_and(|line| joins(line, message));
                self.message(message, follows, &mut out);
            }
            Line::Notice { at, level, text } => self.notice(*at, *level, text, &mut out),
        }
        out
    }

    fn separator(&self, text: &str, loud: bool) -> Row<'static> {
        let columns = self.columns.min(GUTTER + WIDEST_TEXT + MARK + 1);
        let columns = columns.saturating_sub(2);
        let text = format!(" {text} ");
        let left = columns.saturating_sub(width(&text)) / 2;
        let right = columns.saturating_sub(left + width(&text));
        let style = match loud {
            true => self.theme.accent(),
            false => self.theme.dim(),
        };
        Row::from(Span::styled(
            fit(
                &format!(" {}{text}{}", "─".repeat(left), "─".repeat(right)),
                self.columns,
            ),
            style,
        ))
    }

    fn is_wide(&self) -> bool {
        self.columns >= WIDE_ENOUGH
    }

    fn indent(&self) -> usize {
        if self.is_wide() { GUTTER } else { 2 }
    }

    fn text_columns(&self) -> usize {
        let room = self.columns.saturating_sub(self.indent() + MARK + 1);
        room.clamp(2, WIDEST_TEXT)
    }

    fn message(&self, message: &Message, follows: bool, out: &mut Vec<Row<'static>>) {
        let from = &message.from;
        let (name, style) = match message.is_own() {
            true => ("you".to_owned(), self.theme.title()),
            false => {
                let name = one_line(from.name.as_str());
                let style = self.theme.name(&name);
                (name, style)
            }
        };
        let doubt = match from.check {
            NameCheck::Confirmed => None,
            _ if message.is_own() || follows => None,
            NameCheck::Unknown => Some((self.theme.dim(), format!("from {}", from.address))),
            NameCheck::Differs => Some((
                self.theme.warning(),
                format!("from {}: not the name the registry knows", from.address),
            )),
        };
        let like = self
            .view
            .lookalike_of(from.name)
            .filter(|_| !message.is_own() && !follows);
        let like = like.map(|other| {
            let words = format!(
                "the name looks like {} and is not",
                one_line(other.as_str())
            );
            (self.theme.warning(), words)
        });
        let mut head = (!follows).then(|| self.head(message.at, &name, style));
        if !self.is_wide() {
            out.extend(head.take().map(Row::from));
        }
        for (style, text) in doubt.into_iter().chain(like) {
            for text in rows(&text, self.text_columns()) {
                out.push(self.with_head(&mut head, Span::styled(text, style)));
            }
        }
        let texts = rows(&message.text, self.text_columns());
        let last = texts.len() - 1;
        for (at, text) in texts.into_iter().enumerate() {
            let wide = width(&text);
            let mut row = self.with_head(&mut head, Span::raw(text));
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

    /// Time and name, as wide as the gutter on a wide screen.
    fn head(&self, at: Timestamp, name: &str, style: ratatui::style::Style) -> Vec<Span<'static>> {
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

    /// A row of text: behind the head if that is still to come, else below it.
    fn with_head(
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

    /// How the user's own text fared, over all members.
    fn mark(&self, message: &Message) -> Option<Span<'static>> {
        let deliveries = message.deliveries.as_deref()?;
        let any = |wanted: fn(&DeliveryState) -> bool| {
            deliveries.iter().any(|delivery| wanted(&delivery.state))
        };
        if deliveries.is_empty() {
            return None;
        }
        Some(if any(|state| matches!(state, DeliveryState::Failed(_))) {
            Span::styled("✗", self.theme.error())
        } else if any(|state| *state == DeliveryState::Sending) {
            Span::styled("…", self.theme.dim())
        } else if any(|state| *state == DeliveryState::Unconfirmed) {
            Span::styled("~", self.theme.dim())
        } else {
            Span::styled("✓", self.theme.good())
        })
    }

    fn failures(&self, message: &Message, out: &mut Vec<Row<'static>>) {
        for delivery in message.deliveries.iter().flatten() {
            if let DeliveryState::Failed(reason) = delivery.state {
                let text = format!("✗ {}", undelivered(&delivery.to, "it", reason));
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
        let mut head = Some(match self.is_wide() {
            true => self.head(at, mark, style),
            false => vec![Span::styled(format!("{mark} "), style)],
        });
        for row in rows(text, self.text_columns()) {
            let row = self.with_head(&mut head, Span::styled(row, style));
            out.push(row);
        }
    }
}

/// Whether a message stands under the name above it.
fn joins(before: &Line, message: &Message) -> bool {
    match before {
        Line::Message(before) => {
            before.from == message.from
                && before.is_own() == message.is_own()
                && message.at.0.saturating_sub(before.at.0) < GROUP_MS
        }
        Line::Notice { .. } => false,
    }
}
