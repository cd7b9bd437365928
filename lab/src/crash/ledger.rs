//! What those who register were told, to be compared with what is in the store.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::{Report, Spread};

/// How many wrong answers are kept to be reported.
const MAX_WRONG: usize = 5;

/// What everybody was told.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pages: Mutex<Pages>,
    /// How many registrations have been acknowledged.
    acknowledged: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Pages {
    acknowledged: BTreeSet<String>,
    /// Asked for and not acknowledged: they may be in the store.
    open: BTreeSet<String>,
    counts: Counts,
    waits: Spread,
    wrong: Vec<String>,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// Registrations that wait for their answer now.
    pub(super) in_flight: usize,
    /// Registrations whose connection broke before the answer.
    pub(super) cut: usize,
    /// Registrations that were answered 50.
    pub(super) refused: usize,
    /// Registrations that were made although their user was not told: he asked again
    /// and was answered 40.
    pub(super) untold: usize,
    /// Logins of accounts that had been acknowledged.
    pub(super) logins: usize,
    /// Of those, the ones that were answered 50.
    pub(super) refused_logins: usize,
    /// Answers that must not be.
    wrong: usize,
}

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody is about to ask for an account.
    pub(super) fn ask(&self, name: &str) {
        let mut pages = self.pages();
        pages.open.insert(name.to_owned());
        pages.counts.in_flight += 1;
    }

    /// He was answered, after this time.
    pub(super) fn answered(&self, wait: Duration) {
        let mut pages = self.pages();
        pages.counts.in_flight -= 1;
        pages.waits.add(wait);
    }

    /// His connection broke instead.
    pub(super) fn cut(&self) {
        let mut pages = self.pages();
        pages.counts.in_flight -= 1;
        pages.counts.cut += 1;
    }

    /// The answer was 20.
    pub(super) fn acknowledge(&self, name: &str) {
        let mut pages = self.pages();
        pages.open.remove(name);
        pages.acknowledged.insert(name.to_owned());
        self.acknowledged.send_modify(|count| *count += 1);
    }

    /// Counts something else.
    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.pages().counts);
    }

    /// The answer was one that must not be.
    pub(super) fn wrong(&self, what: String) {
        let mut pages = self.pages();
        pages.counts.wrong += 1;
        if pages.wrong.len() < MAX_WRONG {
            pages.wrong.push(what);
        }
    }

    /// What has been counted so far.
    pub(super) fn counts(&self) -> Counts {
        self.pages().counts
    }

    /// Tells of each acknowledgement.
    pub(super) fn watch(&self) -> watch::Receiver<usize> {
        self.acknowledged.subscribe()
    }

    /// How many have been acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        *self.acknowledged.borrow()
    }

    /// So many of the acknowledged names, from everywhere among them.
    pub(super) fn sample(&self, count: usize) -> Vec<String> {
        let pages = self.pages();
        let step = pages.acknowledged.len().div_ceil(count).max(1);
        pages.acknowledged.iter().step_by(step).cloned().collect()
    }

    /// Compares with the names that are in the store in the end, and reports.
    pub(super) fn settle(&self, stored: &[String], report: &mut Report) {
        let pages = self.pages();
        let kept: BTreeSet<&String> = stored.iter().collect();
        let lost = pages.acknowledged.iter().find(|name| !kept.contains(name));
        let asked = |name: &str| pages.acknowledged.contains(name) || pages.open.contains(name);
        let unasked = stored.iter().find(|name| !asked(name));
        report.figure("acknowledged registrations", pages.acknowledged.len());
        report.figure("cut off before their answer", pages.counts.cut);
        report.figure("answered 50", pages.counts.refused);
        report.figure(
            "made all the same, by the answer when asked again",
            pages.counts.untold,
        );
        report.figure("accounts in the store", stored.len());
        report.figure("waits of those who registered", &pages.waits);
        report.figure("logins at once", pages.counts.logins);
        report.figure("of them answered 50", pages.counts.refused_logins);
        report.check(
            lost.is_none(),
            format!("an acknowledged account is not in the store: {lost:?}"),
        );
        report.check(
            unasked.is_none(),
            format!("an account is in the store that nobody asked for: {unasked:?}"),
        );
        report.check(
            kept.len() == stored.len(),
            format!("{} accounts are there twice", stored.len() - kept.len()),
        );
        report.check(
            pages.counts.wrong == 0,
            format!("{} wrong answers: {:?}", pages.counts.wrong, pages.wrong),
        );
    }
}
