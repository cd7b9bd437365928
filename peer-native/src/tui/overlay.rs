//! Boxes over the conversation until they are closed: help, people, requests, search results.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent};
use p2pchat_model::{Command, ConversationId, KnownRegistry, MessageId, Timestamp, Username, View};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::{Block, BorderType, Clear, Padding, Paragraph};

use super::app::Compared;
use super::findings;
use super::requests::{self, Answer, Choice, Which};
use super::theme::Theme;
use crate::clock::Clock;
use crate::shown::Shown;
use crate::wrap::{fit, rows, width};

/// The content of an overlay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Help,
    Who,
    /// What is known of a user.
    Person(Username),
    Blocked,
    Requests,
    Findings,
    /// The code of a user, to be compared with them.
    Code,
    /// The keys of the profile, and the line to the registry.
    Identity,
    Registries,
    /// What to send to a colleague.
    Invitation,
    /// Who has a message.
    Info(MessageId),
}

/// An overlay, its scroll position, and what is selected in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Overlay {
    pub(super) topic: Topic,
    first_row: usize,
    page: usize,
    selected: Option<usize>,
    /// The answer that a question is asked before, which waits for its own.
    asking: Option<Choice>,
    /// Whether the user has said that the codes differ.
    pub(super) differ: bool,
}

