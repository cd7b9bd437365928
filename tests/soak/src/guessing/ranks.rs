//! The rank test of Mann and Whitney: whether one kind of thing takes longer than another,
//! whatever the shape of their times.

use std::time::Duration;

/// What the test says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test {
    /// Of all pairs of one time of each kind, the share in which the first is the longer
    /// one; pairs of equals count half. 0.5 if the kinds are alike.
    pub(super) share: f64,
    /// How often chance alone would bring about such a share or one further from 0.5.
    pub(super) p: f64,
}

/// Compares two kinds, by the normal approximation with its corrections for ties and for
/// continuity: good for 20 of each and more.
pub(super) fn mann_whitney(first: &[Duration], second: &[Duration]) -> Test {
    let mut all: Vec<(Duration, bool)> = first.iter().map(|&time| (time, true)).collect();
    all.extend(second.iter().map(|&time| (time, false)));
    all.sort_unstable();
    let (mut ranks, mut ties, mut before) = (0.0, 0.0, 0);
    for equals in all.chunk_by(|a, b| a.0 == b.0) {
        let size = count(equals.len());
        let rank = count(before) + (size + 1.0) / 2.0;
        ranks += rank * count(equals.iter().filter(|(_, is_first)| *is_first).count());
        ties += size.powi(3) - size;
        before += equals.len();
    }
    let [n, m] = [first, second].map(|times| count(times.len()));
    let (pairs, total) = (n * m, n + m);
    let u = ranks - n * (n + 1.0) / 2.0;
    let variance = pairs / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    let distance = ((u - pairs / 2.0).abs() - 0.5).max(0.0);
    let z = match variance > 0.0 {
        true => distance / variance.sqrt(),
        false => 0.0,
    };
    Test {
        share: u / pairs,
        p: two_sided(z),
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn count(n: usize) -> f64 {
    n as f64
}

/// The chance that a normal variable is further than `z` from its mean, by the series of
/// Abramowitz and Stegun (26.2.17), which is good to seven places.
fn two_sided(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let factors = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let series = factors
        .iter()
        .rev()
        .fold(0.0, |sum, factor| (sum + factor) * t);
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (2.0 * density * series).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(first: &[u64], second: &[u64]) -> Test {
        let times = |numbers: &[u64]| -> Vec<Duration> {
            numbers.iter().copied().map(Duration::from_micros).collect()
        };
        mann_whitney(&times(first), &times(second))
    }

    fn is_near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-4
    }

    #[test]
    fn it_says_what_the_textbooks_say() {
        // The example of the documentation of scipy.stats.mannwhitneyu, and one with ties,
        // computed by the exact normal distribution.
        let x = [19, 22, 16, 29, 24];
        let y = [20, 11, 17, 12];
        let found = test(&x, &y);
        assert!(
            is_near(found.share, 17.0 / 20.0) && is_near(found.p, 0.11134),
            "{found:?}"
        );
        let found = test(&[1, 2, 2, 3, 4], &[2, 3, 3, 5, 6]);
        assert!(
            is_near(found.share, 6.0 / 25.0) && is_near(found.p, 0.19883),
            "{found:?}"
        );
    }

    #[test]
    fn alike_is_chance_and_apart_is_not() {
        let even: Vec<u64> = (0..200).map(|n| n * 2).collect();
        let odd: Vec<u64> = (0..200).map(|n| n * 2 + 1).collect();
        let later: Vec<u64> = (0..200).map(|n| n * 2 + 80).collect();
        assert!(test(&even, &odd).p > 0.9);
        assert!(test(&even, &later).p < 1e-6);
        assert!(is_near(test(&[5; 30], &[5; 30]).p, 1.0));
    }
}
