//! What lies over the conversation until it is closed: help, who is there, what was found.

use crossterm::event::{KeyCode, KeyEvent};
use p2pchat_model::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::{Block, BorderType, Clear, Padding, Paragraph};

use super::theme::Theme;
use crate::clock::Clock;
use crate::commands::COMMANDS;
use crate::plain::lines::looks_like;
use crate::wrap::{fit, one_line, rows};

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Help,
    Who,
    Blocked,
    Findings,
}

/// What is shown, and how far down.
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
    ("Up, Down", "what you entered before"),
    ("Tab", "complete a command or a name"),
    ("PageUp, PageDown", "scroll; Esc goes back to the end"),
    ("Ctrl-Y, Ctrl-N", "accept or reject a chat request"),
    ("Ctrl-B", "reject it and block whoever asks"),
    ("F1", "this help"),
    ("Ctrl-Q, Ctrl-C", "log out and quit"),
];

/// The marks beside what you said.
const MARKS: &[(&str, &str)] = &[
    ("…", "on its way"),
    ("✓", "everybody's program took it"),
    ("~", "handed over; the other program does not say more"),
    ("✗", "somebody did not get it; named below"),
];

/// Columns before the meanings in the help.
const FIRST_COLUMN: usize = 24;
/// The widest that an overlay becomes.
const WIDEST: u16 = 84;

impl Overlay {
    pub(super) fn new(topic: Topic) -> Self {
        Self {
            topic,
            first_row: 0,
            page: 10,
        }
    }

    /// Handles a key; `false` closes it.
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

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, over: Rect, ink: Ink<'_>) {
        let width = over.width.saturating_sub(2).min(WIDEST);
        let columns = usize::from(width.saturating_sub(4));
        let (title, content) = match self.topic {
            Topic::Help => (" help ".to_owned(), ink.help()),
            Topic::Who => (" who is there ".to_owned(), ink.who()),
            Topic::Blocked => (" blocked ".to_owned(), ink.blocked()),
            Topic::Findings => ink.findings(columns),
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
            .border_style(ink.theme.accent())
            .padding(Padding::horizontal(1))
            .title(Span::styled(title, ink.theme.title()))
            .title_bottom(Row::from(Span::styled(more, ink.theme.dim())).right_aligned());
        let shown: Vec<_> = content.into_iter().skip(self.first_row).collect();
        frame.render_widget(Clear, area);
        frame.render_widget(Paragraph::new(shown).block(block), area);
    }
}

/// What an overlay is written with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink<'a> {
    pub(super) view: &'a View,
    pub(super) clock: &'a Clock,
    pub(super) theme: Theme,
}

impl Ink<'_> {
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
        let mut out = vec![self.heading("Type a text to say it to everybody in the chat.")];
        for entry in COMMANDS {
            let usage = format!("{} {}", entry.name, entry.arguments);
            out.push(self.pair(&usage, entry.meaning));
        }
        out.extend([Row::default(), self.heading("Keys")]);
        out.extend(KEYS.iter().map(|(key, does)| self.pair(key, does)));
        out.extend([Row::default(), self.heading("Marks beside what you said")]);
        out.extend(MARKS.iter().map(|(mark, means)| self.pair(mark, means)));
        out
    }

    fn who(&self) -> Vec<Row<'static>> {
        let mut out = vec![self.heading("in the chat with you")];
        for member in &self.view.members {
            out.push(self.pair(&one_line(&member.to_string()), &member.address.to_string()));
        }
        for person in &self.view.out_of_reach {
            out.push(self.pair(&one_line(&person.to_string()), "out of reach"));
        }
        if self.view.is_alone() {
            out.push(Row::from(Span::styled("nobody", self.theme.dim())));
        }
        out.extend([Row::default(), self.heading("online")]);
        for user in self.view.others() {
            let like = looks_like(user.name, self.view).unwrap_or_default();
            let beside = format!("{}{}", user.address, one_line(&like));
            out.push(self.pair(&one_line(user.name.as_str()), &beside));
        }
        if self.view.others().next().is_none() {
            out.push(Row::from(Span::styled("nobody else", self.theme.dim())));
        }
        if !self.view.dropped.is_empty() {
            out.extend([Row::default(), self.heading("dropped since the start")]);
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
        let words = match out.is_empty() {
            true => "nobody is blocked: /block NAME or /block ADDRESS does that",
            false => "/unblock takes from somebody again",
        };
        out.push(Row::from(Span::styled(words, self.theme.dim())));
        out
    }

    fn findings(&self, columns: usize) -> (String, Vec<Row<'static>>) {
        let Some(findings) = &self.view.findings else {
            return (" found ".to_owned(), Vec::new());
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
        if out.is_empty() {
            let text = "nothing that was said holds all of these words";
            out.push(Row::from(Span::styled(text, self.theme.dim())));
        }
        let title = fit(&one_line(&findings.text), columns.saturating_sub(10));
        (format!(" found: {title} "), out)
    }
}
