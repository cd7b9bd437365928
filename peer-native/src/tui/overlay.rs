//! Boxes over the conversation until they are closed: help, people, search results.

use crossterm::event::{KeyCode, KeyEvent};
use p2pchat_model::wording::{self, label};
use p2pchat_model::{DeliveryState, LeaveReason, View};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::{Block, BorderType, Clear, Padding, Paragraph};

use super::conversation::mark;
use super::theme::Theme;
use crate::clock::Clock;
use crate::commands::COMMANDS;
use crate::wrap::{fit, one_line, rows};

/// The content of an overlay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Help,
    Who,
    Blocked,
    Findings,
}

/// An overlay and its scroll position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Overlay {
    pub(super) topic: Topic,
    first_row: usize,
    page: usize,
}

/// The keys, for the help.
const KEYS: &[(&str, &str)] = &[
    ("Enter", "send"),
    ("Alt-Enter", "new line (Ctrl-J too)"),
    ("Up, Down", "earlier input"),
    ("Tab", "complete a command or a name"),
    ("PageUp, PageDown", "scroll; Esc goes back to the end"),
    ("Ctrl-Y, Ctrl-N", "accept or reject a chat request"),
    ("Ctrl-B", "reject it and block the user"),
    ("F1", "this help"),
    ("Ctrl-Q, Ctrl-C", "sign out and quit"),
];

/// Columns of the first of two columns.
const FIRST_COLUMN: usize = 24;
/// Maximum width of an overlay.
const WIDEST: u16 = 84;

impl Overlay {
    pub(super) fn new(topic: Topic) -> Self {
        Self {
            topic,
            first_row: 0,
            page: 10,
        }
    }

    /// Handles a key; `false` if it closes the overlay.
    pub(super) fn key(&mut self, key: KeyEvent) -> bool {
        match key.code {
            KeyCode::Esc | KeyCode::Enter | KeyCode::F(1) | KeyCode::Char('q') => return false,
            KeyCode::Up => self.first_row = self.first_row.saturating_sub(1),
            KeyCode::Down => self.first_row += 1,
            KeyCode::PageUp => self.first_row = self.first_row.saturating_sub(self.page),
            KeyCode::PageDown | KeyCode::Char(' ') => self.first_row += self.page,
            KeyCode::Home => self.first_row = 0,
            _ => {}
        }
        true
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, over: Rect, context: RenderContext<'_>) {
        let width = over.width.saturating_sub(2).min(WIDEST);
        let columns = usize::from(width.saturating_sub(4));
        let (title, content) = match self.topic {
            Topic::Help => (" Help ".to_owned(), context.help()),
            Topic::Who => (" People ".to_owned(), context.who()),
            Topic::Blocked => (format!(" {} ", label::BLOCKED), context.blocked()),
            Topic::Findings => context.findings(columns),
        };
        let wanted = u16::try_from(content.len()).unwrap_or(u16::MAX);
        let height = wanted.saturating_add(2).min(over.height);
        let area = Rect {
            x: over.x + (over.width - width) / 2,
            y: over.y + (over.height - height) / 2,
            width,
            height,
        };
        self.page = usize::from(height.saturating_sub(3)).max(1);
        let rows_shown = usize::from(height.saturating_sub(2));
        let last_start = content.len().saturating_sub(rows_shown);
        self.first_row = self.first_row.min(last_start);
        let more = match last_start {
            0 => " Esc closes ",
            _ => " ↑↓ PageUp PageDown · Esc closes ",
        };
        let block = Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(context.theme.accent())
            .padding(Padding::horizontal(1))
            .title(Span::styled(title, context.theme.title()))
            .title_bottom(Row::from(Span::styled(more, context.theme.dim())).right_aligned());
        let shown: Vec<_> = content.into_iter().skip(self.first_row).collect();
        frame.render_widget(Clear, area);
        frame.render_widget(Paragraph::new(shown).block(block), area);
    }
}

/// What the content of an overlay is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct RenderContext<'a> {
    pub(super) view: &'a View,
    pub(super) clock: &'a Clock,
    pub(super) theme: Theme,
}

