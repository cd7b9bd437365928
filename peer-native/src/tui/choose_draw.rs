//! Drawing of the choice of a registry.

use p2pchat_model::wording::first;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::Paragraph;

use super::choose::{Choose, Focus, Waiting};
use super::sign_in_draw::form_in;
use super::theme::Theme;
use crate::wrap::{one_line, rows, width};

/// Width of the form.
const COLUMNS: u16 = 64;
/// Height of the form, with room for errors.
const ROWS: u16 = 18;
/// Columns of the label of the field.
const LABEL: usize = 9;

impl Choose {
    /// Draws it in the middle of an area.
    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: Theme) {
        let form = form_in(area, COLUMNS, ROWS);
        let columns = usize::from(form.width);
        let mut out = Vec::new();
        let mut say = |text: &str, style: Style| {
            let said = rows(&one_line(text), columns).into_iter();
            out.extend(said.map(|row| Row::from(Span::styled(row, style))));
        };
        say("p2pchat", theme.title());
        say(first::NEEDS_REGISTRY, Style::new());
        say("", Style::new());
        say(first::HAS_ONE, theme.dim());
        let at = out.len();
        let room = columns.saturating_sub(LABEL + 1);
        let laid = self.field.editor.lay_out(room, false);
        out.push(self.row(&laid, room, theme));
        if let Some(error) = &self.field.error {
            out.extend(indented(error, columns, theme.error()));
        }
        out.push(self.button(Focus::Connect, first::CONNECT, "Enter", theme));
        out.push(Row::default());
        out.extend(
            rows(first::NO_ONE_HAS_ONE, columns)
                .into_iter()
                .map(|row| Row::from(Span::styled(row, theme.dim()))),
        );
        out.push(self.button(Focus::Start, first::START_HERE, "F3", theme));
        out.push(Row::default());
        let (said, style) = match (self.waiting, &self.error) {
            (Some(Waiting::Starting), _) => (first::STARTING.to_owned(), theme.accent()),
            (Some(Waiting::Connecting), _) => {
                (first::connecting(self.field.text()), theme.accent())
            }
            (None, Some(error)) => (error.clone(), theme.error()),
            (None, None) => (String::new(), Style::new()),
        };
        let said = rows(&one_line(&said), columns).into_iter();
        out.extend(said.map(|row| Row::from(Span::styled(row, style))));
        let to_u16 = |count| u16::try_from(count).unwrap_or(u16::MAX);
        // What was said last matters most where not all fits.
        let first_row = to_u16(out.len())
            .saturating_sub(form.height)
            .min(to_u16(at));
        frame.render_widget(Paragraph::new(out).scroll((first_row, 0)), form);
        if self.focus == Focus::Registry && self.waiting.is_none() {
            let column = form.x + to_u16(LABEL + 1 + laid.cursor_column);
            let row = form.y + to_u16(at) - first_row;
            if column < form.right() && row < form.bottom() {
                frame.set_cursor_position(Position::new(column, row));
            }
        }
    }

    /// The field with its label.
    fn row(&self, laid: &super::editor::Laid, room: usize, theme: Theme) -> Row<'static> {
        let shown = laid.rows.get(laid.cursor_row).cloned().unwrap_or_default();
        let is_empty = self.field.editor.is_empty();
        let shown = if is_empty {
            first::EXAMPLE.to_owned()
        } else {
            shown
        };
        let pad = " ".repeat(room.saturating_sub(width(&shown)));
        let (label, line) = if self.focus == Focus::Registry {
            (theme.title(), Style::new().underlined())
        } else {
            (Style::new(), theme.dim().underlined())
        };
        let text = if is_empty {
            theme.dim().underlined()
        } else {
            line
        };
        Row::from(vec![
            Span::styled(format!("{:LABEL$} ", first::REGISTRY), label),
            Span::styled(shown, text),
            Span::styled(pad, line),
        ])
    }

    /// A button, and the key that presses it from anywhere.
    fn button(&self, focus: Focus, text: &str, key: &str, theme: Theme) -> Row<'static> {
        let style = if self.focus == focus {
            theme.badge()
        } else {
            theme.accent()
        };
        Row::from(vec![
            Span::raw(" ".repeat(LABEL + 1)),
            Span::styled(format!("[ {text} ]"), style),
            Span::styled(format!("  {key}"), theme.dim()),
        ])
    }
}

fn indented(text: &str, columns: usize, style: Style) -> Vec<Row<'static>> {
    let rows = rows(&one_line(text), columns.saturating_sub(LABEL + 1));
    let row = |row| {
        let indent = Span::raw(" ".repeat(LABEL + 1));
        Row::from(vec![indent, Span::styled(row, style)])
    };
    rows.into_iter().map(row).collect()
}