/// What a key did in an overlay.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pressed {
    /// It scrolled, or did nothing.
    Stay,
    /// It closes the overlay.
    Close,
    /// It closes the overlay, and answers the chat request.
    Answer(Choice),
    /// It may answer whether the codes match.
    Compared(char),
    /// It closes the overlay, and shows this message in its conversation.
    Open((ConversationId, MessageId)),
    /// It searches for the same in all conversations instead of one, or the other way round.
    Find(Command),
}

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
            asking: None,
            differ: false,
        }
    }

    /// Takes the question before an answer back.
    pub(super) fn take_back(&mut self) {
        self.asking = None;
    }

    /// Handles a key.
    pub(super) fn key(&mut self, key: KeyEvent, shown: Shown<'_>) -> Pressed {
        match (self.topic, key.code) {
            (Topic::Requests, KeyCode::Esc) if self.asking.is_some() => self.asking = None,
            (Topic::Requests, KeyCode::Enter) if self.asking.is_some() => {
                return self.asking.map_or(Pressed::Stay, Pressed::Answer);
            }
            (_, KeyCode::Esc) => return Pressed::Close,
            (Topic::Help, KeyCode::F(1)) | (Topic::Requests, KeyCode::F(3)) => {
                return Pressed::Close;
            }
            (Topic::Requests, KeyCode::Char(letter)) => {
                let which = self.active(shown.view);
                let mut choices = requests::choices(shown.view).into_iter();
                let choice =
                    choices.find(|it| Some(it.which) == which && it.answer.letter() == letter);
                return choice.map_or(Pressed::Stay, |it| self.answer(it));
            }
            (Topic::Requests | Topic::Findings, KeyCode::Enter) => return self.enter(shown),
            (Topic::Findings, KeyCode::Tab | KeyCode::BackTab) => {
                let other = findings::other_scope(shown);
                return other.map_or(Pressed::Stay, Pressed::Find);
            }
            (_, KeyCode::Enter | KeyCode::Char('q')) => return Pressed::Close,
            (Topic::Code, KeyCode::Char(letter)) if letter != ' ' => {
                return Pressed::Compared(letter);
            }
            (_, code) => self.go(code, shown),
        }
        Pressed::Stay
    }

    /// The request whose letters count: the one with the selected answer, else the first.
    fn active(&self, view: &View) -> Option<Which> {
        let choices = requests::choices(view);
        let choice = choices.get(self.selected.unwrap_or_default());
        choice.map(|choice| choice.which)
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
            Topic::Requests if self.asking.is_some() => 0,
            Topic::Requests => requests::choices(shown.view).len(),
            Topic::Findings => {
                let findings = shown.view.findings.as_ref();
                findings.map_or(0, |it| it.messages.len() + it.posts.len())
            }
            Topic::Help
            | Topic::Who
            | Topic::Person(_)
            | Topic::Blocked
            | Topic::Code
            | Topic::Identity
            | Topic::Registries
            | Topic::Invitation
            | Topic::Info(_) => 0,
        }
    }

    fn enter(&mut self, shown: Shown<'_>) -> Pressed {
        match (self.topic, self.selected) {
            (Topic::Findings, Some(at)) => {
                let hit = findings::hits(shown.view).into_iter().nth(at);
                hit.map_or(Pressed::Close, |hit| {
                    Pressed::Open((hit.conversation, hit.id))
                })
            }
            (Topic::Requests, Some(at)) => {
                let choice = requests::choices(shown.view).into_iter().nth(at);
                choice.map_or(Pressed::Stay, |choice| self.answer(choice))
            }
            _ if self.count(shown) == 0 => Pressed::Close,
            _ => Pressed::Stay,
        }
    }

    fn answer(&mut self, choice: Choice) -> Pressed {
        if self.asking.is_some() {
            return Pressed::Stay;
        }
        if choice.answer == Answer::Block {
            self.asking = Some(choice);
            return Pressed::Stay;
        }
        Pressed::Answer(choice)
    }

    pub(super) fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        over: Rect,
        context: RenderContext<'_>,
        now: Timestamp,
    ) {
        let columns = Content::columns(over);
        let content = match self.topic {
            Topic::Help => context.help(columns),
            Topic::Who => context.who(columns),
            Topic::Person(name) => context.person(name, columns),
            Topic::Blocked => context.blocked(columns),
            Topic::Requests => {
                let active = self.active(context.view());
                context.requests(columns, now, self.asking, active)
            }
            Topic::Findings => context.findings(columns),
            Topic::Code => context.code(self.differ, columns),
            Topic::Identity => context.identity(columns),
            Topic::Registries => context.known_registries(columns),
            Topic::Invitation => {
                context.invitation(columns, usize::from(over.height).saturating_sub(2))
            }
            Topic::Info(message) => context.info(message, columns),
        };
        let keys = match self.topic {
            Topic::Findings => context.finding_keys(content.items.is_empty()),
            _ if content.rows.len() + 2 <= usize::from(over.height) => " Esc closes ",
            _ => " ↑↓ PageUp PageDown · Esc closes ",
        };
        self.page = content.draw(
            frame,
            over,
            (self.selected, &mut self.first_row),
            keys,
            context.theme,
        );
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

    fn width(over: Rect) -> u16 {
        over.width.saturating_sub(2).min(WIDEST)
    }

    /// How wide the rows may be in this area.
    pub(super) fn columns(over: Rect) -> usize {
        usize::from(Self::width(over).saturating_sub(4))
    }

    /// Draws the box in the middle of an area, with the selected item in sight; returns how many
    /// rows are a page of it.
    pub(super) fn draw(
        mut self,
        frame: &mut Frame<'_>,
        over: Rect,
        (selected, first_row): (Option<usize>, &mut usize),
        keys: &'static str,
        theme: Theme,
    ) -> usize {
        let wanted = u16::try_from(self.rows.len()).unwrap_or(u16::MAX);
        let height = wanted.saturating_add(2).min(over.height);
        let width = Self::width(over);
        let area = Rect {
            x: over.x + (over.width - width) / 2,
            y: over.y + (over.height - height) / 2,
            width,
            height,
        };
        let rows_shown = usize::from(height.saturating_sub(2));
        self.show_selected(selected, first_row, rows_shown, theme);
        let last_start = self.rows.len().saturating_sub(rows_shown);
        *first_row = (*first_row).min(last_start);
        let block = Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(theme.accent())
            .padding(Padding::horizontal(1))
            .title(Span::styled(self.title, theme.title()))
            .title_bottom(Row::from(Span::styled(keys, theme.dim())).right_aligned());
        let shown: Vec<_> = self.rows.into_iter().skip(*first_row).collect();
        frame.render_widget(Clear, area);
        frame.render_widget(Paragraph::new(shown).block(block), area);
        rows_shown.saturating_sub(1).max(1)
    }

    /// Marks the selected item, and scrolls to it.
    fn show_selected(
        &mut self,
        selected: Option<usize>,
        first_row: &mut usize,
        height: usize,
        theme: Theme,
    ) {
        let Some(item) = selected.and_then(|at| self.items.get(at)).cloned() else {
            return;
        };
        if let Some(row) = self.rows.get_mut(item.start) {
            *row = std::mem::take(row).style(theme.strong().reversed());
        }
        if item.start < *first_row {
            *first_row = item.start;
        } else if item.end > *first_row + height {
            *first_row = item.end.saturating_sub(height).min(item.start);
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
}
