//! Drawing of the sign-in form.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Passphrase, Username};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::Paragraph;

use super::editor::Editor;
use super::sign_in::{Focus, SignIn};
use super::theme::Theme;
use crate::wrap::{rows, width};

/// Width of the form.
const COLUMNS: u16 = 58;
/// Height of the form, with room for errors.
const ROWS: u16 = 18;
/// A lower form has no words above it and no space between its fields.
const WITH_WORDS: u16 = 16;
/// Columns of the label of a field.
const LABEL: usize = 14;
/// Columns of a field: a password and the cursor after it.
const FIELD: usize = 17;

impl SignIn {
    /// Draws the form in the middle of an area.
    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: Theme) {
        let width = COLUMNS.min(area.width);
        let height = ROWS.min(area.height);
        let form = Rect {
            x: area.x + (area.width - width) / 2,
            y: area.y + (area.height - height) / 3,
            width,
            height,
        };
        let painter = Painter {
            sign_in: self,
            theme,
            columns: usize::from(width),
            is_low: height < WITH_WORDS,
        };
        let (content, cursor) = painter.content();
        let to_u16 = |count| u16::try_from(count).unwrap_or(u16::MAX);
        // Below the field or the button that has the focus, there is a row for what is wrong.
        let needed = cursor.map_or(content.len(), |(_, row)| row + 2);
        let first = to_u16(needed.min(content.len())).saturating_sub(height);
        frame.render_widget(Paragraph::new(content).scroll((first, 0)), form);
        if let Some((column, row)) = cursor {
            let (column, row) = (to_u16(column), to_u16(row) - first);
            if column < width && row < height {
                frame.set_cursor_position(Position::new(form.x + column, form.y + row));
            }
        }
    }
}

struct Painter<'a> {
    sign_in: &'a SignIn,
    theme: Theme,
    columns: usize,
    is_low: bool,
}

impl Painter<'_> {
    /// The rows, and the position of the cursor in them.
    fn content(&self) -> (Vec<Row<'static>>, Option<(usize, usize)>) {
        let sign_in = self.sign_in;
        let mut out = Vec::new();
        if !self.is_low {
            out.push(Row::from(Span::styled("p2pchat", self.theme.title())));
            let (lead, style) = if sign_in.is_renewal {
                let lead = format!("{} {}", label::PASSWORD_NEEDED, label::WITHOUT_PASSWORD);
                (lead, self.theme.warning())
            } else {
                (label::LEAD.to_owned(), self.theme.dim())
            };
            let lead = rows(&lead, self.columns).into_iter();
            out.extend(lead.map(|row| Row::from(Span::styled(row, style))));
            out.push(Row::default());
        }
        let mut cursor = None;
        let (password, again) = (&sign_in.password, &sign_in.again);
        let mut fields = vec![
            (Focus::Name, label::NAME, &sign_in.name, Username::MAX),
            (Focus::Password, label::PASSWORD, password, Passphrase::MAX),
        ];
        if sign_in.is_new {
            fields.push((Focus::Again, label::PASSWORD_AGAIN, again, Passphrase::MAX));
        }
        for (focus, label, field, limit) in fields {
            if sign_in.focus == focus && !sign_in.waiting {
                let laid = field.lay_out(FIELD, focus != Focus::Name);
                cursor = Some((LABEL + 1 + laid.cursor_column, out.len()));
            }
            self.field(focus, label, field, limit, &mut out);
        }
        out.push(self.buttons());
        if !self.is_low {
            out.push(Row::default());
        }
        if sign_in.waiting {
            out.push(Row::from(Span::styled(label::WAITING, self.theme.accent())));
        }
        let error = sign_in.error.iter();
        for row in error.flat_map(|error| rows(error, self.columns)) {
            out.push(Row::from(Span::styled(row, self.theme.error())));
        }
        (out, cursor)
    }

    fn field(
        &self,
        focus: Focus,
        label: &str,
        field: &Editor,
        limit: usize,
        out: &mut Vec<Row<'static>>,
    ) {
        let focused = self.sign_in.focus == focus;
        let shown = field.lay_out(FIELD, focus != Focus::Name).rows.concat();
        let pad = FIELD.saturating_sub(width(&shown));
        let (label_style, box_style) = if focused {
            (self.theme.title(), Style::new().underlined())
        } else {
            (Style::new(), self.theme.dim().underlined())
        };
        let bytes = field.text().len();
        out.push(Row::from(vec![
            Span::styled(format!("{label:LABEL$} "), label_style),
            Span::styled(format!("{shown}{}", " ".repeat(pad)), box_style),
        ]));
        let error = match focus {
            Focus::Name => &self.sign_in.name_error,
            Focus::Again => &self.sign_in.again_error,
            _ => &self.sign_in.password_error,
        };
        let (note, style) = match error {
            Some(error) => (error.clone(), self.theme.error()),
            None => {
                let hint = self.sign_in.password_hint().map(str::to_owned);
                let hint = hint.filter(|_| focus == Focus::Password);
                let left = (focus != Focus::Again).then(|| wording::letters_left(bytes, limit));
                let note = hint.or(left.flatten()).unwrap_or_default();
                (note, self.theme.warning())
            }
        };
        if self.is_low && note.is_empty() {
            return;
        }
        let room = self.columns.saturating_sub(LABEL + 1);
        for row in rows(&note, room) {
            out.push(Row::from(vec![
                Span::raw(" ".repeat(LABEL + 1)),
                Span::styled(row, style),
            ]));
        }
    }

    fn buttons(&self) -> Row<'static> {
        let button = |focus, text: &str| {
            let style = if self.sign_in.focus == focus {
                self.theme.badge()
            } else {
                self.theme.accent()
            };
            Span::styled(format!("[ {text} ]"), style)
        };
        let indent = LABEL + 1;
        if self.sign_in.is_renewal {
            let button = button(Focus::SignIn, label::SIGN_IN);
            return Row::from(vec![Span::raw(" ".repeat(indent)), button]);
        }
        let mut buttons = [
            button(Focus::SignIn, label::SIGN_IN),
            button(Focus::CreateAccount, label::CREATE_ACCOUNT),
        ];
        if self.sign_in.is_new {
            buttons.reverse();
        }
        let [first, second] = buttons;
        let wide = first.width() + second.width() + 2;
        let indent = indent.min(self.columns.saturating_sub(wide));
        Row::from(vec![
            Span::raw(" ".repeat(indent)),
            first,
            Span::raw("  "),
            second,
        ])
    }
}
