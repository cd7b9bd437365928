//! The rows of a conversation: its lines, grouped by sender, with a row for each day and
//! one where the new messages begin.

use std::collections::HashMap;
use std::fmt;

use p2pchat_model::{Line, Message, MessageId, Timestamp};

use super::clock::{LocalDay, Zone};

/// Messages of one sender that are further apart than this, in milliseconds, stand apart.
pub const GROUP_GAP: u64 = 5 * 60_000;

/// What a row is, whatever becomes of the rows around it.
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

/// A short text, for the page to find the row by.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(id) => write!(f, "m{}", id.0),
            Self::Notice(at, nth) => write!(f, "n{}-{nth}", at.0),
            Self::Day(day, nth) => write!(f, "d{}-{nth}", day.0),
            Self::New => f.write_str("new"),
        }
    }
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub key: Key,
    /// What is in it.
    pub kind: RowKind,
}

/// What is in a row. Indices are those of the view's lines.
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

/// The rows of these lines, with the mark for new messages before `mark`.
#[must_use]
pub fn rows(lines: &[Line], mark: Option<MessageId>, zone: &Zone) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::with_capacity(lines.len() + lines.len() / 8 + 2);
    let mut day = None;
    let mut nth = 0;
    let mut begun: HashMap<LocalDay, u32> = HashMap::new();
    let mut marked = false;
    for (index, line) in lines.iter().enumerate() {
        let today = zone.day(line.at());
        if day != Some(today) {
            day = Some(today);
            let times = begun.entry(today).or_default();
            *times += 1;
            rows.push(Row {
                key: Key::Day(today, *times),
                kind: RowKind::Day(today),
            });
        }
        match line {
            Line::Notice { at, .. } => {
                let repeats = index > 0
                    && matches!(&lines[index - 1], Line::Notice { at: before, .. } if before == at);
                nth = if repeats { nth + 1 } else { 0 };
                rows.push(Row {
                    key: Key::Notice(*at, nth),
                    kind: RowKind::Notice { index },
                });
            }
            Line::Message(message) => {
                if !marked && mark == Some(message.id) {
                    marked = true;
                    rows.push(Row {
                        key: Key::New,
                        kind: RowKind::New,
                    });
                }
                push_message(&mut rows, lines, index, message);
            }
        }
    }
    rows
}

fn push_message(rows: &mut Vec<Row>, lines: &[Line], index: usize, message: &Message) {
    let mut first = true;
    if let Some(Row {
        kind:
            RowKind::Message {
                index: before,
                last,
                ..
            },
        ..
    }) = rows.last_mut()
        && let Line::Message(before) = &lines[*before]
        && belong_together(before, message)
    {
        first = false;
        *last = false;
    }
    rows.push(Row {
        key: Key::Message(message.id),
        kind: RowKind::Message {
            index,
            first,
            last: true,
        },
    });
}

fn belong_together(before: &Message, message: &Message) -> bool {
    before.is_own() == message.is_own()
        && (message.is_own() || before.from == message.from)
        && message.at.0.saturating_sub(before.at.0) < GROUP_GAP
}

/// Lines to test with.
#[cfg(test)]
pub(crate) mod samples {
    use p2pchat_model::{Level, Line, Message, MessageId, NameCheck, Speaker, Timestamp};

    pub(crate) fn message(id: u64, at: u64, name: &str, own: bool) -> Message {
        Message {
            id: MessageId(id),
            at: Timestamp(at),
            from: Speaker {
                name: name.parse().unwrap(),
                address: "127.0.0.2".parse().unwrap(),
                check: NameCheck::Confirmed,
            },
            text: "text".to_owned(),
            deliveries: own.then(Vec::new),
        }
    }

    pub(crate) fn notice(at: u64) -> Line {
        Line::Notice {
            at: Timestamp(at),
            level: Level::Info,
            text: "notice".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{message, notice};
    use super::*;

    fn utc() -> Zone {
        Zone::new(|_| 0)
    }

    fn groups(lines: &[Line]) -> Vec<(bool, bool)> {
        rows(lines, None, &utc())
            .iter()
            .filter_map(|row| match row.kind {
                RowKind::Message { first, last, .. } => Some((first, last)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn messages_of_one_sender_stand_together() {
        let lines = [
            Line::Message(message(1, 1000, "bob", false)),
            Line::Message(message(2, 2000, "bob", false)),
            Line::Message(message(3, 3000, "carol", false)),
            Line::Message(message(4, 4000, "me", true)),
            Line::Message(message(5, 5000, "me", true)),
        ];
        let expected = [
            (true, false),
            (false, true),
            (true, true),
            (true, false),
            (false, true),
        ];
        assert_eq!(groups(&lines), expected);
    }

    #[test]
    fn a_pause_a_notice_and_the_mark_end_a_group() {
        let late = 2000 + GROUP_GAP;
        let lines = [
            Line::Message(message(1, 1000, "bob", false)),
            Line::Message(message(2, late, "bob", false)),
            notice(late),
            Line::Message(message(3, late + 1, "bob", false)),
        ];
        assert_eq!(groups(&lines), [(true, true); 3]);
        let together = [
            Line::Message(message(1, 1000, "bob", false)),
            Line::Message(message(2, 2000, "bob", false)),
        ];
        let marked = rows(&together, Some(MessageId(2)), &utc());
        assert_eq!(marked[2].key, Key::New);
        assert_eq!(
            marked[3].kind,
            RowKind::Message {
                index: 1,
                first: true,
                last: true
            }
        );
    }

    #[test]
    fn each_day_begins_with_a_row() {
        let day = 24 * 60 * 60_000;
        let lines = [
            Line::Message(message(1, day - 1, "bob", false)),
            Line::Message(message(2, day, "bob", false)),
            notice(day + 5),
        ];
        let days: Vec<Key> = rows(&lines, None, &utc())
            .iter()
            .map(|row| row.key)
            .filter(|key| matches!(key, Key::Day(..)))
            .collect();
        assert_eq!(days, [Key::Day(LocalDay(0), 1), Key::Day(LocalDay(1), 1)]);
    }

    #[test]
    fn every_row_has_a_key_of_its_own() {
        let lines = [
            notice(5),
            notice(5),
            Line::Message(message(1, 6, "bob", false)),
            notice(7),
        ];
        let rows = rows(&lines, Some(MessageId(1)), &utc());
        let keys: std::collections::HashSet<String> =
            rows.iter().map(|row| row.key.to_string()).collect();
        assert_eq!(keys.len(), rows.len());
        assert_eq!(rows.len(), 6);
    }

    #[test]
    fn a_row_keeps_its_key_when_history_comes_before_it() {
        let day = 24 * 60 * 60_000;
        let all = [
            Line::Message(message(1, day / 2, "bob", false)),
            Line::Message(message(2, day, "bob", false)),
            Line::Message(message(3, 3 * day, "bob", false)),
            notice(3 * day),
        ];
        let keys = |lines: &[Line]| -> Vec<Key> {
            rows(lines, None, &utc())
                .iter()
                .map(|row| row.key)
                .collect()
        };
        assert!(keys(&all).ends_with(&keys(&all[1..])));
    }

    #[test]
    fn ten_thousand_lines_take_no_noticeable_time() {
        let lines: Vec<Line> = (0..10_000)
            .map(|id| Line::Message(message(id, id * 60_000, "bob", false)))
            .collect();
        let zone = utc();
        let began = std::time::Instant::now();
        assert!(rows(&lines, None, &zone).len() > 10_000);
        assert!(began.elapsed().as_millis() < 1000, "{:?}", began.elapsed());
    }
}
