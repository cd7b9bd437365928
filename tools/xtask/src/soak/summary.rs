//! What became of the runs: a table, and the figures that matter most.

use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Result;

/// How many figures of a run the summary repeats. Reports begin with those that matter.
const FIGURES: usize = 10;

/// What became of one run.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    took: Duration,
    figures: Vec<String>,
    failures: Vec<String>,
    /// How many checks held, of how many.
    checks: Option<(u64, u64)>,
    good: bool,
}

impl Outcome {
    /// Takes note of a line of output: `  figure  value`, `  FAILED: what`, and at the end
    /// `  3 of 4 checks held`; of a test, `test result: ok. 3 passed; 1 failed; …`.
    pub(super) fn line(&mut self, line: &str) {
        if let Some(checks) = held(line).or_else(|| tested(line)) {
            self.checks = Some(checks);
        } else if let Some(failure) = line.strip_prefix("  FAILED: ") {
            self.failures.push(failure.to_owned());
        } else if line.starts_with("  ") && self.figures.len() < FIGURES {
            self.figures.push(line.trim_end().to_owned());
        }
    }

    /// It is over.
    pub(super) fn ended(&mut self, took: Duration, ended: Result<ExitStatus>) {
        self.took = took;
        match ended {
            Ok(status) if status.success() => self.good = self.checks.is_some(),
            Ok(status) if self.failures.is_empty() => self.failures.push(status.to_string()),
            Ok(_) => {}
            Err(error) => self.failures.push(format!("{error:#}")),
        }
    }
}

/// `  3 of 4 checks held`
fn held(line: &str) -> Option<(u64, u64)> {
    let (held, all) = line
        .trim()
        .strip_suffix(" checks held")?
        .split_once(" of ")?;
    Some((held.parse().ok()?, all.parse().ok()?))
}

/// `test result: ok. 3 passed; 1 failed; …`
fn tested(line: &str) -> Option<(u64, u64)> {
    let (_, result) = line.split_once("test result: ")?;
    let mut words = result.split_whitespace().skip(1);
    let passed: u64 = words.next()?.parse().ok()?;
    let failed: u64 = words.nth(1)?.parse().ok()?;
    Some((passed, passed + failed))
}

/// All runs so far.
#[derive(Debug, Default)]
pub(super) struct Summary(Vec<(String, Outcome)>);

impl Summary {
    pub(super) fn add(&mut self, name: String, outcome: Outcome) {
        self.0.push((name, outcome));
    }

    /// Whether something ran and nothing failed.
    pub(super) fn is_good(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|(_, outcome)| outcome.good)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.0 {
            writeln!(f, "{name}")?;
            outcome
                .figures
                .iter()
                .try_for_each(|line| writeln!(f, "{line}"))?;
            let mut failures = outcome.failures.iter();
            failures.try_for_each(|failure| writeln!(f, "  FAILED: {failure}"))?;
        }
        writeln!(
            f,
            "\n{:<14} {:>8} {:>12}  result",
            "run", "minutes", "checks held"
        )?;
        for (
            name,
            Outcome {
                took, checks, good, ..
            },
        ) in &self.0
        {
            let minutes = took.as_secs_f64() / 60.0;
            let checks = checks.map_or("none".to_owned(), |(held, all)| format!("{held} of {all}"));
            let result = if *good { "ok" } else { "FAILED" };
            writeln!(f, "{name:<14} {minutes:>8.1} {checks:>12}  {result}")?;
        }
        let good = self.0.iter().filter(|(_, outcome)| outcome.good).count();
        write!(f, "{good} passed, {} failed", self.0.len() - good)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn outcome(lines: &[&str], code: i32) -> Outcome {
        let mut outcome = Outcome::default();
        lines.iter().for_each(|line| outcome.line(line));
        // The exit code is the second byte of what the system reports.
        outcome.ended(Duration::from_secs(90), Ok(ExitStatus::from_raw(code << 8)));
        outcome
    }

    #[test]
    fn a_report_becomes_a_row_and_its_first_figures() {
        let mut summary = Summary::default();
        assert!(!summary.is_good(), "nothing ran");
        let report = ["chat: 4 peers", "  lost  0", "  2 of 2 checks held"];
        summary.add("chat".to_owned(), outcome(&report, 0));
        assert!(summary.is_good());
        let report = [
            "crash: 1 kill",
            "  FAILED: one is gone",
            "  1 of 2 checks held",
        ];
        summary.add("crash".to_owned(), outcome(&report, 1));
        assert!(!summary.is_good());
        let expected = "chat\n  lost  0\ncrash\n  FAILED: one is gone\n\n\
             run             minutes  checks held  result\n\
             chat                1.5       2 of 2  ok\n\
             crash               1.5       1 of 2  FAILED\n\
             1 passed, 1 failed";
        assert_eq!(summary.to_string(), expected);
    }

    #[test]
    fn a_test_is_read_too() {
        let line = "test result: ok. 3 passed; 1 failed; 0 ignored; 0 measured";
        assert_eq!(outcome(&[line], 0).checks, Some((3, 4)));
    }

    #[test]
    fn a_run_that_checks_nothing_or_ends_badly_is_not_good() {
        assert!(!outcome(&["  lost  0"], 0).good);
        assert!(!outcome(&["  2 of 2 checks held"], 101).good);
    }
}
