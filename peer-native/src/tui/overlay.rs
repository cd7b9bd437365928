//! Boxes over the conversation until they are closed: help, people, requests, search results.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent};
use p2pchat_model::wording::{self, label};
use p2pchat_model::{DeliveryState, KnownRegistry, LeaveReason, MessageId, Timestamp, Trust, View};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::{Block, BorderType, Clear, Padding, Paragraph};

use super::app::Compared;
use super::conversation::mark;
use super::requests::Answer;
use super::theme::Theme;
use crate::clock::Clock;
use crate::commands::COMMANDS;
use crate::shown::Shown;
use crate::wrap::{fit, one_line, rows, width};

/// The content of an overlay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Help,
    Who,
    Blocked,
    Requests,
    Findings,
    /// The code of a user, to be compared with them.
    Code,
    /// The keys of the profile, and the line to the registry.
    Identity,
    Registries,
}

/// An overlay, its scroll position, and what is selected in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Overlay {
    pub(super) topic: Topic,
    first_row: usize,
    page: usize,
    selected: Option<usize>,
    /// The question before a block waits for its answer.
    is_asking: bool,
}

/// What a key did in an overlay.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pressed {
    /// It scrolled, or did nothing.
    Stay,
    /// It closes the overlay.
    Close,
    /// It closes the overlay, and answers the chat request.
    Answer(Answer),
    /// It closes the overlay, and says that the codes match.
    Match,
    /// It closes the overlay, and shows this message in the conversation.
    Open(MessageId),
}

/// Keys and what they do, for the help.
const KEYS: &[(&str, &str)] = &[
    ("Enter", "send"),
    ("Alt-Enter", "new line (Ctrl-J too)"),
    ("Up, Down", "earlier input"),
    ("Tab", "complete a command or a name"),
    ("PageUp, PageDown", "scroll; Esc goes back to the end"),
    ("F1", "this help"),
    ("F2", "the password, where the registry needs it again"),
    ("F3", "chat requests, and their answers"),
    ("Ctrl-Q, Ctrl-C", "quit, after a question"),
];

/// The same for the sign-in form.
const SIGN_IN_KEYS: &[(&str, &str)] = &[
    ("Tab, Up, Down", "next or previous field"),
    ("Enter", "next field, or do what the button says"),
    ("F1", "this help"),
    ("Ctrl-Q, Ctrl-C", "quit, after a question"),
];

/// Columns of the first of two columns.
const FIRST_COLUMN: usize = 24;
/// Narrower overlays have the second column below the first.
const TWO_COLUMNS: usize = 48;
/// Maximum width of an overlay.
const WIDEST: u16 = 84;
/// How many search results PageUp and PageDown skip.
const HITS_PER_PAGE: usize = 5;

impl Overlay {
    pub(super) fn new(topic: Topic) -> Self {
        Self {
            topic,
            first_row: 0,
            page: 10,
            selected: (topic == Topic::Findings).then_some(0),
            is_asking: false,
        }
    }

    /// Handles a key.
    pub(super) fn key(&mut self, key: KeyEvent, shown: Shown<'_>) -> Pressed {
        match (self.topic, key.code) {
            (Topic::Requests, KeyCode::Esc) if self.is_asking => self.is_asking = false,
            (Topic::Requests, KeyCode::Enter) if self.is_asking => {
                return Pressed::Answer(Answer::Block);
            }
            (_, KeyCode::Esc) => return Pressed::Close,
            (Topic::Help, KeyCode::F(1)) | (Topic::Requests, KeyCode::F(3)) => {
                return Pressed::Close;
            }
            (Topic::Requests, KeyCode::Char(letter)) => {
                let answers = Answer::all(shown).iter();
                let mut answers = answers.filter(|answer| answer.letter() == letter);
                return answers.next().map_or(Pressed::Stay, |it| self.answer(*it));
            }
            (Topic::Requests | Topic::Findings, KeyCode::Enter) => return self.enter(shown),
            (Topic::Code, KeyCode::Char('m')) => return Pressed::Match,
            (_, KeyCode::Enter | KeyCode::Char('q')) => return Pressed::Close,
            (_, code) => self.go(code, shown),
        }
        Pressed::Stay
    }

