//! The screen from top to bottom.

use p2pchat_model::wording::{self, chat, label};
use p2pchat_model::{Command, Timestamp};
use ratatui::Frame;
use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::{Constraint, Layout as Split, Position, Rect};
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::Paragraph;

use super::app::App;
use super::overlay::RenderContext;
use super::{bars, head, invite, members, rail, waiting};
use crate::chats;
use crate::commands::{self, Typed};
use crate::shown::Shown;
use crate::wrap::{fit, one_line, width};

/// Maximum height of the input.
const INPUT_ROWS: usize = 6;
/// Columns before the input.
const PROMPT: &str = " › ";
/// Smaller screens show only a message.
const SMALLEST: (u16, u16) = (24, 8);

impl App {
    /// Draws the state at this time.
    pub fn draw(&mut self, frame: &mut Frame<'_>, now: Timestamp) {
        self.draw_all(frame, now);
        self.draw_over_remains(frame.buffer_mut());
    }

    /// Has rows drawn in full that have, or had in the last frame, an emoji of several
    /// characters. Terminals disagree on how many columns such a one takes, and where it takes
    /// more than was thought, a part of it would stay.
    fn draw_over_remains(&mut self, buffer: &mut Buffer) {
        let area = buffer.area;
        let is_uncertain = |cell: &Cell| {
            let flag_letter = |c| matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
            let symbol = cell.symbol();
            symbol.chars().any(flag_letter) || (symbol.chars().count() > 1 && width(symbol) > 1)
        };
        let columns = area.left()..area.right();
        let rows = area.top()..area.bottom();
        let rows = rows.filter(|y| columns.clone().any(|x| is_uncertain(&buffer[(x, *y)])));
        let rows: Vec<u16> = rows.collect();
        let before = std::mem::replace(&mut self.uncertain_rows, rows.clone());
        for y in before.into_iter().chain(rows) {
            for x in columns.clone().filter(|_| y < area.bottom()) {
                buffer[(x, y)].set_diff_option(CellDiffOption::AlwaysUpdate);
            }
        }
    }

