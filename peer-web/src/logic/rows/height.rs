//! How high rows are.

use p2pchat_model::Line;

use super::{RowKind, Rows};

impl Rows {
    /// The height of all rows, in CSS pixels.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.total
    }

    /// Takes note of how wide the conversation is, in CSS pixels. Another width makes other
    /// heights.
    pub fn set_width(&mut self, width: f64, lines: &[Line]) {
        if (width - self.width).abs() > 0.5 {
            self.width = width;
            for index in 0..self.rows.len() {
                self.estimate(lines, index);
            }
        }
    }

    /// Takes note of the height of a row, in CSS pixels.
    pub fn measure(&mut self, index: usize, height: f64) {
        self.rows[index].measured = true;
        self.put(index, height);
    }

    /// Estimates the height of a row anew.
    pub(super) fn estimate(&mut self, lines: &[Line], index: usize) {
        self.rows[index].measured = false;
        let height = estimate(self.width, self.rows[index].shown.kind, lines);
        self.put(index, height);
    }

    fn put(&mut self, index: usize, height: f64) {
        self.total += height - self.rows[index].height;
        self.rows[index].height = height;
    }
}

/// How high a row may be that was not measured.
pub(super) fn estimate(width: f64, kind: RowKind, lines: &[Line]) -> f64 {
    let (index, first) = match kind {
        RowKind::Day(_) | RowKind::New => return 48.0,
        RowKind::Notice { .. } => return 34.0,
        RowKind::Message { index, first, .. } => (index, first),
    };
    let bytes = match &lines[index] {
        Line::Message(message) => message.text.len(),
        Line::Notice { text, .. } => text.len(),
    };
    let a_line = (width.min(760.0) / 9.0).max(20.0);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a text is short, and this an estimate"
    )]
    let drawn = (bytes as f64 / a_line).ceil().max(1.0);
    18.0 + 23.0 * drawn + if first { 34.0 } else { 0.0 }
}
