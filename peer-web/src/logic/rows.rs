//! The rows of a conversation: its lines, grouped by sender, with a row for each day and
//! one where the new messages begin.

use std::fmt;
use std::ops::Deref;

use p2pchat_model::{Line, MessageId, Post, Timestamp};

use super::clock::{LocalDay, Zone};
use super::said::{Said, said};

/// Messages of one sender that are further apart than this, in milliseconds, are two groups.
pub const GROUP_GAP: u64 = 5 * 60_000;

/// The identity of a row, which stays when rows come or go around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A message.
    Message(MessageId),
    /// The `nth` notice of this moment.
    Notice(Timestamp, u32),
    /// The beginning of a day; a clock set back can make a day begin twice.
    Day(LocalDay, u32),
    /// Where the new messages begin.
    New,
}

impl Key {
    /// Whether the row stays where it is among the others: a day begins earlier once older
    /// messages of it are loaded, and the mark for new messages goes away.
    #[must_use]
    pub fn stays(self) -> bool {
        matches!(self, Self::Message(_) | Self::Notice(..))
    }
}

/// A short text, for the `key` of the row's component.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(id) => write!(f, "m{id}"),
            Self::Notice(at, nth) => write!(f, "n{}-{nth}", at.0),
            Self::Day(day, nth) => write!(f, "d{}-{nth}", day.0),
            Self::New => f.write_str("new"),
        }
    }
}

/// The content of a row. Indices are those of the view's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// A day begins.
    Day(LocalDay),
    /// New messages begin.
    New,
    /// A message, and whether it begins and ends its sender's group.
    Message {
        /// Where in the lines.
        index: usize,
        /// It begins a group: the sender's name stands over it.
        first: bool,
        /// It ends a group.
        last: bool,
    },
    /// A notice.
    Notice {
        /// Where in the lines.
        index: usize,
    },
}

/// What a row shows. As long as it is equal, the row looks the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The identity of the row.
    pub key: Key,
    /// Its content.
    pub kind: RowKind,
    /// Changes with each change of its line.
    pub version: u32,
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// What it shows.
    pub shown: Shown,
    /// How high it is, in CSS pixels.
    pub height: f64,
    /// Whether that was measured, or is an estimate.
    pub measured: bool,
}

/// The rows of the lines of one view, and how high each is: measured where it has been
/// drawn, estimated elsewhere. A new line costs the same however many there are.
pub struct Rows {
    zone: Zone,
    rows: Vec<Row>,
    mark: Option<MessageId>,
    /// The days that have begun, some of them more than once.
    begun: Vec<LocalDay>,
    total: f64,
    width: f64,
}

