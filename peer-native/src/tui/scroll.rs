//! Scroll position in the conversation, as the distance from the end in lines, so that it
//! does not move when older lines come in above.

use std::collections::VecDeque;

use ratatui::text::Line as Row;

use super::conversation::Layout;

/// The last row of the conversation that is on the screen.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scroll {
    /// How many lines are below the last line that is shown.
    lines: usize,
    /// How many rows of that line are below the screen.
    rows: usize,
}

impl Scroll {
    /// Whether the newest row is shown.
    pub(super) fn is_at_end(self) -> bool {
        self == Self::default()
    }

    /// Keeps the position when a line was added at the end.
    pub(super) fn line_added(&mut self) {
        if !self.is_at_end() {
            self.lines += 1;
        }
    }

    /// The last line that is shown.
    pub(super) fn index(self, layout: &Layout<'_>) -> usize {
        let count = layout.lines.len();
        count.saturating_sub(1 + self.lines)
    }

    fn set(&mut self, layout: &Layout<'_>, index: usize, rows: usize) {
        self.lines = layout.lines.len().saturating_sub(1 + index);
        self.rows = rows;
    }

    /// Goes up by this many rows.
    pub(super) fn up(&mut self, layout: &Layout<'_>, mut count: usize) {
        let mut index = self.index(layout);
        let mut hidden = self.rows;
        loop {
            let shown = layout.block(index).len().saturating_sub(hidden);
            if count < shown {
                self.set(layout, index, hidden + count);
                return;
            }
            if index == 0 {
                self.set(layout, 0, hidden);
                return;
            }
            count -= shown;
            hidden = 0;
            index -= 1;
        }
    }

    /// Shows a line in the middle of a screen of this height.
    pub(super) fn show(&mut self, layout: &Layout<'_>, index: usize, height: usize) {
        self.set(layout, index, 0);
        self.down(layout, height / 2);
    }

    /// Scrolls as little as possible to show all of a line on a screen of this height.
    pub(super) fn reveal(&mut self, layout: &Layout<'_>, index: usize, height: usize) {
        let bottom = self.index(layout);
        let own = layout.block(index).len();
        // Of one that is taller than the screen, its beginning.
        let hidden = own.saturating_sub(height);
        if index >= bottom {
            self.set(layout, index, hidden);
            return;
        }
        let mut rows = layout.block(bottom).len().saturating_sub(self.rows);
        for between in (index..bottom).rev() {
            rows += layout.block(between).len();
            if rows > height {
                self.set(layout, index, hidden);
                self.down(layout, height.saturating_sub(own));
                return;
            }
        }
    }

    /// Goes down by this many rows.
    pub(super) fn down(&mut self, layout: &Layout<'_>, mut count: usize) {
        let mut index = self.index(layout);
        let mut hidden = self.rows;
        while count > hidden {
            count -= hidden;
            index += 1;
            if index >= layout.lines.len() {
                *self = Self::default();
                return;
            }
            hidden = layout.block(index).len();
        }
        self.set(layout, index, hidden - count);
    }

    /// The rows to show, at most `height`; scrolls down where there are too few above.
    pub(super) fn rows(&mut self, layout: &Layout<'_>, height: usize) -> Vec<Row<'static>> {
        if self.lines >= layout.lines.len() {
            *self = Self::default();
        }
        let mut out = VecDeque::new();
        let mut index = self.index(layout);
        let mut block = layout.block(index);
        self.rows = self.rows.min(block.len().saturating_sub(1));
        block.truncate(block.len() - self.rows);
        loop {
            for row in block.into_iter().rev() {
                if out.len() < height {
                    out.push_front(row);
                }
            }
            if out.len() >= height || index == 0 {
                break;
            }
            index -= 1;
            block = layout.block(index);
        }
        if out.len() < height && !self.is_at_end() {
            return self.first_page(layout, height);
        }
        if let Some(first) = out.pop_front() {
            out.push_front(layout.top_row(index, first));
        }
        out.into()
    }

    fn first_page(&mut self, layout: &Layout<'_>, height: usize) -> Vec<Row<'static>> {
        let mut out = Vec::new();
        for index in 0..layout.lines.len() {
            out.extend(layout.block(index));
            if out.len() >= height {
                self.set(layout, index, out.len() - height);
                out.truncate(height);
                return out;
            }
        }
        *self = Self::default();
        out
    }
}
