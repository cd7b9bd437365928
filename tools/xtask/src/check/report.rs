//! What became of the checks: a table, and one line that sums it up.

use std::fmt::Display;
use std::time::Instant;

use anyhow::Result;

use super::steps::Tested;
use super::tally::Tally;

/// What became of the checks so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    rows: Vec<Row>,
    sum: Tally,
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    seconds: f64,
    result: String,
}

impl Report {
    /// Adds a step. It counts as one test.
    pub(super) fn step(&mut self, name: &'static str, start: Instant, result: Result<()>) {
        self.told(name, start, result.map(|()| "ok"));
    }

    /// Adds a step that tells what its success is worth. It counts as one test.
    pub(super) fn told(
        &mut self,
        name: &'static str,
        start: Instant,
        result: Result<impl Display>,
    ) {
        let result = match result {
            Ok(told) => {
                self.sum.passed += 1;
                told.to_string()
            }
            Err(error) => {
                self.sum.failed += 1;
                eprintln!("{name} failed: {error:#}");
                "FAILED".to_owned()
            }
        };
        self.row(name, start, result);
    }

    /// Adds the tests, each of which counts as one.
    pub(super) fn tests(&mut self, name: &'static str, start: Instant, tested: Result<Tested>) {
        let tested = match tested {
            Ok(tested) => tested,
            Err(error) => return self.step(name, start, Err(error)),
        };
        let Tested { tally, status } = tested;
        self.sum.passed += tally.passed;
        self.sum.failed += tally.failed;
        let mut result = format!("{} passed, {} failed", tally.passed, tally.failed);
        if tally.ignored > 0 {
            result += &format!(", {} ignored", tally.ignored);
        }
        // A test binary that does not build, or crashes, says nothing of its tests.
        let unexplained = !status.success() && tally.failed == 0;
        if unexplained || tally.passed + tally.failed == 0 {
            self.sum.failed += 1;
            result += &format!(", and in all: {status}");
        }
        self.row(name, start, result);
    }

    /// Whether nothing failed.
    pub(super) fn is_good(&self) -> bool {
        self.sum.failed == 0
    }

    /// Prints the table, and as the very last line the sum, which scripts read.
    pub(super) fn print(&self) {
        println!("\n{:<8} {:>8}  result", "step", "seconds");
        for row in &self.rows {
            println!("{:<8} {:>8.1}  {}", row.name, row.seconds, row.result);
        }
        println!("{} passed, {} failed", self.sum.passed, self.sum.failed);
    }

    fn row(&mut self, name: &'static str, start: Instant, result: String) {
        let seconds = start.elapsed().as_secs_f64();
        println!("{name}: {result} ({seconds:.1} s)");
        self.rows.push(Row {
            name,
            seconds,
            result,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn tested(passed: u64, failed: u64, code: i32) -> Result<Tested> {
        let tally = Tally {
            passed,
            failed,
            ignored: 0,
            ..Tally::default()
        };
        // The exit code is the second byte of what the system reports.
        let status = ExitStatus::from_raw(code << 8);
        Ok(Tested { tally, status })
    }

    fn failures(tested: Result<Tested>) -> u64 {
        let mut report = Report::default();
        report.tests("tests", Instant::now(), tested);
        report.sum.failed
    }

    #[test]
    fn a_failed_test_counts_once() {
        assert_eq!(failures(tested(5, 0, 0)), 0);
        assert_eq!(failures(tested(5, 1, 101)), 1);
    }

    #[test]
    fn tests_that_do_not_build_or_crash_or_are_none_are_a_failure() {
        assert_eq!(failures(tested(5, 0, 101)), 1);
        assert_eq!(failures(tested(0, 0, 0)), 1);
        assert_eq!(failures(Err(anyhow::anyhow!("no cargo"))), 1);
    }

    #[test]
    fn a_step_counts_as_one() {
        let mut report = Report::default();
        report.step("fmt", Instant::now(), Ok(()));
        assert!(report.is_good());
        report.step(
            "doc",
            Instant::now(),
            Err(anyhow::anyhow!("a link leads nowhere")),
        );
        assert!(!report.is_good());
        let expected = Tally {
            passed: 1,
            failed: 1,
            ignored: 0,
            ..Tally::default()
        };
        assert_eq!(report.sum, expected);
    }
}