impl Rows {
    /// No rows, in this time zone.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        Self {
            zone,
            rows: Vec::new(),
            mark: None,
            begun: Vec::new(),
            total: 0.0,
            width: 0.0,
        }
    }

    /// The time zone in which days begin.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Builds the rows of these lines again, with the mark for new messages before `mark`.
    /// What was measured is kept.
    pub fn rebuild(&mut self, lines: &[Line], mark: Option<MessageId>) {
        let mut before = std::mem::take(&mut self.rows);
        self.begun.clear();
        self.total = 0.0;
        self.mark = mark;
        for index in 0..lines.len() {
            self.push(lines, index);
        }
        // Both are in the same order, and what is new is mostly at the one end or the other:
        // from the end on, each is found where the search for the one after it stopped.
        for index in (0..self.rows.len()).rev() {
            let key = self.rows[index].shown.key;
            let Some(at) = before.iter().rposition(|row| row.shown.key == key) else {
                continue;
            };
            let known = before[at];
            before.truncate(at);
            self.rows[index].shown.version = known.shown.version;
            if known.measured {
                self.measure(index, known.height);
            }
        }
    }

    /// Adds the row of a new line at the end.
    pub fn grow(&mut self, lines: &[Line]) {
        if let Some(last) = lines.len().checked_sub(1) {
            self.push(lines, last);
        }
    }

    /// The message before which the mark is.
    #[must_use]
    pub fn marked(&self) -> Option<MessageId> {
        self.mark
    }

    /// Moves the mark before another message, which is still to come, or removes it.
    pub fn mark(&mut self, lines: &[Line], mark: Option<MessageId>) {
        if self.mark == mark {
            return;
        }
        self.mark = mark;
        let marked = self.rows.iter().rposition(|row| row.shown.key == Key::New);
        if let Some(at) = marked {
            self.total -= self.rows.remove(at).height;
            self.join(lines, at);
        }
    }

    /// Records that a message has changed.
    pub fn change(&mut self, id: MessageId) {
        let key = Key::Message(id);
        if let Some(row) = self.rows.iter_mut().rfind(|row| row.shown.key == key) {
            row.shown.version = row.shown.version.wrapping_add(1);
        }
    }

    /// Records that these messages of encrypted conversations may look different now.
    pub fn change_where(&mut self, lines: &[Line], is_it: fn(&Post) -> bool) {
        for row in &mut self.rows {
            let line = row.shown.kind.line().map(|index| &lines[index]);
            if let Some(Line::Post(post)) = line
                && is_it(post)
            {
                row.shown.version = row.shown.version.wrapping_add(1);
            }
        }
    }

    fn push(&mut self, lines: &[Line], index: usize) {
        let line = &lines[index];
        let today = self.zone.day(line.at());
        let day_before = index.checked_sub(1).map(|before| lines[before].at());
        if day_before.map(|at| self.zone.day(at)) != Some(today) {
            self.begun.push(today);
            let times = self.begun.iter().filter(|day| **day == today).count();
            let key = Key::Day(today, u32::try_from(times).unwrap_or(u32::MAX));
            self.add(lines, key, RowKind::Day(today));
        }
        match line {
            Line::Notice { at, .. } => {
                let key = Key::Notice(*at, self.notices_at(lines, *at));
                self.add(lines, key, RowKind::Notice { index });
            }
            Line::Message(_) | Line::Post(_) => {
                let id = line.message_id().unwrap_or_default();
                if self.mark == Some(id) {
                    self.add(lines, Key::New, RowKind::New);
                }
                let (first, last) = (true, true);
                let kind = RowKind::Message { index, first, last };
                self.add(lines, Key::Message(id), kind);
                self.join(lines, self.rows.len() - 1);
            }
        }
    }

    fn add(&mut self, lines: &[Line], key: Key, kind: RowKind) {
        let height = estimate(self.width, kind, lines);
        self.total += height;
        let version = 0;
        self.rows.push(Row {
            shown: Shown { key, kind, version },
            height,
            measured: false,
        });
    }

    /// How many notices of this moment there are at the end.
    fn notices_at(&self, lines: &[Line], moment: Timestamp) -> u32 {
        let of_moment = self.rows.iter().rev().take_while(|row| {
            let line = row.shown.kind.line().map(|index| &lines[index]);
            line.is_none_or(|line| line.at() == moment)
        });
        let notices = of_moment.filter(|row| matches!(row.shown.key, Key::Notice(..)));
        u32::try_from(notices.count()).unwrap_or(u32::MAX)
    }

    /// Makes one group of a row and the one before, if they belong together.
    fn join(&mut self, lines: &[Line], at: usize) {
        let (before, row) = match self.rows.get_mut(..=at) {
            Some([.., before, row]) => (before, row),
            _ => return,
        };
        let (Some(earlier), Some(later)) = (
            message_of(lines, before.shown.kind),
            message_of(lines, row.shown.kind),
        ) else {
            return;
        };
        if !belong_together(&earlier, &later) {
            return;
        }
        if let RowKind::Message { last, .. } = &mut before.shown.kind {
            *last = false;
        }
        if let RowKind::Message { first, .. } = &mut row.shown.kind {
            *first = false;
        }
        // Without the name over it, the row is less high.
        self.estimate(lines, at);
    }

    /// The height of all rows, in CSS pixels.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.total
    }

    /// Records the width of the conversation, in CSS pixels. Another width makes other
    /// heights.
    pub fn set_width(&mut self, width: f64, lines: &[Line]) {
        if (width - self.width).abs() > 0.5 {
            self.width = width;
            for index in 0..self.rows.len() {
                self.estimate(lines, index);
            }
        }
    }

    /// Records the measured height of a row, in CSS pixels.
    pub fn measure(&mut self, index: usize, height: f64) {
        self.rows[index].measured = true;
        self.put(index, height);
    }

    /// Estimates the height of a row again.
    fn estimate(&mut self, lines: &[Line], index: usize) {
        self.rows[index].measured = false;
        let height = estimate(self.width, self.rows[index].shown.kind, lines);
        self.put(index, height);
    }

    fn put(&mut self, index: usize, height: f64) {
        self.total += height - self.rows[index].height;
        self.rows[index].height = height;
    }
}

/// All rows, the oldest first.
impl Deref for Rows {
    type Target = [Row];

    fn deref(&self) -> &[Row] {
        &self.rows
    }
}

impl RowKind {
    /// Where its line is in the lines, if it has one.
    #[must_use]
    pub fn line(self) -> Option<usize> {
        match self {
            Self::Day(_) | Self::New => None,
            Self::Message { index, .. } | Self::Notice { index } => Some(index),
        }
    }
}

fn message_of(lines: &[Line], kind: RowKind) -> Option<Said<'_>> {
    said(&lines[kind.line()?])
}

fn belong_together(before: &Said<'_>, message: &Said<'_>) -> bool {
    before.own == message.own
        && (message.own || before.who == message.who)
        && message.at.0.saturating_sub(before.at.0) < GROUP_GAP
}

/// The estimated height of a row that was not measured.
fn estimate(width: f64, kind: RowKind, lines: &[Line]) -> f64 {
    let (index, first) = match kind {
        RowKind::Day(_) | RowKind::New => return 48.0,
        RowKind::Notice { .. } => return 34.0,
        RowKind::Message { index, first, .. } => (index, first),
    };
    let bytes = said(&lines[index]).map_or(0, |said| said.text.len());
    let a_line = (width.min(760.0) / 9.0).max(20.0);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a text is short, and this an estimate"
    )]
    let drawn = (bytes as f64 / a_line).ceil().max(1.0);
    18.0 + 23.0 * drawn + if first { 34.0 } else { 0.0 }
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
