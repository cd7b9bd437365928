//! The random source: one seeded generator a run, so that a seed is a run.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The only random source in a run.
pub(crate) struct Rng(ChaCha8Rng);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// True with this probability.
    pub(crate) fn hits(&mut self, probability: f64) -> bool {
        // No draw for what cannot happen: switching one fault off leaves the rest of the
        // run as it was for as long as that fault does not come.
        probability > 0.0 && self.0.random_bool(probability.min(1.0))
    }

    /// From `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap();
        Duration::from_micros(self.0.random_range(micros(least)..=micros(most)))
    }

    /// From `least` to `most` seconds.
    pub(crate) fn secs(&mut self, least: u64, most: u64) -> Duration {
        self.between(Duration::from_secs(least), Duration::from_secs(most))
    }

    /// A number from 0 to `end - 1`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    /// A number from `least` to `most`, both included.
    pub(crate) fn number(&mut self, least: u64, most: u64) -> u64 {
        self.0.random_range(least..=most)
    }

    /// One of these, if there are any.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() {
            None
        } else {
            Some(from[self.below(from.len())])
        }
    }
}
