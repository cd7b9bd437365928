//! How often what happened.

use std::collections::BTreeMap;

use crate::Report;

/// Counts things by what they are.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<String, usize>);

impl Tally {
    pub(super) fn add(&mut self, what: impl Into<String>) {
        self.add_many(what, 1);
    }

    pub(super) fn add_many(&mut self, what: impl Into<String>, count: usize) {
        *self.0.entry(what.into()).or_default() += count;
    }

    pub(super) fn of(&self, what: &str) -> usize {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// Puts all of it into the report.
    pub(super) fn report(&self, report: &mut Report) {
        for (what, count) in &self.0 {
            report.figure(what, count);
        }
    }
}