    fn go(&mut self, code: KeyCode, shown: Shown<'_>) {
        let (first, page) = (self.first_row, self.page);
        match (self.count(shown), code) {
            (0, KeyCode::Up) => self.first_row = first.saturating_sub(1),
            (0, KeyCode::Down) => self.first_row += 1,
            (0, KeyCode::PageUp) => self.first_row = first.saturating_sub(page),
            (0, KeyCode::PageDown | KeyCode::Char(' ')) => self.first_row += page,
            (0, KeyCode::Home) => self.first_row = 0,
            (0, KeyCode::End) => self.first_row = usize::MAX,
            (count, KeyCode::Up) => self.select(count, |at| at.saturating_sub(1)),
            (count, KeyCode::Down) => self.select(count, |at| at + 1),
            (count, KeyCode::PageUp) => {
                self.select(count, |at| at.saturating_sub(HITS_PER_PAGE));
            }
            (count, KeyCode::PageDown) => self.select(count, |at| at + HITS_PER_PAGE),
            (count, KeyCode::Home) => self.select(count, |_| 0),
            (count, KeyCode::End) => self.select(count, |_| usize::MAX),
            _ => {}
        }
    }

    /// Goes to another item; to the first or the last where none is selected.
    fn select(&mut self, count: usize, go: impl Fn(usize) -> usize) {
        let at = self.selected.map_or(0, go);
        self.selected = Some(at.min(count - 1));
    }

    /// How many items there are to select from.
    fn count(&self, shown: Shown<'_>) -> usize {
        match self.topic {
            Topic::Requests if self.is_asking => 0,
            Topic::Requests => Answer::all(shown).len(),
            Topic::Findings => shown
                .view
                .findings
                .as_ref()
                .map_or(0, |it| it.messages.len()),
            Topic::Help
            | Topic::Who
            | Topic::Blocked
            | Topic::Code
            | Topic::Identity
            | Topic::Registries => 0,
        }
    }

    fn enter(&mut self, shown: Shown<'_>) -> Pressed {
        let hits = shown
            .view
            .findings
            .as_ref()
            .map(|findings| &findings.messages);
        match (self.topic, self.selected) {
            (Topic::Findings, Some(at)) => {
                let hit = hits.and_then(|hits| hits.get(at));
                hit.map_or(Pressed::Close, |hit| Pressed::Open(hit.id))
            }
            (Topic::Requests, Some(at)) => {
                let answer = Answer::all(shown).get(at);
                answer.map_or(Pressed::Stay, |answer| self.answer(*answer))
            }
            _ if self.count(shown) == 0 => Pressed::Close,
            _ => Pressed::Stay,
        }
    }

    fn answer(&mut self, answer: Answer) -> Pressed {
        if self.is_asking {
            return Pressed::Stay;
        }
        if answer == Answer::Block {
            self.is_asking = true;
            return Pressed::Stay;
        }
        Pressed::Answer(answer)
    }

