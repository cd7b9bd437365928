//! Which day a moment belongs to, on the user's calendar.

use std::cell::Cell;

use p2pchat_model::Timestamp;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Offsets change only at whole quarters of an hour, in every time zone.
const QUARTER: u64 = 15 * 60_000;

/// A day of the user's calendar: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDay(pub i64);

/// The user's time zone. It remembers the last offset, because asking the browser ten
/// thousand times takes longer than drawing the page; lines follow each other in time.
#[derive(Clone)]
pub struct Zone {
    offset: fn(Timestamp) -> i32,
    known: Cell<Option<(u64, i32)>>,
}

impl Zone {
    /// A zone in which `offset` is the minutes east of Greenwich at a moment.
    #[must_use]
    pub fn new(offset: fn(Timestamp) -> i32) -> Self {
        Self {
            offset,
            known: Cell::default(),
        }
    }

    /// The day on the user's calendar.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> LocalDay {
        let quarter = at.0 / QUARTER;
        let offset = match self.known.get() {
            Some((known, offset)) if known == quarter => offset,
            _ => (self.offset)(at),
        };
        self.known.set(Some((quarter, offset)));
        let local = i64::try_from(at.0).unwrap_or(i64::MAX / 2) + i64::from(offset) * MINUTE;
        LocalDay(local.div_euclid(DAY))
    }
}

impl LocalDay {
    /// `Today` or `Yesterday`, for the days that have such a name.
    #[must_use]
    pub fn name(self, today: Self) -> Option<&'static str> {
        match today.0 - self.0 {
            0 => Some("Today"),
            1 => Some("Yesterday"),
            _ => None,
        }
    }

    /// The moment at which this day begins in Greenwich, in milliseconds since 1970.
    #[must_use]
    pub fn utc_start(self) -> i64 {
        self.0 * DAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sunday, 22 November 2026, 16:40 UTC.
    const MOMENT: Timestamp = Timestamp(1_795_365_600_000);

    #[test]
    fn a_moment_belongs_to_the_day_of_the_zone() {
        let day = Zone::new(|_| 0).day(MOMENT);
        assert_eq!(day, LocalDay(20_779));
        assert_eq!(day.utc_start(), 1_795_305_600_000);
        assert_eq!(Zone::new(|_| 14 * 60).day(MOMENT), LocalDay(20_780));
        assert_eq!(Zone::new(|_| 7 * 60 + 19).day(MOMENT), day);
        assert_eq!(Zone::new(|_| 7 * 60 + 20).day(MOMENT), LocalDay(20_780));
        assert_eq!(Zone::new(|_| -60).day(Timestamp(1)), LocalDay(-1));
    }

    #[test]
    fn today_and_yesterday_have_names() {
        let today = Zone::new(|_| 0).day(MOMENT);
        assert_eq!(today.name(today), Some("Today"));
        assert_eq!(LocalDay(today.0 - 1).name(today), Some("Yesterday"));
        assert_eq!(LocalDay(today.0 - 2).name(today), None);
        assert_eq!(LocalDay(today.0 + 1).name(today), None);
    }

    #[test]
    fn an_offset_is_asked_for_once_a_quarter_of_an_hour() {
        use std::sync::atomic::{AtomicU32, Ordering};
        static ASKED: AtomicU32 = AtomicU32::new(0);
        let zone = Zone::new(|_| i32::try_from(ASKED.fetch_add(1, Ordering::Relaxed)).unwrap());
        for second in 0..600 {
            let _ = zone.day(Timestamp(MOMENT.0 - MOMENT.0 % QUARTER + second * 1000));
        }
        assert_eq!(ASKED.load(Ordering::Relaxed), 1);
    }
}
