//! Which rows of a long conversation have to be in the page: those in sight and some
//! around them. The rest is two empty boxes of the right height.

use super::rows::{Key, Rows};

/// How far rows are drawn beyond what is in sight, in CSS pixels: far enough that a turn of
/// the wheel shows no gap.
pub const OVERSCAN: f64 = 900.0;

/// Where the user is in the conversation, however much grows above or below.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Place {
    /// At the end, also when more comes.
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

impl Span {
    /// Whether so much of `wanted` is missing here that it has to be drawn. What is drawn
    /// reaches far beyond what is in sight, so rows follow in steps and not in pixels.
    #[must_use]
    pub fn lacks(&self, wanted: &Self) -> bool {
        let far = OVERSCAN / 3.0;
        (wanted.above - self.above).abs() > far
            || (wanted.below - self.below).abs() > far
            || (wanted.first == 0) != (self.first == 0)
    }
}

/// How far a place is from the top, in CSS pixels. A place whose row is gone is the end.
#[must_use]
pub fn top_of(place: Place, rows: &Rows, in_sight: f64) -> f64 {
    let top = match place {
        Place::End => None,
        Place::At { key, offset } => rows
            .iter()
            .rposition(|row| row.shown.key == key)
            .map(|index| height_of(rows, index) - offset),
    };
    top.unwrap_or(rows.total() - in_sight).max(0.0)
}

/// The height of so many rows from the first on.
fn height_of(rows: &Rows, count: usize) -> f64 {
    rows[..count].iter().map(|row| row.height).sum()
}

/// The rows to draw when `in_sight` pixels are seen from `top` on. Counted from the end,
/// where users are most of the time.
#[must_use]
pub fn span(rows: &Rows, top: f64, in_sight: f64) -> Span {
    let (from, to) = (top - OVERSCAN, top + in_sight + OVERSCAN);
    let (mut end, mut bottom) = (rows.len(), rows.total());
    while end > 0 && bottom - rows[end - 1].height >= to {
        end -= 1;
        bottom -= rows[end].height;
    }
    let (mut first, mut above) = (end, bottom);
    // Beyond the end (rows went away): draw the last one.
    while first > 0 && (above > from || first == end) {
        first -= 1;
        above -= rows[first].height;
    }
    Span {
        first,
        end,
        // A sum of fractions may leave a trace of itself.
        above: if first == 0 { 0.0 } else { above },
        below: if end == rows.len() {
            0.0
        } else {
            rows.total() - bottom
        },
    }
}

/// The place at `top` pixels, from heights alone: for a jump to where nothing is drawn.
#[must_use]
pub fn place_at(top: f64, rows: &Rows) -> Place {
    let mut at = 0.0;
    for row in rows.iter() {
        if at + row.height > top && row.shown.key.stays() {
            return Place::At {
                key: row.shown.key,
                offset: at - top,
            };
        }
        at += row.height;
    }
    Place::End
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::rows::samples::{message, rows};
    use p2pchat_model::{Line, MessageId};

    /// Rows of 40 pixels each: one for the day, and one for each message.
    fn conversation(ids: std::ops::Range<u64>) -> Rows {
        let lines: Vec<Line> = ids
            .map(|id| Line::from(message(id, id * 1000, "bob", false)))
            .collect();
        let mut rows = rows(&lines, None);
        for index in 0..rows.len() {
            rows.measure(index, 40.0);
        }
        rows
    }

    #[test]
    fn of_ten_thousand_rows_a_few_dozen_are_drawn_and_nothing_is_lost() {
        let rows = conversation(0..9_999);
        for top in [0.0, 1.0, 12_345.0, 200_000.0, 399_200.0] {
            let span = span(&rows, top, 800.0);
            let drawn = span.end - span.first;
            assert!((20..80).contains(&drawn), "{drawn} at {top}");
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let total = span.above + span.below + 40.0 * drawn as f64;
            assert!((total - 400_000.0).abs() < 0.001);
            assert!(span.above <= top && span.above + 40.0 * 80.0 >= top);
        }
    }

    #[test]
    fn the_end_is_drawn_at_the_end() {
        let rows = conversation(1..1000);
        let top = top_of(Place::End, &rows, 800.0);
        assert_eq!(span(&rows, top, 800.0).end, rows.len());
    }

    #[test]
    fn a_place_stays_when_history_comes_before_it() {
        let place = place_at(4_010.0, &conversation(500..1000));
        let later = conversation(300..1000);
        let top = top_of(place, &later, 800.0);
        assert!((top - (4_010.0 + 200.0 * 40.0)).abs() < 0.001);
        let expected = Key::Message(MessageId::new(599));
        assert!(
            matches!(place, Place::At { key, .. } if key == expected),
            "{place:?}"
        );
    }

    #[test]
    fn a_place_at_the_top_is_not_the_day_which_older_messages_move() {
        let place = place_at(0.0, &conversation(500..600));
        let top = top_of(place, &conversation(400..600), 800.0);
        assert!((top - 100.0 * 40.0).abs() < 0.001, "{place:?}");
    }

    #[test]
    fn rows_that_went_away_leave_something_to_draw() {
        let span = span(&conversation(1..3), 100_000.0, 800.0);
        assert_eq!((span.first, span.end), (2, 3));
        assert_eq!(
            super::span(&conversation(0..0), 0.0, 800.0),
            Span::default()
        );
    }

    #[test]
    fn a_few_rows_beyond_what_is_in_sight_cause_no_render() {
        let rows = conversation(0..9_999);
        let drawn = span(&rows, 200_000.0, 800.0);
        assert!(!drawn.lacks(&span(&rows, 200_200.0, 800.0)));
        assert!(drawn.lacks(&span(&rows, 200_400.0, 800.0)));
    }
}
