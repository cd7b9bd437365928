//! What one measurement gives, and two of them side by side.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;

/// How long each of the things took that a measurement did, to 0.1 %.
#[derive(Debug, Clone)]
pub struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        // At most a minute: what takes longer has failed before.
        let histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3);
        Self(histogram.expect("these bounds are within what a histogram takes"))
    }
}

impl Times {
    /// Takes one in.
    pub fn record(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanos);
    }

    /// Takes all of another in.
    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all have the same bounds");
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// What this share of them did not exceed.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(share))
    }
}

/// One measurement.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// How many a second.
    pub rate: f64,
    /// What half of them did not exceed, in seconds.
    pub p50: f64,
    /// What 95 of 100 did not exceed, in seconds.
    pub p95: f64,
    /// What 99 of 100 did not exceed, in seconds.
    pub p99: f64,
    /// What 999 of 1,000 did not exceed, in seconds.
    pub p999: f64,
}

impl Sample {
    /// Of what took so long, in `wall` in all.
    #[must_use]
    pub fn new(times: &Times, wall: Duration) -> Self {
        // Fewer than 2^52 of them: exact.
        let count = times.count() as f64;
        Self {
            rate: count / wall.as_secs_f64(),
            p50: times.quantile(0.5).as_secs_f64(),
            p95: times.quantile(0.95).as_secs_f64(),
            p99: times.quantile(0.99).as_secs_f64(),
            p999: times.quantile(0.999).as_secs_f64(),
        }
    }
}

/// Ours and the limit, each the median of its rounds.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// The built program.
    pub ours: Sample,
    /// What it is held against.
    pub limit: Sample,
}

/// Measures both in turn, A B A B, so that whatever else the machine does falls on both.
///
/// # Errors
/// If a measurement fails.
pub async fn side_by_side(
    rounds: usize,
    mut ours: impl AsyncFnMut() -> Result<Sample>,
    mut limit: impl AsyncFnMut() -> Result<Sample>,
) -> Result<Pair> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        a.push(ours().await?);
        b.push(limit().await?);
    }
    Ok(Pair {
        ours: medians(&a),
        limit: medians(&b),
    })
}

/// The median of each figure by itself.
#[must_use]
pub fn medians(samples: &[Sample]) -> Sample {
    let of = |figure: fn(&Sample) -> f64| median(samples.iter().map(figure).collect());
    Sample {
        rate: of(|sample| sample.rate),
        p50: of(|sample| sample.p50),
        p95: of(|sample| sample.p95),
        p99: of(|sample| sample.p99),
        p999: of(|sample| sample.p999),
    }
}

/// The middle one; 0 of none.
#[must_use]
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_what_so_many_did_not_exceed() {
        let mut times = Times::default();
        (1..=100).for_each(|n| times.record(Duration::from_micros(n)));
        let p99 = times.quantile(0.99).as_secs_f64();
        assert!((p99 / 99e-6 - 1.0).abs() < 0.002, "{p99}");
        let sample = Sample::new(&times, Duration::from_secs(2));
        assert!((sample.rate - 50.0).abs() < 1e-9);
    }

    #[tokio::test]
    async fn both_sides_take_turns_and_the_median_counts() {
        let mut order = String::new();
        let log = std::cell::RefCell::new(&mut order);
        let rates = std::cell::RefCell::new(vec![9.0, 1.0, 2.0].into_iter());
        let ours = async || {
            log.borrow_mut().push('a');
            let rate = rates.borrow_mut().next().unwrap();
            Ok(Sample {
                rate,
                ..Sample::default()
            })
        };
        let limit = async || {
            log.borrow_mut().push('b');
            Ok(Sample::default())
        };
        let pair = side_by_side(3, ours, limit).await.unwrap();
        assert!((pair.ours.rate - 2.0).abs() < 1e-9);
        assert_eq!(order, "ababab");
    }
}
