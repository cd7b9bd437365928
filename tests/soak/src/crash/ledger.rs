//! What registering users were told, to be compared with what is in the store.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::{Durations, Report};

/// How long a login may take, the store being away: the store's own limit of 5 s for a
/// call, and 3 s for the hash and a busy machine.
const LOGIN: Duration = Duration::from_secs(8);
/// The same of a registration, which asks the store twice.
const REGISTER: Duration = Duration::from_secs(13);
/// How many wrong answers are kept to be reported.
const MAX_WRONG: usize = 5;

/// What all users were told.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pages: Mutex<Pages>,
    /// When the registration was asked for that was acknowledged last.
    last: watch::Sender<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Pages {
    acknowledged: BTreeSet<String>,
    /// Asked for and not acknowledged: they may be in the store.
    open: BTreeSet<String>,
    counts: Counts,
    waits: Durations,
    login_waits: Durations,
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
    /// Registrations that were made although their user was not told: they asked again
    /// and was answered 40.
    pub(super) untold: usize,
    /// Logins of acknowledged accounts that were answered 50.
    pub(super) refused_logins: usize,
    /// Wrong answers.
    wrong: usize,
}

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A user is about to register.
    pub(super) fn ask(&self, name: &str) {
        let mut pages = self.pages();
        pages.open.insert(name.to_owned());
        pages.counts.in_flight += 1;
    }

    /// The registration was answered, after this time.
    pub(super) fn answered(&self, wait: Duration) {
        let mut pages = self.pages();
        pages.counts.in_flight -= 1;
        pages.waits.add(wait);
    }

    /// The connection broke instead.
    pub(super) fn cut(&self) {
        let mut pages = self.pages();
        pages.counts.in_flight -= 1;
        pages.counts.cut += 1;
    }

    /// The answer was 20, to a question that was asked then.
    pub(super) fn acknowledge(&self, name: &str, asked: Instant) {
        let mut pages = self.pages();
        pages.open.remove(name);
        pages.acknowledged.insert(name.to_owned());
        drop(pages);
        self.last.send_replace(Some(asked));
    }

    /// A login was answered, after this time.
    pub(super) fn login_answered(&self, wait: Duration) {
        self.pages().login_waits.add(wait);
    }

    /// Counts something else.
    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.pages().counts);
    }

    /// The answer was a wrong one.
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

    /// Waits until the next registration is acknowledged.
    pub(super) async fn wait_for_the_next(&self, limit: Duration) -> Result<()> {
        let mut last = self.last.subscribe();
        timeout(limit, last.changed())
            .await
            .context("no one can register any more")??;
        Ok(())
    }

    /// Waits until a registration is acknowledged that was asked for after `since`.
    pub(super) async fn wait_until_served(&self, since: Instant, limit: Duration) -> Result<()> {
        let mut last = self.last.subscribe();
        let served = last.wait_for(|asked| asked.is_some_and(|asked| asked > since));
        timeout(limit, served)
            .await
            .context("no one can register any more")??;
        Ok(())
    }

    /// How many have been acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        self.pages().acknowledged.len()
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
        report.figure("waits of registrations", &pages.waits);
        report.figure("waits of logins", &pages.login_waits);
        report.figure("logins answered 50", pages.counts.refused_logins);
        report.none("an acknowledged account is not in the store", &lost);
        report.none("an account is in the store that no one asked for", &unasked);
        report.check(
            kept.len() == stored.len(),
            format!("{} accounts are there twice", stored.len() - kept.len()),
        );
        report.check(
            pages.counts.wrong == 0,
            format!("{} wrong answers: {:?}", pages.counts.wrong, pages.wrong),
        );
    }

    /// Checks that all users were answered in time, whatever the store did.
    pub(super) fn check_waits(&self, report: &mut Report) {
        let pages = self.pages();
        for (what, waits, limit) in [
            ("register", &pages.waits, REGISTER),
            ("log in", &pages.login_waits, LOGIN),
        ] {
            let longest = waits.max();
            report.check(
                longest < limit,
                format!("a user waited {longest:?} to {what}"),
            );
        }
    }
}
