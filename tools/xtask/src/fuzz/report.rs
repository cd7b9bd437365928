//! What became of the targets.

use std::fmt;
use std::path::PathBuf;

/// What a target says of its run; 0 where it said nothing.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Figures {
    /// Inputs that were tried.
    executions: u64,
    /// How many a second.
    rate: u64,
    /// Edges between pieces of code that some input went over.
    edges: u64,
    seconds: u64,
}

/// What became of one target.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) target: String,
    pub(super) is_good: bool,
    pub(super) figures: Figures,
    /// Inputs in the working corpus.
    pub(super) corpus: usize,
    pub(super) findings: usize,
    pub(super) findings_in: PathBuf,
    pub(super) log: PathBuf,
}

impl Outcome {
    /// In one line, as soon as it is known; what to do if it is bad.
    pub(super) fn in_words(&self) -> String {
        let Self { target, .. } = self;
        match (self.is_good, self.findings) {
            (true, _) => format!("{target}: nothing found"),
            (false, 0) => format!("{target}: it failed; see {}", self.log.display()),
            (false, _) => format!(
                "{target}: a FINDING in {}; see {}. Mend it, and keep the input in tests/fuzz/regressions/{target}",
                self.findings_in.display(),
                self.log.display()
            ),
        }
    }
}

/// All outcomes.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Outcome>);

impl Report {
    pub(super) fn add(&mut self, outcome: Outcome) {
        self.0.push(outcome);
        self.0.sort_by(|one, other| one.target.cmp(&other.target));
    }

    pub(super) fn is_good(&self) -> bool {
        self.0.iter().all(|outcome| outcome.is_good)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["executions", "a second", "seconds", "edges", "corpus"];
        write!(f, "\n{:10}", "target")?;
        for head in heads {
            write!(f, " {head:>11}")?;
        }
        writeln!(f, " {:>9}", "findings")?;
        for outcome in &self.0 {
            let Figures {
                executions,
                rate,
                edges,
                seconds,
            } = outcome.figures;
            write!(f, "{:10}", outcome.target)?;
            for number in [executions, rate, seconds, edges, outcome.corpus as u64] {
                write!(f, " {number:>11}")?;
            }
            let failed = if outcome.is_good { "" } else { "  FAILED" };
            writeln!(f, " {:>9}{failed}", outcome.findings)?;
        }
        let bad = self.0.iter().filter(|outcome| !outcome.is_good).count();
        write!(f, "\nfuzz: {} targets, {bad} with findings", self.0.len())
    }
}

/// Reads what libFuzzer wrote.
pub(super) fn figures(log: &str) -> Figures {
    let stat = |name: &str| {
        let line = log.lines().rev().find_map(|line| line.strip_prefix(name));
        line.and_then(|value| value.trim().parse().ok())
    };
    let executions = stat("stat::number_of_executed_units:").unwrap_or(0);
    let rate = stat("stat::average_exec_per_sec:").unwrap_or(0);
    Figures {
        executions,
        rate,
        edges: log.lines().filter_map(edges).max().unwrap_or(0),
        seconds: log.lines().find_map(seconds).unwrap_or(0),
    }
}

/// `#123  NEW    cov: 456 ft: 789 corp: …`
fn edges(line: &str) -> Option<u64> {
    let (_, after) = line.strip_prefix('#')?.split_once(" cov: ")?;
    after.split(' ').next()?.parse().ok()
}

/// `Done 12345 runs in 61 second(s)`
fn seconds(line: &str) -> Option<u64> {
    let (_, after) = line.strip_prefix("Done ")?.split_once(" runs in ")?;
    after.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
INFO: Loaded 1 modules
#2\tINITED cov: 20 ft: 21 corp: 1/1b exec/s: 0 rss: 30Mb
#800\tNEW    cov: 42 ft: 50 corp: 3/9b lim: 4 exec/s: 0 rss: 30Mb L: 3/3 MS: 1 X-
#9000\tDONE   cov: 42 ft: 50 corp: 3/9b lim: 4 exec/s: 150 rss: 31Mb
Done 9000 runs in 61 second(s)
stat::number_of_executed_units: 9000
stat::average_exec_per_sec:     147
";

    fn outcome(is_good: bool, findings: usize) -> Outcome {
        Outcome {
            target: "hellos".to_owned(),
            is_good,
            figures: figures(LOG),
            corpus: 3,
            findings,
            findings_in: "/f".into(),
            log: "/l".into(),
        }
    }

    #[test]
    fn the_figures_are_read_from_the_log() {
        let expected = Figures {
            executions: 9000,
            rate: 147,
            edges: 42,
            seconds: 61,
        };
        assert_eq!(figures(LOG), expected);
        assert_eq!(figures("killed"), Figures::default());
    }

    #[test]
    fn a_finding_makes_the_report_bad_and_says_where_it_is() {
        let mut report = Report::default();
        report.add(outcome(true, 0));
        assert!(report.is_good());
        report.add(outcome(false, 1));
        assert!(!report.is_good());
        assert!(outcome(false, 1).in_words().contains("FINDING in /f"));
        let shown = report.to_string();
        assert!(shown.contains("9000"), "{shown}");
        assert!(
            shown.ends_with("fuzz: 2 targets, 1 with findings"),
            "{shown}"
        );
    }
}
