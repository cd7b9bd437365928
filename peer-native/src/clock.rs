//! Wall-clock time, and times in the user's time zone.

use jiff::tz::TimeZone;
use jiff::{Zoned, civil};
use p2pchat_model::Timestamp;

/// Formats times for a time zone.
#[derive(Debug, Clone)]
pub struct Clock {
    zone: TimeZone,
}

impl Clock {
    /// For the user's time zone; UTC if the system has none.
    #[must_use]
    pub fn system() -> Self {
        Self {
            zone: TimeZone::try_system().unwrap_or(TimeZone::UTC),
        }
    }

    /// For UTC: the same on every machine, for tests.
    #[must_use]
    pub fn utc() -> Self {
        Self {
            zone: TimeZone::UTC,
        }
    }

    /// The current time.
    #[must_use]
    pub fn now() -> Timestamp {
        let millis = jiff::Timestamp::now().as_millisecond();
        Timestamp(u64::try_from(millis).unwrap_or(0))
    }

    /// `16:23`.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%H:%M").to_string()
    }

    /// `2026-11-22 16:23`.
    #[must_use]
    pub fn date_and_time(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// `Sunday, 22 November 2026`.
    #[must_use]
    pub fn day_name(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%A, %-d %B %Y").to_string()
    }

    /// The day, to compare with another.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> civil::Date {
        self.zoned(at).date()
    }

    fn zoned(&self, at: Timestamp) -> Zoned {
        let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
        // Beyond the year 9999 any time will do.
        let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
        time.to_zoned(self.zone.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_formatted_for_people() {
        let clock = Clock::utc();
        let at = Timestamp(1_795_364_580_000);
        assert_eq!(clock.date_and_time(at), "2026-11-22 16:23");
        assert_eq!(clock.time(at), "16:23");
        assert_eq!(clock.day_name(at), "Sunday, 22 November 2026");
    }

    #[test]
    fn no_time_is_too_far_in_the_future() {
        assert!(!Clock::utc().time(Timestamp(u64::MAX)).is_empty());
    }
}