impl RenderContext<'_> {
    fn pair(&self, first: &str, second: &str) -> Row<'static> {
        Row::from(vec![
            Span::styled(format!("{first:FIRST_COLUMN$}"), self.theme.accent()),
            Span::raw(second.to_owned()),
        ])
    }

    fn heading(&self, text: &str) -> Row<'static> {
        Row::from(Span::styled(text.to_owned(), self.theme.strong()))
    }

    fn help(&self) -> Vec<Row<'static>> {
        let mut out = vec![self.heading("Type a message to send it to everyone in the chat.")];
        for entry in COMMANDS {
            out.push(self.pair(&entry.usage(), entry.help));
        }
        out.extend([Row::default(), self.heading("Keys")]);
        out.extend(KEYS.iter().map(|(key, does)| self.pair(key, does)));
        out.extend([Row::default(), self.heading("Marks beside your messages")]);
        for state in [
            DeliveryState::Sending,
            DeliveryState::Sent,
            DeliveryState::Unconfirmed,
            DeliveryState::Failed(LeaveReason::Unreachable),
        ] {
            out.push(self.pair(mark(state), state.words_for_all()));
        }
        out
    }

    fn who(&self) -> Vec<Row<'static>> {
        let mut out = vec![self.heading(label::MEMBERS)];
        for member in &self.view.members {
            out.push(self.pair(&one_line(member.title()), &member.address.to_string()));
        }
        for person in &self.view.out_of_reach {
            out.push(self.pair(&one_line(&person.to_string()), label::OFFLINE));
        }
        if self.view.is_alone() {
            out.push(Row::from(Span::styled(label::NO_MEMBERS, self.theme.dim())));
        }
        out.extend([Row::default(), self.heading(label::ONLINE)]);
        for user in self.view.others() {
            let mut beside = user.address.to_string();
            if let Some(other) = self.view.lookalike_of(user.name) {
                beside += &format!("  {}", one_line(&wording::looks_like(other)));
            }
            out.push(self.pair(&one_line(user.name.as_str()), &beside));
        }
        if self.view.others().next().is_none() {
            out.push(Row::from(Span::styled(
                label::NO_ONE_ONLINE,
                self.theme.dim(),
            )));
        }
        if !self.view.dropped.is_empty() {
            out.extend([Row::default(), self.heading(label::IGNORED)]);
        }
        for dropped in &self.view.dropped {
            out.push(Row::from(one_line(&dropped.tally())));
        }
        out
    }

    fn blocked(&self) -> Vec<Row<'static>> {
        let mut out: Vec<_> = self
            .view
            .blocked
            .iter()
            .map(|who| Row::from(one_line(&who.to_string())))
            .collect();
        let hint = if out.is_empty() {
            format!("{}: /block NAME|ADDRESS", label::NO_ONE_BLOCKED)
        } else {
            "/unblock NAME|ADDRESS".to_owned()
        };
        out.push(Row::from(Span::styled(hint, self.theme.dim())));
        out
    }

    fn findings(&self, columns: usize) -> (String, Vec<Row<'static>>) {
        let Some(findings) = &self.view.findings else {
            return (" Search ".to_owned(), Vec::new());
        };
        let mut out = Vec::new();
        for message in &findings.messages {
            out.push(Row::from(vec![
                Span::styled(self.clock.date_and_time(message.at), self.theme.dim()),
                Span::raw("  "),
                Span::styled(one_line(message.from.name.as_str()), self.theme.strong()),
            ]));
            let texts = rows(&message.text, columns.saturating_sub(2));
            out.extend(texts.iter().map(|text| Row::from(format!("  {text}"))));
        }
        let count = wording::found_messages(findings.messages.len(), &findings.text);
        let count = fit(&one_line(&count), columns.saturating_sub(2));
        if out.is_empty() {
            let row = Row::from(Span::styled(count, self.theme.dim()));
            return (" Search ".to_owned(), vec![row]);
        }
        (format!(" {count} "), out)
    }
}
