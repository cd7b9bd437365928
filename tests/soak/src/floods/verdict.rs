//! The verdict on a flood: its figures, and whether they are within bounds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::probe::Probe;
use super::{Flood, MAX_RATIO, MEMORY_BOUND, Options};
use crate::{Durations, Report};

/// What is measured of the client, in the order of [`Verdict::pairs`].
const WHAT: [&str; 3] = ["searches", "logins", "logins by key"];
/// How many failures are quoted.
const QUOTED: usize = 3;

/// What was seen of a flood.
pub(super) struct Verdict {
    pub(super) flood: Flood,
    pub(super) quiet: Probe,
    pub(super) during: Probe,
    pub(super) after: Probe,
    /// Resident memory of the registry, in bytes.
    pub(super) at_rest: u64,
    pub(super) peak: u64,
    /// How many users lost their connection or were taken offline.
    pub(super) lost: usize,
    /// Whether the flood's connections were gone soon after it.
    pub(super) is_over: bool,
    pub(super) effort: String,
    pub(super) dropped_datagrams: u64,
    pub(super) turned_away: TurnedAway,
}

impl Verdict {
    /// Puts the figures and the checks into a report.
    pub(super) fn report(&self, options: &Options, report: &mut Report) {
        let name = self.flood.name();
        self.figures(&name, report);
        self.checks(&name, options, report);
    }

    fn figures(&self, name: &str, report: &mut Report) {
        for (what, pair) in WHAT.into_iter().zip(self.pairs()) {
            report.figure(format!("{name}: {what}"), compared(pair));
        }
        let mebibytes = |bytes: u64| format!("{:.1} MiB", bytes as f64 / 1024.0 / 1024.0);
        report.figure(
            format!("{name}: memory"),
            format!(
                "{} at rest, {} at most",
                mebibytes(self.at_rest),
                mebibytes(self.peak)
            ),
        );
        report.figure(format!("{name}: attacker"), &self.effort);
        let unheard = match self.dropped_datagrams {
            0 => String::new(),
            dropped => format!(", and {dropped} datagrams by the system"),
        };
        let turned_away = format!("{}{unheard}", self.turned_away);
        report.figure(format!("{name}: turned away"), turned_away);
    }

    fn checks(&self, name: &str, options: &Options, report: &mut Report) {
        for (when, probe) in [
            ("before", &self.quiet),
            ("during", &self.during),
            ("after", &self.after),
        ] {
            let failures = &probe.failures;
            let quoted = failures[..failures.len().min(QUOTED)].join("; ");
            report.check(
                failures.is_empty(),
                format!(
                    "{name}: {} requests failed {when}: {quoted}",
                    failures.len()
                ),
            );
            report.check(
                probe.searches.count() > 0
                    && probe.logins.count() > 0
                    && probe.key_logins.count() > 0,
                format!("{name}: nothing was measured {when}"),
            );
        }
        report.check(
            self.lost == 0,
            format!("{name}: {} users were lost", self.lost),
        );
        report.check(
            self.peak < MEMORY_BOUND,
            format!("{name}: more than {MEMORY_BOUND} bytes of memory"),
        );
        report.check(
            self.is_over,
            format!("{name}: connections of the flood were left behind"),
        );
        report.check(
            self.has_effect(),
            format!("{name}: the registry turned nothing away, so there was no flood"),
        );
        if !options.untimed {
            self.check_times(name, report);
        }
    }

    fn check_times(&self, name: &str, report: &mut Report) {
        for ((quiet, during), what) in self.pairs().into_iter().zip(WHAT) {
            let ratio = ratio(quiet, during);
            report.check(
                ratio < f64::from(MAX_RATIO),
                format!("{name}: the p99 of {what} is {ratio:.1} times the quiet one"),
            );
        }
        for (quiet, after, what) in [
            (&self.quiet.searches, &self.after.searches, "searches"),
            (&self.quiet.logins, &self.after.logins, "logins"),
            (
                &self.quiet.key_logins,
                &self.after.key_logins,
                "logins by key",
            ),
        ] {
            let ratio = ratio(quiet, after);
            report.check(
                ratio < f64::from(MAX_RATIO),
                format!("{name}: the p99 of {what} is {ratio:.1} times the quiet one afterwards"),
            );
        }
    }

