//! Drawing of the sign-in form.

use p2pchat_model::wording::{label, security};
use p2pchat_model::{Security, View};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::Paragraph;

use super::sign_in::{Field, Focus, Purpose, SignIn};
use super::theme::Theme;
use crate::wrap::{one_line, rows, width};

/// Width of the form.
const COLUMNS: u16 = 58;
/// Height of the form, with room for errors.
const ROWS: u16 = 18;
/// A lower form has no words above it and no space between its fields.
const WITH_WORDS: u16 = 16;
/// Columns of the label of a field.
const LABEL: usize = 14;
/// Button: change the password.
const CHANGE: &str = "Change password";
/// The sentence above the form for that.
const CHANGE_LEAD: &str = "Your other computers stay signed in: the password is only needed to \
                           sign in with a new key.";
/// Columns of a field; a longer text is shown around the cursor.
const FIELD: usize = 32;

/// Where a form stands: in the middle, and rather high.
pub(super) fn form_in(area: Rect, columns: u16, rows: u16) -> Rect {
    let (width, height) = (columns.min(area.width), rows.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 3,
        width,
        height,
    }
}

impl SignIn {
    /// Draws the form in the middle of an area, or, where the registry has another key than the
    /// pinned one, the stop in its place.
    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: &View, theme: Theme) {
        let form = form_in(area, COLUMNS, ROWS);
        let Rect { width, height, .. } = form;
        if let Some(stop) = security::registry_stop(&view.registry, &view.link) {
            // Wide, so that the command stays in one row for as many registries as possible.
            let indent = (area.width / 40).min(4);
            let place = Rect {
                x: area.x + indent,
                width: area.width - 2 * indent,
                ..form
            };
            let stop = stop_rows(&stop, usize::from(place.width), theme);
            frame.render_widget(Paragraph::new(stop), place);
            return;
        }
        let painter = Painter {
            sign_in: self,
            view,
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

/// The stop before a registry that has another key.
fn stop_rows(stop: &[String], columns: usize, theme: Theme) -> Vec<Row<'static>> {
    let mut out = Vec::new();
    for (at, text) in stop.iter().enumerate() {
        let style = match at {
            0 => theme.error(),
            1 | 2 => theme.strong(),
            _ => Style::new(),
        };
        if at != 2 {
            out.push(Row::default());
        }
        let rows = rows(&one_line(text), columns).into_iter();
        out.extend(rows.map(|row| Row::from(Span::styled(row, style))));
    }
    out
}

struct Painter<'a> {
    sign_in: &'a SignIn,
    view: &'a View,
    theme: Theme,
    columns: usize,
    is_low: bool,
}

impl Painter<'_> {
    /// The rows, and the position of the cursor in them.
    fn content(&self) -> (Vec<Row<'static>>, Option<(usize, usize)>) {
        let sign_in = self.sign_in;
        let mut out = Vec::new();
        if !self.is_low || security::not_saved(self.view).is_some() {
            out.extend(self.lead());
        }
        let mut cursor = None;
        if sign_in.purpose != Purpose::SignIn {
            // Whose password it is.
            self.field(Focus::Name, label::NAME, &sign_in.name, &mut out);
        }
        for focus in Focus::all(sign_in) {
            let Some((label, field)) = self.named(*focus) else {
                continue;
            };
            if sign_in.focus == *focus && !sign_in.waiting {
                let laid = field.editor.lay_out(FIELD, is_secret(*focus));
                cursor = Some((LABEL + 1 + laid.cursor_column, out.len()));
            }
            self.field(*focus, label, field, &mut out);
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
        let is_idle = !sign_in.waiting && sign_in.error.is_none() && !self.is_low;
        if is_idle && sign_in.is_first && sign_in.purpose == Purpose::SignIn {
            let hint = rows(security::IMPORT_HINT, self.columns).into_iter();
            out.extend(hint.map(|row| Row::from(Span::styled(row, self.theme.dim()))));
        }
        (out, cursor)
    }

    /// The words above the fields.
    fn lead(&self) -> Vec<Row<'static>> {
        let (lead, style) = match self.sign_in.purpose {
            Purpose::Renewal => {
                let lead = format!("{} {}", label::PASSWORD_NEEDED, label::WITHOUT_PASSWORD);
                (lead, self.theme.warning())
            }
            Purpose::Change => (CHANGE_LEAD.to_owned(), self.theme.dim()),
            Purpose::SignIn => match security::not_saved(self.view) {
                Some(warning) => (warning.to_owned(), self.theme.warning()),
                None => (self.view.security.lead().to_owned(), self.theme.dim()),
            },
        };
        let mut out = vec![Row::from(Span::styled("p2pchat", self.theme.title()))];
        let lead = rows(&lead, self.columns).into_iter();
        out.extend(lead.map(|row| Row::from(Span::styled(row, style))));
        out.push(Row::default());
        out
    }

    /// The label and the field of a focus, unless it is a button.
    fn named(&self, focus: Focus) -> Option<(&'static str, &Field)> {
        let form = self.sign_in;
        match focus {
            Focus::Name => Some((label::NAME, &form.name)),
            Focus::DisplayName => Some(("Display name", &form.display_name)),
            Focus::Password => Some((label::PASSWORD, &form.password)),
            Focus::New => Some(("New password", &form.new)),
            Focus::Again => Some((label::PASSWORD_AGAIN, &form.again)),
            Focus::SignIn | Focus::CreateAccount | Focus::Change => None,
        }
    }

    fn field(&self, focus: Focus, label: &str, field: &Field, out: &mut Vec<Row<'static>>) {
        let focused = self.sign_in.focus == focus;
        let laid = field.editor.lay_out(FIELD, is_secret(focus));
        let shown = laid.rows.into_iter().nth(laid.cursor_row);
        let shown = shown.unwrap_or_default();
        let pad = FIELD.saturating_sub(width(&shown));
        let (label_style, box_style) = if focused {
            (self.theme.title(), Style::new().underlined())
        } else {
            (Style::new(), self.theme.dim().underlined())
        };
        out.push(Row::from(vec![
            Span::styled(format!("{label:LABEL$} "), label_style),
            Span::styled(format!("{shown}{}", " ".repeat(pad)), box_style),
        ]));
        let (note, style) = match &field.error {
            Some(error) => (error.clone(), self.theme.error()),
            None => {
                // No key signs in to a registry of version 1.
                let is_legacy = self.view.security == Security::NotEncrypted;
                let note = self.sign_in.note(focus);
                let note = note.filter(|note| !is_legacy || note != security::PASSWORD_OPTIONAL);
                let note = note.unwrap_or_default();
                let style = if field.editor.is_empty() {
                    self.theme.dim()
                } else {
                    self.theme.warning()
                };
                (note, style)
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
        let only = match self.sign_in.purpose {
            Purpose::Renewal => Some(button(Focus::SignIn, label::SIGN_IN)),
            Purpose::Change => Some(button(Focus::Change, CHANGE)),
            Purpose::SignIn => None,
        };
        if let Some(button) = only {
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

/// Whether dots are shown in place of letters.
fn is_secret(focus: Focus) -> bool {
    !matches!(focus, Focus::Name | Focus::DisplayName)
}
