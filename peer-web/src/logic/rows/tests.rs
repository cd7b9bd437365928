//! Groups, days, the mark, and that lines one by one give the same rows as all at once.

use super::samples::{message, notice, rows};
use super::*;

const DAY: u64 = 24 * 60 * 60_000;

fn said(id: u64, at: u64, name: &str) -> Line {
    Line::from(message(id, at, name, false))
}

fn own(id: u64, at: u64) -> Line {
    Line::from(message(id, at, "me", true))
}

fn groups(lines: &[Line]) -> Vec<(bool, bool)> {
    rows(lines, None)
        .iter()
        .filter_map(|row| match row.shown.kind {
            RowKind::Message { first, last, .. } => Some((first, last)),
            _ => None,
        })
        .collect()
}

fn keys(rows: &Rows) -> Vec<Key> {
    rows.iter().map(|row| row.shown.key).collect()
}

#[test]
fn messages_of_one_sender_stand_together() {
    let lines = [
        said(1, 1000, "bob"),
        said(2, 2000, "bob"),
        said(3, 3000, "carol"),
        own(4, 4000),
        own(5, 5000),
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
        said(1, 1000, "bob"),
        said(2, late, "bob"),
        notice(late),
        said(3, late + 1, "bob"),
    ];
    assert_eq!(groups(&lines), [(true, true); 3]);
    let together = [said(1, 1000, "bob"), said(2, 2000, "bob")];
    let marked = rows(&together, Some(MessageId::new(2)));
    assert_eq!(marked[2].shown.key, Key::New);
    let alone = RowKind::Message {
        index: 1,
        first: true,
        last: true,
    };
    assert_eq!(marked[3].shown.kind, alone);
}

#[test]
fn each_day_begins_with_a_row() {
    let lines = [
        said(1, DAY - 1, "bob"),
        said(2, DAY, "bob"),
        notice(DAY + 5),
    ];
    let mut days = keys(&rows(&lines, None));
    days.retain(|key| matches!(key, Key::Day(..)));
    assert_eq!(days, [Key::Day(LocalDay(0), 1), Key::Day(LocalDay(1), 1)]);
}

#[test]
fn every_row_has_a_key_of_its_own() {
    let lines = [
        notice(5),
        notice(5),
        said(1, 5, "bob"),
        notice(5),
        said(2, 6, "bob"),
        notice(7),
    ];
    let rows = rows(&lines, Some(MessageId::new(2)));
    let keys: std::collections::HashSet<String> =
        keys(&rows).iter().map(ToString::to_string).collect();
    assert_eq!(keys.len(), rows.len());
    assert_eq!(rows.len(), 8);
}

#[test]
fn a_row_keeps_its_key_when_history_comes_before_it() {
    let all = [
        said(1, DAY / 2, "bob"),
        said(2, DAY, "bob"),
        said(3, 3 * DAY, "bob"),
        notice(3 * DAY),
    ];
    let later = keys(&rows(&all[1..], None));
    assert!(keys(&rows(&all, None)).ends_with(&later));
}

/// A conversation of several days, people and pauses, with notices.
fn long(count: u64) -> Vec<Line> {
    (0..count)
        .map(|id| match id % 11 {
            0 => notice(id * 40_000),
            1 => notice((id - 1) * 40_000),
            2..=5 => own(id, id * 40_000),
            n => said(id, id * 40_000 + n * GROUP_GAP / 7, "bob"),
        })
        .collect()
}

#[test]
fn line_by_line_makes_the_same_rows_as_all_at_once() {
    let lines = long(5000);
    let mark = Some(MessageId::new(4505));
    let mut grown = rows(&[], None);
    grown.mark(&[], mark);
    for count in 1..=lines.len() {
        grown.grow(&lines[..count]);
    }
    let at_once = rows(&lines, mark);
    assert!(*grown == *at_once);
    assert!((grown.total() - at_once.total()).abs() < 0.001);
    assert!(grown.iter().any(|row| row.shown.key == Key::New));
    grown.mark(&lines, None);
    assert!(*grown == *rows(&lines, None));
}

#[test]
fn a_mark_that_goes_away_leaves_one_group() {
    let lines = [said(1, 1000, "bob"), said(2, 2000, "bob")];
    let mut marked = rows(&lines, Some(MessageId::new(2)));
    marked.mark(&lines, None);
    assert!(*marked == *rows(&lines, None));
    assert_eq!(marked.len(), 3);
}

#[test]
fn a_message_that_changed_is_told_from_what_it_was() {
    let lines = [own(1, 1000), own(2, 2000)];
    let mut rows = rows(&lines, None);
    let before = [rows[1].shown, rows[2].shown];
    rows.change(MessageId::new(2));
    assert_eq!(rows[1].shown, before[0]);
    assert_ne!(rows[2].shown, before[1]);
    let changed = rows[2].shown;
    rows.rebuild(&lines, None);
    assert_eq!(rows[2].shown, changed);
}

#[test]
fn what_was_measured_is_kept_unless_the_width_is_another() {
    let lines = [said(2, 1000, "bob"), said(3, 2000, "bob")];
    let mut known = rows(&lines, None);
    known.set_width(700.0, &lines);
    known.measure(2, 333.0);
    let earlier = [said(1, 500, "carol"), lines[0].clone(), lines[1].clone()];
    known.rebuild(&earlier, None);
    assert!(known[3].measured && (known[3].height - 333.0).abs() < 0.001);
    let total: f64 = known.iter().map(|row| row.height).sum();
    assert!((known.total() - total).abs() < 0.001);
    known.set_width(360.0, &earlier);
    assert!(!known[3].measured && known[3].height < 100.0);
}

#[test]
fn ten_thousand_lines_take_no_noticeable_time() {
    let lines = long(10_000);
    let began = std::time::Instant::now();
    assert!(rows(&lines, None).len() > 10_000);
    assert!(began.elapsed().as_millis() < 1000, "{:?}", began.elapsed());
}
