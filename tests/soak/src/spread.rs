//! Many durations in a few figures.

use std::fmt;
use std::time::Duration;

/// How long something took, each time that it happened.
#[derive(Debug, Clone, Default)]
pub struct Spread {
    times: Vec<Duration>,
}

impl Spread {
    /// One more time.
    pub fn add(&mut self, time: Duration) {
        self.times.push(time);
    }

    /// All of them, in the order in which they were added.
    #[must_use]
    pub fn times(&self) -> &[Duration] {
        &self.times
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.times.len()
    }

    /// The time that so many of a hundred did not exceed. Zero if there is none.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        let rank = (times.len() * percent).div_ceil(100).max(1);
        times.get(rank - 1).copied().unwrap_or_default()
    }

    /// The longest. Zero if there is none.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.percentile(100)
    }
}

impl Extend<Duration> for Spread {
    fn extend<T: IntoIterator<Item = Duration>>(&mut self, times: T) {
        self.times.extend(times);
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [middle, high, most] = [50, 99, 100].map(|percent| self.percentile(percent));
        write!(
            f,
            "p50 {middle:.1?}, p99 {high:.1?}, max {most:.1?} ({} times)",
            self.count()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_taken() {
        let mut spread = Spread::default();
        assert_eq!(spread.percentile(50), Duration::ZERO);
        spread.extend((1..=200).rev().map(Duration::from_millis));
        assert_eq!(spread.percentile(50), Duration::from_millis(100));
        assert_eq!(spread.percentile(99), Duration::from_millis(198));
        assert_eq!(spread.max(), Duration::from_millis(200));
        assert_eq!(
            spread.to_string(),
            "p50 100.0ms, p99 198.0ms, max 200.0ms (200 times)"
        );
    }
}
