//! Moments in the words of the user's own clock.

use std::cell::Cell;

use p2pchat_model::Timestamp;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Offsets change at whole quarters of an hour only, in every zone that there is.
const QUARTER: u64 = 15 * 60_000;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// A day of the user's calendar: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDay(pub i64);

/// The user's time zone: asks for the offset, and remembers the last one, because asking the
/// browser ten thousand times takes longer than drawing the page. Lines follow each other in
/// time.
#[derive(Clone)]
pub struct Zone {
    offset: fn(Timestamp) -> i32,
    known: Cell<Option<(u64, i32)>>,
}

impl Zone {
    /// A zone whose minutes east of Greenwich, at a moment, are what `offset` says.
    #[must_use]
    pub fn new(offset: fn(Timestamp) -> i32) -> Self {
        Self {
            offset,
            known: Cell::default(),
        }
    }

    fn local(&self, at: Timestamp) -> i64 {
        let quarter = at.0 / QUARTER;
        let offset = match self.known.get() {
            Some((known, offset)) if known == quarter => offset,
            _ => (self.offset)(at),
        };
        self.known.set(Some((quarter, offset)));
        i64::try_from(at.0).unwrap_or(i64::MAX / 2) + i64::from(offset) * MINUTE
    }

    /// The day on the user's calendar.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> LocalDay {
        LocalDay(self.local(at).div_euclid(DAY))
    }

    /// Hours and minutes on the user's clock: `14:03`.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        let minutes = self.local(at).rem_euclid(DAY) / MINUTE;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl LocalDay {
    /// Year, month (1 to 12) and day of the month, by the rules of the Gregorian calendar
    /// counted in eras of 400 years that begin in March.
    #[must_use]
    pub fn date(self) -> (i64, usize, i64) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = (from_march + 2) % 12 + 1;
        let year = year + era * 400 + i64::from(month <= 2);
        (year, usize::try_from(month).unwrap_or(1), day)
    }

    /// The day as people say it: `Today`, `Yesterday`, `Monday, 16 November`, and with the
    /// year if it is another one.
    #[must_use]
    pub fn words(self, today: Self) -> String {
        match today.0 - self.0 {
            0 => return "Today".to_owned(),
            1 => return "Yesterday".to_owned(),
            _ => {}
        }
        let (year, month, day) = self.date();
        let weekday = WEEKDAYS[usize::try_from((self.0 + 3).rem_euclid(7)).unwrap_or(0)];
        let month = MONTHS[month - 1];
        match year == today.date().0 {
            true => format!("{weekday}, {day} {month}"),
            false => format!("{weekday}, {day} {month} {year}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sunday, 22 November 2026, 16:40 UTC.
    const MOMENT: Timestamp = Timestamp(1_795_365_600_000);

    #[test]
    fn a_moment_has_the_day_and_time_of_the_zone() {
        let utc = Zone::new(|_| 0);
        assert_eq!(utc.time(MOMENT), "16:40");
        assert_eq!(utc.day(MOMENT).date(), (2026, 11, 22));
        let far_east = Zone::new(|_| 14 * 60);
        assert_eq!(far_east.time(MOMENT), "06:40");
        assert_eq!(far_east.day(MOMENT).date(), (2026, 11, 23));
    }

    #[test]
    fn days_are_named_as_people_name_them() {
        let today = Zone::new(|_| 0).day(MOMENT);
        assert_eq!(today.words(today), "Today");
        assert_eq!(LocalDay(today.0 - 1).words(today), "Yesterday");
        assert_eq!(LocalDay(today.0 - 6).words(today), "Monday, 16 November");
        assert_eq!(
            LocalDay(today.0 - 365).words(today),
            "Saturday, 22 November 2025"
        );
        assert_eq!(LocalDay(today.0 + 1).words(today), "Monday, 23 November");
    }

    #[test]
    fn the_calendar_knows_leap_days() {
        assert_eq!(LocalDay(0).date(), (1970, 1, 1));
        assert_eq!(LocalDay(11_016).date(), (2000, 2, 29));
        assert_eq!(LocalDay(19_782).date(), (2024, 2, 29));
        assert_eq!(LocalDay(19_783).date(), (2024, 3, 1));
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
