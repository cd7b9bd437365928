//! Which rows of a long conversation have to be in the page: those in sight and some
//! around them. The rest is two empty boxes of the right height.

use std::collections::HashMap;

use super::rows::{Key, Row, RowKind};

/// How far beyond what is in sight rows are drawn, in CSS pixels: far enough that a turn
/// of the wheel shows no gap.
pub const OVERSCAN: f64 = 900.0;

/// Where the user is in the conversation, however much grows above or below.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Place {
    /// At the end, and stays there when more comes.
    #[default]
    End,
    /// This row's top stands `offset` CSS pixels below the top of what is in sight.
    At {
        /// Which row.
        key: Key,
        /// How far below the top; less than 0 if it begins above.
        offset: f64,
    },
}

/// The rows to draw, and how high the rest is, in CSS pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Span {
    /// The first row to draw.
    pub first: usize,
    /// The row behind the last one to draw.
    pub end: usize,
    /// Height of the rows before.
    pub above: f64,
    /// Height of the rows behind.
    pub below: f64,
}

/// The heights of rows: measured where they have been drawn, estimated elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Heights {
    measured: HashMap<Key, f64>,
    width: f64,
}

impl Heights {
    /// Takes note of how wide the conversation is. Another width makes other heights.
    pub fn set_width(&mut self, width: f64) {
        if (width - self.width).abs() > 0.5 {
            self.width = width;
            self.measured.clear();
        }
    }

    /// Takes note of a height. Says whether it is another than was assumed.
    pub fn measure(&mut self, key: Key, height: f64) -> bool {
        let before = self.measured.insert(key, height);
        before.is_none_or(|before| (before - height).abs() > 0.5)
    }

    /// Forgets rows that are gone, once there are many of them.
    pub fn tidy(&mut self, rows: &[Row]) {
        if self.measured.len() > 2 * rows.len() + 1000 {
            let present: std::collections::HashSet<Key> = rows.iter().map(|row| row.key).collect();
            self.measured.retain(|key, _| present.contains(key));
        }
    }

    /// The height of each row; `bytes` is how long the text of a line is.
    #[must_use]
    pub fn of(&self, rows: &[Row], bytes: impl Fn(usize) -> usize) -> Vec<f64> {
        rows.iter()
            .map(|row| match self.measured.get(&row.key) {
                Some(height) => *height,
                None => self.estimate(row.kind, &bytes),
            })
            .collect()
    }

    fn estimate(&self, kind: RowKind, bytes: impl Fn(usize) -> usize) -> f64 {
        match kind {
            RowKind::Day(_) | RowKind::New => 48.0,
            RowKind::Notice { .. } => 34.0,
            RowKind::Message { index, first, .. } => {
                let a_line = (self.width.min(760.0) / 9.0).max(20.0);
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "a text is short, and this an estimate"
                )]
                let lines = (bytes(index) as f64 / a_line).ceil().max(1.0);
                18.0 + 23.0 * lines + if first { 34.0 } else { 0.0 }
            }
        }
    }
}

/// How far from the top a place is, given all rows and their heights.
#[must_use]
pub fn top_of(place: Place, rows: &[Row], heights: &[f64], in_sight: f64) -> f64 {
    let end = || (heights.iter().sum::<f64>() - in_sight).max(0.0);
    match place {
        Place::End => end(),
        Place::At { key, offset } => match rows.iter().position(|row| row.key == key) {
            Some(index) => (heights[..index].iter().sum::<f64>() - offset).max(0.0),
            None => end(),
        },
    }
}

/// The rows to draw when `in_sight` pixels from `top` on are seen.
#[must_use]
pub fn span(heights: &[f64], top: f64, in_sight: f64) -> Span {
    let (from, to) = (top - OVERSCAN, top + in_sight + OVERSCAN);
    let mut span = Span::default();
    let mut at = 0.0;
    for (index, height) in heights.iter().enumerate() {
        if at + height <= from {
            span.first = index + 1;
            span.above += height;
        }
        if at < to {
            span.end = index + 1;
        } else {
            span.below += height;
        }
        at += height;
    }
    // Beyond the end (rows went away): draw the last ones.
    if span.first >= span.end {
        span.first = span.end.saturating_sub(1);
        span.above = heights[..span.first].iter().sum();
    }
    span
}

/// The place at `top` pixels, from heights alone: for a jump to where nothing is drawn.
#[must_use]
pub fn place_at(top: f64, rows: &[Row], heights: &[f64]) -> Place {
    let mut at = 0.0;
    for (row, height) in rows.iter().zip(heights) {
        if at + height > top {
            return Place::At {
                key: row.key,
                offset: at - top,
            };
        }
        at += height;
    }
    Place::End
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::clock::Zone;
    use crate::logic::rows::{rows, samples::message};
    use p2pchat_model::{Line, MessageId};

    fn conversation(ids: std::ops::Range<u64>) -> Vec<Row> {
        let lines: Vec<Line> = ids
            .map(|id| Line::Message(message(id, id * 1000, "bob", false)))
            .collect();
        rows(&lines, None, &Zone::new(|_| 0))
    }

    #[test]
    fn of_ten_thousand_rows_a_few_dozen_are_drawn_and_nothing_is_lost() {
        let heights = vec![40.0; 10_000];
        for top in [0.0, 1.0, 12_345.0, 200_000.0, 399_200.0] {
            let span = span(&heights, top, 800.0);
            let drawn = span.end - span.first;
            assert!((20..80).contains(&drawn), "{drawn} at {top}");
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let total = span.above + span.below + 40.0 * drawn as f64;
            assert!((total - 400_000.0).abs() < 0.001);
            assert!(span.above <= top && span.above + 40.0 * 80.0 >= top);
        }
    }

    #[test]
    fn the_end_is_drawn_for_whoever_is_at_the_end() {
        let rows = conversation(1..1000);
        let heights = vec![40.0; rows.len()];
        let top = top_of(Place::End, &rows, &heights, 800.0);
        assert_eq!(span(&heights, top, 800.0).end, rows.len());
    }

    #[test]
    fn a_place_stays_when_history_comes_before_it() {
        let rows_now = conversation(500..1000);
        let place = place_at(4_010.0, &rows_now, &vec![40.0; rows_now.len()]);
        let rows_later = conversation(300..1000);
        let heights = vec![40.0; rows_later.len()];
        let top = top_of(place, &rows_later, &heights, 800.0);
        assert!((top - (4_010.0 + 200.0 * 40.0)).abs() < 0.001);
        assert!(
            matches!(
                place,
                Place::At {
                    key: Key::Message(MessageId(599)),
                    ..
                }
            ),
            "{place:?}"
        );
    }

    #[test]
    fn rows_that_went_away_leave_something_to_draw() {
        let span = span(&[40.0; 3], 100_000.0, 800.0);
        assert_eq!((span.first, span.end), (2, 3));
        assert_eq!(super::span(&[], 0.0, 800.0), Span::default());
    }

    #[test]
    fn a_new_width_forgets_what_was_measured() {
        let rows = conversation(1..3);
        let mut heights = Heights::default();
        heights.set_width(700.0);
        assert!(heights.measure(rows[1].key, 333.0));
        assert!(!heights.measure(rows[1].key, 333.2));
        assert!((heights.of(&rows, |_| 10)[1] - 333.2).abs() < 0.001);
        heights.set_width(360.0);
        assert!(heights.of(&rows, |_| 10)[1] < 100.0);
    }
}
