//! Many durations in a few figures.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// How long something took, each time that it happened: a histogram, to 0.1 %.
#[derive(Debug, Clone)]
pub struct Durations(Histogram<u64>);

impl Default for Durations {
    fn default() -> Self {
        // An hour in nanoseconds: what takes longer counts as that.
        let histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3);
        Self(histogram.expect("these bounds are within what a histogram takes"))
    }
}

impl Durations {
    /// Adds one time.
    pub fn add(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanos);
    }

    /// Adds all times of another.
    pub fn merge(&mut self, other: &Self) {
        let added = self.0.add(&other.0);
        added.expect("all have the same bounds");
    }

    /// How many times there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time that this part of a hundred did not exceed. Zero without times.
    #[must_use]
    pub fn percentile(&self, percent: u8) -> Duration {
        Duration::from_nanos(self.0.value_at_percentile(percent.into()))
    }

    /// The shortest time. Zero without times.
    #[must_use]
    pub fn min(&self) -> Duration {
        Duration::from_nanos(if self.0.is_empty() { 0 } else { self.0.min() })
    }

    /// The longest time. Zero without times.
    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.0.max())
    }
}

impl fmt::Display for Durations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [middle, high] = [50, 99].map(|percent| self.percentile(percent));
        let (max, count) = (self.max(), self.count());
        write!(
            f,
            "p50 {middle:.1?}, p99 {high:.1?}, max {max:.1?} ({count} times)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_so_many_did_not_exceed() {
        let mut spread = Durations::default();
        assert_eq!((spread.min(), spread.max()), Default::default());
        (1..=200).for_each(|n| spread.add(Duration::from_millis(n)));
        let near = |found: Duration, millis: u64| {
            let wanted = Duration::from_millis(millis);
            assert!(found.abs_diff(wanted) <= wanted / 1000, "{found:?}");
        };
        near(spread.percentile(50), 100);
        near(spread.percentile(99), 198);
        near(spread.min(), 1);
        near(spread.max(), 200);
        assert_eq!(spread.count(), 200);
    }
}
