//! Random schedules: when each kind of event is due.

use std::time::{Duration, Instant};

use rand::Rng;
use rand::RngExt;

/// Events at random distances, between none and twice the mean: however short a run is, what is to
/// come a few times in it does come.
#[derive(Debug)]
pub(super) struct Schedule {
    mean: Duration,
    next: Option<Instant>,
}

impl Schedule {
    /// An event that happens to each of `count` once in `time` on average. Never if there are
    /// none.
    pub(super) fn for_each(count: usize, time: Duration) -> Self {
        let mean = match count {
            0 => Duration::MAX,
            _ => time.div_f64(count as f64),
        };
        Self { mean, next: None }
    }

    /// The same events, `factor` times as often.
    pub(super) fn faster(mut self, factor: f64) -> Self {
        if self.mean != Duration::MAX {
            self.mean = self.mean.div_f64(factor);
        }
        self
    }

    /// Whether an event is due; to be polled.
    pub(super) fn is_due(&mut self, now: Instant, random: &mut impl Rng) -> bool {
        if self.mean == Duration::MAX {
            return false;
        }
        // The first moment is drawn like all others.
        let due = self.next.is_some_and(|next| next <= now);
        if due || self.next.is_none() {
            let wait = self.mean.mul_f64(random.random_range(0.0..2.0));
            self.next = Some(self.next.unwrap_or(now) + wait);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn it_comes_as_often_as_it_is_to() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut clock = Schedule::for_each(10, Duration::from_secs(100)).faster(2.0);
        let start = Instant::now();
        let times = (0..100_000)
            .filter(|tick| clock.is_due(start + Duration::from_millis(100) * *tick, &mut random));
        let times = times.count();
        assert!((1900..2100).contains(&times), "{times} times in 10,000 s");
        assert!(!Schedule::for_each(0, Duration::ZERO).is_due(start, &mut random));
    }
}