    pub(super) fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        over: Rect,
        context: RenderContext<'_>,
        now: Timestamp,
    ) {
        let width = over.width.saturating_sub(2).min(WIDEST);
        let columns = usize::from(width.saturating_sub(4));
        let mut content = match self.topic {
            Topic::Help => context.help(columns),
            Topic::Who => context.who(columns),
            Topic::Blocked => context.blocked(columns),
            Topic::Requests => context.requests(columns, now, self.is_asking),
            Topic::Findings => context.findings(columns),
            Topic::Code => context.code(columns),
            Topic::Identity => context.identity(columns),
            Topic::Registries => context.known_registries(columns),
        };
        let wanted = u16::try_from(content.rows.len()).unwrap_or(u16::MAX);
        let height = wanted.saturating_add(2).min(over.height);
        let area = Rect {
            x: over.x + (over.width - width) / 2,
            y: over.y + (over.height - height) / 2,
            width,
            height,
        };
        let rows_shown = usize::from(height.saturating_sub(2));
        self.page = rows_shown.saturating_sub(1).max(1);
        self.show_selected(&mut content, rows_shown, context.theme);
        let last_start = content.rows.len().saturating_sub(rows_shown);
        self.first_row = self.first_row.min(last_start);
        let more = match (self.topic, last_start) {
            (Topic::Findings, _) if !content.items.is_empty() => " ↑↓ Enter opens · Esc closes ",
            (_, 0) => " Esc closes ",
            _ => " ↑↓ PageUp PageDown · Esc closes ",
        };
        let block = Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(context.theme.accent())
            .padding(Padding::horizontal(1))
            .title(Span::styled(content.title, context.theme.title()))
            .title_bottom(Row::from(Span::styled(more, context.theme.dim())).right_aligned());
        let shown: Vec<_> = content.rows.into_iter().skip(self.first_row).collect();
        frame.render_widget(Clear, area);
        frame.render_widget(Paragraph::new(shown).block(block), area);
    }

    /// Marks the selected item, and scrolls to it.
    fn show_selected(&mut self, content: &mut Content, height: usize, theme: Theme) {
        let Some(item) = self.selected.and_then(|at| content.items.get(at)).cloned() else {
            return;
        };
        if let Some(row) = content.rows.get_mut(item.start) {
            *row = std::mem::take(row).style(theme.strong().reversed());
        }
        if item.start < self.first_row {
            self.first_row = item.start;
        } else if item.end > self.first_row + height {
            self.first_row = item.end.saturating_sub(height).min(item.start);
        }
    }
}

/// The rows of an overlay, and which of them can be selected together.
pub(super) struct Content {
    pub(super) title: String,
    pub(super) rows: Vec<Row<'static>>,
    pub(super) items: Vec<Range<usize>>,
}

impl Content {
    pub(super) fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            rows: Vec::new(),
            items: Vec::new(),
        }
    }
}

/// What the content of an overlay is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct RenderContext<'a> {
    pub(super) shown: Shown<'a>,
    pub(super) clock: &'a Clock,
    pub(super) theme: Theme,
    pub(super) registries: &'a [KnownRegistry],
    pub(super) compared: Option<Compared>,
}

