//! What a run found out.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The figures of a run, and whether what has to hold did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    title: String,
    figures: Vec<(String, String)>,
    failures: Vec<String>,
    checks: usize,
}

impl Report {
    /// An empty one.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            figures: Vec::new(),
            failures: Vec::new(),
            checks: 0,
        }
    }

    /// Something that was measured or counted.
    pub fn figure(&mut self, what: impl Into<String>, value: impl fmt::Display) {
        self.figures.push((what.into(), value.to_string()));
    }

    /// Something that has to hold.
    pub fn check(&mut self, holds: bool, what: impl Into<String>) {
        self.checks += 1;
        if !holds {
            self.failures.push(what.into());
        }
    }

    /// A duration that was measured.
    pub fn time(&mut self, what: impl Into<String>, time: Duration) {
        self.figure(what, format!("{time:.1?}"));
    }

    /// A count of errors, which has to be 0.
    pub fn zero(&mut self, what: &str, count: usize) {
        self.figure(what, count);
        self.check(count == 0, format!("{what}: {count}, which must be 0"));
    }

    /// Something of which there must be none; `found` is an example of it.
    pub fn none(&mut self, what: &str, found: &Option<impl fmt::Debug>) {
        self.check(found.is_none(), format!("{what}: {found:?}"));
    }

    /// Adds what a part of this run found out, each under its title.
    pub fn include(&mut self, part: Self) {
        let title = part.title.clone();
        let titled = |what: String| format!("{title}: {what}");
        let figures = part.figures.into_iter();
        self.append(Self {
            figures: figures.map(|(what, value)| (titled(what), value)).collect(),
            failures: part.failures.into_iter().map(titled).collect(),
            ..part
        });
    }

    /// Adds what another found out, behind what is here.
    pub fn append(&mut self, other: Self) {
        self.figures.extend(other.figures);
        self.failures.extend(other.failures);
        self.checks += other.checks;
    }

    /// Whether everything that was checked held. A run that checked nothing is not good.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.checks > 0 && self.failures.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let width = self.figures.iter().map(|(what, _)| what.chars().count());
        let width = width.max().unwrap_or_default();
        for (what, value) in &self.figures {
            writeln!(f, "  {what:width$}  {value}")?;
        }
        for failure in &self.failures {
            writeln!(f, "  FAILED: {failure}")?;
        }
        let held = self.checks - self.failures.len();
        write!(f, "  {held} of {} checks held", self.checks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_good_if_something_was_checked_and_held() {
        let mut report = Report::new("a run");
        assert!(!report.is_good(), "nothing was checked");
        report.check(true, "one is one");
        assert!(report.is_good());
        report.figure("rounds", 3);
        report.check(false, "nobody was lost");
        assert!(!report.is_good());
        assert_eq!(
            report.to_string(),
            "a run\n  rounds  3\n  FAILED: nobody was lost\n  1 of 2 checks held"
        );
    }

    #[test]
    fn parts_count_under_their_titles() {
        let mut part = Report::new("a part");
        part.figure("rounds", 3);
        part.check(false, "nobody was lost");
        let mut report = Report::new("a run");
        report.check(true, "one is one");
        report.include(part);
        assert!(!report.is_good());
        assert_eq!(
            report.to_string(),
            "a run\n  a part: rounds  3\n  FAILED: a part: nobody was lost\n  1 of 2 checks held"
        );
    }
}
