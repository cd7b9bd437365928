//! The invitation of others to the same registry: in the place of a list of chats that is empty,
//! and in a box.

use p2pchat_model::View;
use p2pchat_model::wording::first;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::Paragraph;

use super::overlay::{Content, RenderContext};
use super::theme::Theme;
use crate::wrap::{one_line, rows};

/// The key that copies the invitation and shows it in a box.
const KEY: &str = "F6 copies this and shows it as a QR code.";
/// Where the text in the box is.
const COPIED: &str = "This is in the clipboard now, if your terminal allows that.";

/// Draws it into a part of the screen that is free, as much as fits there.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, view: &View, theme: Theme) {
    let columns = usize::from(area.width).saturating_sub(2);
    let Some(invitation) = first::invitation(view) else {
        return;
    };
    let mut out = Vec::new();
    for (text, style) in [
        (first::NO_CHATS, theme.strong()),
        ("", theme.dim()),
        (&*one_line(&invitation), Style::new()),
        ("", theme.dim()),
        (KEY, theme.dim()),
    ] {
        let said = rows(text, columns).into_iter();
        out.extend(said.map(|row| Row::from(Span::styled(format!(" {row}"), style))));
    }
    if out.len() <= usize::from(area.height) {
        frame.render_widget(Paragraph::new(out), area);
    }
}

impl RenderContext<'_> {
    /// The invitation, and its QR code where that fits.
    pub(super) fn invitation(&self, columns: usize, height: usize) -> Content {
        let mut content = Content::new(" Invite a colleague ");
        let view = self.view();
        let out = &mut content.rows;
        let invitation = first::invitation(view).unwrap_or_default();
        out.extend(
            rows(&one_line(&invitation), columns)
                .iter()
                .map(|row| self.heading(row)),
        );
        out.extend(rows(COPIED, columns).iter().map(|row| self.remark(row)));
        if let Some(code) = first::invited_to(view).and_then(|text| qr_code(&text))
            && code.len() + out.len() < height
            && code.iter().all(|row| row.width() <= columns)
        {
            out.push(Row::default());
            out.extend(code);
        }
        content
    }
}

/// A QR code: black on white, whatever the colours of the terminal, since scanners do not read it
/// inverted.
fn qr_code(text: &str) -> Option<Vec<Row<'static>>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let style = Style::new().fg(Color::Indexed(16)).bg(Color::Indexed(231));
    let rows = code.render::<Dense1x2>().build();
    let rows = rows.lines();
    Some(
        rows.map(|row| Row::from(Span::styled(row.to_owned(), style)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_registry_fits_into_a_terminal() {
        let code = qr_code("192.168.100.100:3131#ALGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU").unwrap();
        assert!(code.len() <= 21, "{}", code.len());
        let columns = code[0].width();
        assert!(columns <= 41 && code.iter().all(|row| row.width() == columns));
        assert_eq!(qr_code(&"x".repeat(5000)), None);
    }
}