impl<'a> RenderContext<'a> {
    pub(super) fn view(&self) -> &'a View {
        self.shown.view
    }

    /// Two columns, the second wrapped; below the first where there is no room beside it.
    pub(super) fn pair(&self, first: &str, second: &str, columns: usize) -> Vec<Row<'static>> {
        let indent = if columns < TWO_COLUMNS {
            2
        } else {
            FIRST_COLUMN
        };
        let mut seconds = rows(second, columns.saturating_sub(indent)).into_iter();
        let mut head = Row::from(Span::styled(fit(first, columns), self.theme.accent()));
        let wide = width(first);
        if wide < indent {
            head.push_span(" ".repeat(indent - wide));
            head.push_span(seconds.next().unwrap_or_default());
        }
        let rest = seconds.map(|row| Row::from(format!("{}{row}", " ".repeat(indent))));
        std::iter::once(head).chain(rest).collect()
    }

    pub(super) fn heading(&self, text: &str) -> Row<'static> {
        Row::from(Span::styled(text.to_owned(), self.theme.strong()))
    }

    pub(super) fn remark(&self, text: &str) -> Row<'static> {
        Row::from(Span::styled(text.to_owned(), self.theme.dim()))
    }

    fn help(&self, columns: usize) -> Content {
        let mut content = Content::new(" Help ");
        let out = &mut content.rows;
        if self.view().account.is_none() {
            out.push(self.heading("Keys of this form"));
            for (key, does) in SIGN_IN_KEYS {
                out.extend(self.pair(key, does, columns));
            }
            return content;
        }
        let lead = "Type a message to send it to everyone in the chat.";
        out.extend(rows(lead, columns).iter().map(|row| self.heading(row)));
        for entry in COMMANDS
            .iter()
            .filter(|entry| entry.is_possible(self.view()))
        {
            out.extend(self.pair(&entry.usage(), entry.help, columns));
        }
        out.extend([Row::default(), self.heading("Keys")]);
        for (key, does) in KEYS {
            out.extend(self.pair(key, does, columns));
        }
        out.extend([Row::default(), self.heading("Marks beside your messages")]);
        for state in [
            DeliveryState::Sending,
            DeliveryState::Sent,
            DeliveryState::Unconfirmed,
            DeliveryState::Failed(LeaveReason::Unreachable),
        ] {
            out.extend(self.pair(mark(state), state.words_for_all(), columns));
        }
        out.extend([Row::default(), self.heading("Marks behind names")]);
        for trust in [Trust::Verified, Trust::Changed, Trust::ChangedAfterVerified] {
            out.extend(self.pair(trust.mark(), trust.words(), columns));
        }
        content
    }

    fn who(&self, columns: usize) -> Content {
        let mut content = Content::new(" People ");
        let out = &mut content.rows;
        out.push(self.heading(label::MEMBERS));
        for member in &self.shown.conversation().members {
            let name = one_line(member.title());
            let mut beside = member.address.to_string();
            if let Some(other) = member.name.and_then(|name| self.view().lookalike_of(name)) {
                beside += &format!("  {}", one_line(&wording::looks_like(other)));
            }
            out.extend(self.pair(&name, &beside, columns));
        }
        for person in &self.shown.conversation().out_of_reach {
            out.extend(self.pair(&one_line(&person.to_string()), label::OFFLINE, columns));
        }
        if self.shown.conversation().is_alone() {
            out.push(self.remark(label::NO_MEMBERS));
        }
        out.extend([Row::default(), self.heading(label::ONLINE)]);
        for user in self.view().others() {
            let mut beside = user.address.to_string();
            for note in wording::security::notes(user, self.view()) {
                beside += &format!(", {note}");
            }
            if !user.display_name.is_empty() {
                beside += &format!("  “{}”", one_line(user.display_name.as_str()));
            }
            if let Some(other) = self.view().lookalike_of(user.name) {
                beside += &format!("  {}", one_line(&wording::looks_like(other)));
            }
            out.extend(self.pair(&one_line(user.title()), &beside, columns));
        }
        if self.view().others().next().is_none() {
            out.push(self.remark(label::NO_ONE_ONLINE));
        }
        if !self.view().dropped.is_empty() {
            out.extend([Row::default(), self.heading(label::IGNORED)]);
        }
        for dropped in &self.view().dropped {
            out.extend(
                rows(&one_line(&dropped.tally()), columns)
                    .into_iter()
                    .map(Row::from),
            );
        }
        content
    }

    fn blocked(&self, columns: usize) -> Content {
        let mut content = Content::new(&format!(" {} ", label::BLOCKED));
        let blocked = self.view().blocked.iter();
        content
            .rows
            .extend(blocked.map(|who| Row::from(one_line(&who.to_string()))));
        let hint = if content.rows.is_empty() {
            format!("{}: /block NAME|ADDRESS", label::NO_ONE_BLOCKED)
        } else {
            "/unblock NAME|ADDRESS".to_owned()
        };
        let hint = rows(&hint, columns).into_iter();
        content.rows.extend(hint.map(|row| self.remark(&row)));
        content
    }

    fn findings(&self, columns: usize) -> Content {
        let mut content = Content::new(" Search ");
        let Some(findings) = &self.view().findings else {
            return content;
        };
        for message in &findings.messages {
            let start = content.rows.len();
            content.rows.push(Row::from(vec![
                Span::styled(self.clock.date_and_time(message.at), self.theme.dim()),
                Span::raw("  "),
                Span::styled(one_line(message.from.title()), self.theme.strong()),
            ]));
            let texts = rows(&message.text, columns.saturating_sub(2));
            let texts = texts.iter().map(|text| Row::from(format!("  {text}")));
            content.rows.extend(texts);
            content.items.push(start..content.rows.len());
        }
        let count = wording::found_messages(findings.messages.len(), &findings.text);
        let count = fit(&one_line(&count), columns.saturating_sub(2));
        if content.rows.is_empty() {
            content.rows.push(self.remark(&count));
        } else {
            content.title = format!(" {count} ");
        }
        content
    }
}