    /// Whether the counters show that the flood was one. Floods that break no rule leave
    /// nothing there.
    fn has_effect(&self) -> bool {
        let reason = match self.flood {
            Flood::Slow => "partial_request",
            Flood::Deaf => "unread_response",
            Flood::Refused => "address_full",
            Flood::Random | Flood::Almost => "no_hello",
            Flood::Foreign => "foreign_hello",
            Flood::Guesses => "login_slowed",
            Flood::Registrations => "register_slowed",
            Flood::Handshakes => "handshake_slowed",
            Flood::HandshakesOfMany => "handshake_strangers",
            Flood::HalfHandshakes => "handshake_partial",
            Flood::Garbage => "handshake_failed",
            Flood::Idle | Flood::Connections | Flood::Logins | Flood::Unsigned => return true,
        };
        self.turned_away.get(reason) > 0
    }

    fn pairs(&self) -> [(&Durations, &Durations); 3] {
        [
            (&self.quiet.searches, &self.during.searches),
            (&self.quiet.logins, &self.during.logins),
            (&self.quiet.key_logins, &self.during.key_logins),
        ]
    }
}

fn ratio(quiet: &Durations, flooded: &Durations) -> f64 {
    let p99 = |spread: &Durations| spread.percentile(99).max(Duration::from_micros(1));
    p99(flooded).as_secs_f64() / p99(quiet).as_secs_f64()
}

fn compared((quiet, flooded): (&Durations, &Durations)) -> String {
    let [low, low_flooded] = [quiet, flooded].map(|spread| spread.percentile(50));
    let [high, high_flooded] = [quiet, flooded].map(|spread| spread.percentile(99));
    format!(
        "p50 {low:.1?} → {low_flooded:.1?}, p99 {high:.1?} → {high_flooded:.1?}, {:.1} times ({} asked)",
        ratio(quiet, flooded),
        flooded.count()
    )
}

/// How the line of the log begins that has the counters.
const MARK: &str = "refused since the start: ";

/// What the registry has turned away by its own count, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TurnedAway(BTreeMap<String, u64>);

impl TurnedAway {
    /// The last counters of a log; empty if it has none.
    pub(super) fn last_in(log: &str) -> Self {
        let line = log.lines().rev().find_map(|line| line.split_once(MARK));
        let pairs = line.map_or("", |(_, counted)| counted).split_whitespace();
        let counts = pairs.filter_map(|pair| {
            let (reason, count) = pair.split_once('=')?;
            Some((reason.to_owned(), count.parse().ok()?))
        });
        Self(counts.collect())
    }

    /// The count of one reason.
    pub(super) fn get(&self, reason: &str) -> u64 {
        self.0.get(reason).copied().unwrap_or_default()
    }
}

impl fmt::Display for TurnedAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self
            .0
            .iter()
            .map(|(reason, count)| format!("{reason} {count}"));
        let counts: Vec<_> = counts.collect();
        if counts.is_empty() {
            return f.write_str("nothing");
        }
        f.write_str(&counts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        let log = "INFO refused since the start: no_hello=1\nINFO x\n\
                   INFO p2pchat: refused since the start: no_hello=12 made_room=3\nstopped\n";
        let turned_away = TurnedAway::last_in(log);
        assert_eq!(turned_away.get("no_hello"), 12);
        assert_eq!(turned_away.to_string(), "made_room 3, no_hello 12");
        assert_eq!(TurnedAway::last_in("x").to_string(), "nothing");
    }
}