    fn draw_all(&mut self, frame: &mut Frame<'_>, now: Timestamp) {
        let theme = self.look.theme;
        let area = frame.area();
        if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
            frame.render_widget(Paragraph::new("p2pchat: enlarge this window"), area);
            return;
        }
        // The form says it too.
        let is_told = self.is_renewing || self.is_stopped() || self.is_choosing();
        let banner = bars::banner(&self.view, now).filter(|_| !is_told);
        let banner = banner.map(|banner| bars::banner_rows(&banner, area.width, theme));
        let banner = banner.unwrap_or_default();
        let [title, warning, body] = Split::vertical([
            Constraint::Length(1),
            Constraint::Length(rows_u16(banner.len())),
            Constraint::Fill(1),
        ])
        .areas(area);
        if self.is_signing_in() {
            bars::title(frame, title, &self.view, theme);
        } else {
            let rail = self.rail_columns(area.width);
            let from = if rail > 0 { rail + 1 } else { 0 };
            head::draw(frame, title, from, self.shown(), theme);
        }
        frame.render_widget(Paragraph::new(banner), warning);
        let over = if self.is_signing_in() {
            self.draw_sign_in(frame, body)
        } else {
            self.draw_chat(frame, body, now)
        };
        if let Some(overlay) = &mut self.overlay {
            let context = RenderContext {
                shown: Shown {
                    view: &self.view,
                    id: self.current,
                },
                clock: &self.look.clock,
                theme,
                registries: &self.registries,
                compared: self.compared,
            };
            overlay.draw(frame, over, context, now);
        } else if let Some(switcher) = &mut self.switcher {
            let (view, id) = (&self.view, self.current);
            switcher.draw(frame, over, Shown { view, id }, theme);
        }
    }

    /// Width of the list of chats on a screen of this many columns; 0 for none.
    fn rail_columns(&self, screen: u16) -> u16 {
        if self.is_rail_hidden {
            0
        } else {
            rail::columns(screen)
        }
    }

    fn draw_sign_in(&self, frame: &mut Frame<'_>, body: Rect) -> Rect {
        let theme = self.look.theme;
        let [form, keys] =
            Split::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(body);
        match self.choose.as_ref().filter(|_| self.is_choosing()) {
            Some(choose) => choose.draw(frame, form, theme),
            None => self.sign_in.draw(frame, form, &self.view, theme),
        }
        bars::hint(
            frame,
            keys,
            self.hint.as_deref(),
            if self.is_choosing() {
                &bars::CHOICE_KEYS[..]
            } else if self.is_stopped() {
                &bars::STOP_KEYS
            } else if self.is_renewing {
                &bars::RENEWAL_KEYS
            } else {
                &bars::SIGN_IN_KEYS
            },
            theme,
        );
        form
    }

    /// The message that Enter would send; empty if the input is none.
    fn typed_message(&self) -> String {
        match commands::parse(self.input.editor.text(), self.shown()) {
            Ok(Typed::Command(Command::Say { text, .. })) => text,
            _ => String::new(),
        }
    }

    /// Draws the chat; returns the area for an overlay.
    fn draw_chat(&mut self, frame: &mut Frame<'_>, body: Rect, now: Timestamp) -> Rect {
        let theme = self.look.theme;
        let columns = usize::from(body.width).saturating_sub(width(PROMPT));
        let laid = self.input.editor.lay_out(columns, false);
        let input_rows = rows_u16(laid.rows.len().min(INPUT_ROWS));
        let rail_columns = self.rail_columns(body.width);
        let request = self.waiting_row(rail_columns > 0, body.width, now);
        let notes = self.notes(usize::from(body.width));
        let [middle, status, rule, above, input, keys] = Split::vertical([
            Constraint::Fill(1),
            Constraint::Length(u16::from(request.is_some())),
            Constraint::Length(1),
            Constraint::Length(rows_u16(notes.len())),
            Constraint::Length(input_rows),
            Constraint::Length(1),
        ])
        .areas(body);
        let shown = self.shown();
        let [left, center, right] = Split::horizontal([
            Constraint::Length(rail_columns),
            Constraint::Fill(1),
            Constraint::Length(members::columns(body.width, shown)),
        ])
        .areas(middle);
        let targets = if left.width > 0 {
            rail::draw(frame, left, shown, theme, now)
        } else {
            Vec::new()
        };
        if right.width > 0 {
            members::draw(frame, right, shown, theme);
        }
        self.rail_rows = (left, targets);
        self.draw_conversation(frame, center);
        frame.render_widget(request, status);
        let below = (!self.scroll.is_at_end()).then_some(self.below);
        bars::rule(frame, rule, below, &self.length(), theme);
        frame.render_widget(Paragraph::new(notes), above);
        self.draw_input(frame, input, &laid);
        let undo = || bars::undo(&self.view, now);
        let hint = self.hint.clone().or_else(undo);
        let all: &[&str] = if self.selecting.is_some() {
            &bars::SELECT_KEYS
        } else {
            &bars::KEYS
        };
        bars::hint(frame, keys, hint.as_deref(), all, theme);
        middle
    }

    /// The row of a request for the open chat, which has little time; of others, and of what is
    /// unread elsewhere, only where the list of chats does not tell of them.
    fn waiting_row(&self, has_rail: bool, columns: u16, now: Timestamp) -> Option<Row<'static>> {
        let theme = self.look.theme;
        match &self.view.incoming {
            Some(request) => Some(bars::request(request, &self.view, columns, now, theme)),
            None if has_rail => None,
            None => waiting::row(&self.view, self.unread(Some(self.current)), columns, theme),
        }
    }

    /// That the text in the field is too long; else as how many messages older programs show it.
    fn length(&self) -> Span<'static> {
        let message = self.typed_message();
        let letters = self.input.too_many(&message);
        if letters > 0 {
            let words = wording::problem::message_too_long(letters);
            return Span::styled(words, self.look.theme.warning());
        }
        let is_open = self.conversation().chat.is_none();
        let length = is_open.then(|| wording::length(&message)).flatten();
        Span::styled(length.unwrap_or_default(), self.look.theme.dim())
    }

    fn draw_conversation(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let typing = self.conversation().chat.as_ref().and_then(chat::typing);
        let [area, below] = Split::vertical([
            Constraint::Fill(1),
            Constraint::Length(u16::from(typing.is_some())),
        ])
        .areas(area);
        if let Some(typing) = typing {
            let typing = fit(
                &one_line(&typing),
                usize::from(below.width).saturating_sub(2),
            );
            let typing = Span::styled(format!(" {typing}"), self.look.theme.dim());
            frame.render_widget(typing, below);
        }
        self.page = (usize::from(area.width), usize::from(area.height));
        self.open_at_new();
        let mut scroll = self.scroll;
        let rows = scroll.rows(&self.layout(), self.page.1);
        self.scroll = scroll;
        // A short conversation is at the bottom, where the next line will come.
        let top = area.height.saturating_sub(rows_u16(rows.len()));
        let place = Rect {
            y: area.y + top,
            height: area.height - top,
            ..area
        };
        frame.render_widget(Paragraph::new(rows), place);
        // Once the registry has told who is there, what chats there are is known too.
        if chats::is_empty(self.shown()) && !self.view.online.is_empty() {
            let height = top.saturating_sub(1);
            let free = Rect { height, ..area };
            invite::draw(frame, free, &self.view, self.look.theme);
        }
    }

    fn draw_input(&self, frame: &mut Frame<'_>, area: Rect, laid: &super::editor::Laid) {
        let theme = self.look.theme;
        let height = usize::from(area.height);
        let first = (laid.cursor_row + 1).saturating_sub(height);
        let rows = laid.rows.iter().enumerate().skip(first).take(height);
        let rows: Vec<_> = rows
            .map(|(at, row)| {
                let before = if at == 0 { PROMPT } else { "   " };
                Row::from(vec![
                    Span::styled(before, theme.title()),
                    Span::raw(row.clone()),
                ])
            })
            .collect();
        frame.render_widget(Paragraph::new(rows), area);
        if self.input.editor.is_empty() {
            self.draw_placeholder(frame, area);
        }
        let takes_keys = self.overlay.is_some() || self.switcher.is_some();
        if !takes_keys && self.selecting.is_none() {
            let column = rows_u16(width(PROMPT) + laid.cursor_column);
            let row = rows_u16(laid.cursor_row - first);
            frame.set_cursor_position(Position::new(area.x + column, area.y + row));
        }
    }

    /// Shows who gets the message, while the input is empty.
    fn draw_placeholder(&self, frame: &mut Frame<'_>, area: Rect) {
        let text = self.placeholder();
        let indent = rows_u16(width(PROMPT) + 1).min(area.width);
        let place = Rect {
            x: area.x + indent,
            width: area.width - indent,
            height: 1,
            ..area
        };
        let text = fit(&text, usize::from(place.width).saturating_sub(1));
        frame.render_widget(Span::styled(text, self.look.theme.dim()), place);
    }

    fn placeholder(&self) -> String {
        let conversation = self.conversation();
        if let Some(reason) = self.cannot_write() {
            return reason;
        }
        if conversation.chat.is_some() {
            return format!("Message {}", one_line(&chat::title(conversation)));
        }
        let members = conversation.members.iter();
        let names: Vec<_> = members.map(ToString::to_string).collect();
        match names.as_slice() {
            [] => format!("{}: F4, or /chat NAME", label::NO_CHAT),
            names => format!("to {}", one_line(&names.join(", "))),
        }
    }
}

fn rows_u16(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
