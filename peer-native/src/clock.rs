//! The clock on the wall, and moments in the user's own time zone.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use jiff::{Zoned, civil};
use p2pchat_model::Timestamp;

/// Tells the time and writes moments as people read them.
#[derive(Debug, Clone)]
pub struct Clock {
    zone: TimeZone,
}

impl Clock {
    /// In the user's time zone; UTC if the system does not tell.
    #[must_use]
    pub fn system() -> Self {
        Self {
            zone: TimeZone::try_system().unwrap_or(TimeZone::UTC),
        }
    }

    /// In UTC: the same on every machine, for tests.
    #[must_use]
    pub fn utc() -> Self {
        Self {
            zone: TimeZone::UTC,
        }
    }

    /// The present moment.
    #[must_use]
    pub fn now() -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        Timestamp(u64::try_from(millis).unwrap_or(u64::MAX))
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

    /// The day, to tell one from another.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> civil::Date {
        self.zoned(at).date()
    }

    fn zoned(&self, at: Timestamp) -> Zoned {
        let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
        // Beyond the year 9999 any moment will do.
        let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
        moment.to_zoned(self.zone.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_for_people() {
        let clock = Clock::utc();
        let at = Timestamp(1_795_364_580_000);
        assert_eq!(clock.date_and_time(at), "2026-11-22 16:23");
        assert_eq!(clock.time(at), "16:23");
        assert_eq!(clock.day_name(at), "Sunday, 22 November 2026");
    }

    #[test]
    fn no_moment_is_too_far_away() {
        assert!(!Clock::utc().time(Timestamp(u64::MAX)).is_empty());
    }
}
