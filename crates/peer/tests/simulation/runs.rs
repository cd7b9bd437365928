//! Many runs, and what came of them.

use std::ops::Range;
use std::{env, fmt, thread};

use super::book::Totals;
use super::troubles::Troubles;
use super::world::{Report, Violation};

/// What came of many runs.
#[derive(Default)]
pub(crate) struct Sum {
    /// How many texts were shown.
    pub(crate) shown: usize,
    pub(crate) totals: Totals,
    pub(crate) troubles: Troubles,
    /// The runs that failed, and the check that each failed.
    pub(crate) failed: Vec<(u64, &'static str)>,
}

impl Sum {
    fn of(
        runs: impl Iterator<Item = u64>,
        run: impl Fn(u64) -> Result<Report, Box<Violation>>,
    ) -> Self {
        let mut sum = Self::default();
        for number in runs {
            match run(number) {
                Ok(report) => {
                    sum.shown += report.shown;
                    sum.totals.add(report.totals);
                    sum.troubles.add(&report.troubles);
                }
                Err(violation) => sum.failed.push((number, violation.check)),
            }
        }
        sum
    }

    fn add(mut self, other: Self) -> Self {
        self.shown += other.shown;
        self.totals.add(other.totals);
        self.troubles.add(&other.troubles);
        self.failed.extend(other.failed);
        self
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals {
            joined,
            left,
            sent,
            unconfirmed,
            failed,
            dropped,
        } = self.totals;
        let figures = [
            ("texts shown", self.shown),
            ("texts sent", sent),
            ("texts unconfirmed", unconfirmed),
            ("texts failed", failed),
            ("members joined", joined),
            ("members left", left),
            ("notices of what was dropped", dropped),
        ];
        for (what, count) in figures {
            writeln!(f, "  {what:<30} {count:>9}")?;
        }
        write!(f, "{}", self.troubles)
    }
}

/// Each of these runs in one thread, on all processors there are.
pub(crate) fn in_threads(
    runs: Range<u64>,
    run: impl Fn(u64) -> Result<Report, Box<Violation>> + Sync,
) -> Sum {
    let threads = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|first| {
                let part = runs.clone().skip(first as usize).step_by(threads as usize);
                scope.spawn(|| Sum::of(part, &run))
            })
            .collect();
        parts
            .into_iter()
            .map(|part| part.join().unwrap())
            .fold(Sum::default(), Sum::add)
    })
}

/// The number in an environment variable, if it is set.
pub(crate) fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(parsed(variable, &value))
}

/// The numbers in an environment variable, if it is set: `n` for `0..n`, or `from..to`.
pub(crate) fn range(variable: &str) -> Option<Range<u64>> {
    let value = env::var(variable).ok()?;
    Some(match value.split_once("..") {
        Some((from, to)) => parsed(variable, from)..parsed(variable, to),
        None => 0..parsed(variable, &value),
    })
}

fn parsed(variable: &str, value: &str) -> u64 {
    value
        .parse()
        .unwrap_or_else(|_| panic!("{variable}={value} is not a number"))
}
