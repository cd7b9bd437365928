//! Guessing passwords: what the time of an answer gives away, how many guesses get through,
//! and that the user still gets in.
//!
//! *By the clock.* Pairs of logins, one of a name without an account and one with a wrong
//! password, in random order, one at a time over a real socket. Their medians have to be
//! close, or which of a pair is the slower one a matter of chance. Register hides nothing,
//! by design: it answers that a name is taken.
//!
//! *By number.* As many guesses as the registry takes, from many addresses and with its
//! default limits, while the user logs in at home and at addresses that are new to the
//! registry. That tokens come back in time, and no faster, takes a run as long as this.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use p2pchat_protocol::{Password, Request, Response, Username};
use p2pchat_testkit::{Programs, Registry, Session, own_address};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::{Durations, Report};

mod numbers;

/// How far apart the medians may be, however sure it is that they differ: a fiftieth of a
/// hash, which the noise of a network hides from all but the most patient.
const TIMING_BOUND: Duration = Duration::from_micros(500);
/// How far from half of the pairs counts as chance, in standard deviations: chance alone
/// exceeds it once in a thousand runs.
const CHANCE: f64 = 3.29;
/// How many pairs go before those that count.
const WARM_UP: usize = 10;

/// Options of the run.
#[derive(Debug, Args)]
pub struct Options {
    /// How many logins of each kind are compared by the clock
    #[arg(long, default_value_t = 400)]
    pub logins: usize,
    /// From how many addresses is guessed
    #[arg(long, default_value_t = 200)]
    pub addresses: usize,
    /// For how long
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// Seed of the order of the logins
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Guesses, by the clock and by number.
///
/// # Errors
/// If the registry is not built, or answers what it may not.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    let mut report = Report::new(format!(
        "guessing: {} logins of each kind (seed {}), and {} s of guesses from {} addresses",
        options.logins, options.seed, options.seconds, options.addresses
    ));
    by_the_clock(programs, options, &mut report).await?;
    numbers::run(programs, options, &mut report).await?;
    Ok(report)
}

async fn by_the_clock(programs: &Programs, options: &Options, report: &mut Report) -> Result<()> {
    let home = TempDir::new()?;
    let registry = start(programs, &home, &AT_WILL).await?;
    let mut session = Session::connect(own_address(), registry.tcp).await?;
    session
        .register("known".parse()?, "secret".parse()?)
        .await?;
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let mut times = Times::default();
    for n in 0..WARM_UP + options.logins {
        let known_first = random.random_bool(0.5);
        let mut pair = [Duration::ZERO; 2];
        for is_known in [known_first, !known_first] {
            let name = if is_known { "known" } else { "nobod" };
            pair[usize::from(is_known)] = time_of_a_failure(&mut session, name).await?;
        }
        if n >= WARM_UP {
            times.add(pair);
        }
    }
    registry.kill().await?;
    times.judge(report);
    Ok(())
}

/// How long failed logins took.
#[derive(Default)]
struct Times {
    unknown: Durations,
    wrong: Durations,
    /// In how many pairs the unknown name took longer.
    unknown_slower: u64,
}

impl Times {
    fn add(&mut self, [unknown, wrong]: [Duration; 2]) {
        self.unknown.add(unknown);
        self.wrong.add(wrong);
        self.unknown_slower += u64::from(unknown > wrong);
    }

    /// The sign test of the pairs: how far their share is from half, in standard deviations.
    fn deviation(&self) -> f64 {
        let pairs = self.unknown.count() as f64;
        (2.0 * self.unknown_slower as f64 - pairs).abs() / pairs.sqrt()
    }

    fn judge(&self, report: &mut Report) {
        let [unknown, wrong] = [&self.unknown, &self.wrong].map(|times| times.percentile(50));
        let apart = unknown.abs_diff(wrong);
        let pairs = self.unknown.count();
        let slower = self.unknown_slower;
        report.figure("a name without an account", &self.unknown);
        report.figure("a wrong password", &self.wrong);
        report.time("medians apart", apart);
        report.figure(
            "the unknown name took longer",
            format!("in {slower} of {pairs} pairs"),
        );
        report.check(
            pairs > 0 && (self.deviation() < CHANCE || apart < TIMING_BOUND),
            format!(
                "the clock tells which names exist: medians {apart:?} apart, \
                 the unknown name slower in {slower} of {pairs} pairs"
            ),
        );
    }
}

/// Options of a registry that does not limit guesses.
const AT_WILL: [&str; 4] = [
    "--failed-logins=4000000000",
    "--failed-logins-by-name=4000000000",
    "--failed-login-interval=1",
    "--failed-login-by-name-interval=1",
];

async fn start(programs: &Programs, home: &TempDir, more: &[&str]) -> Result<Registry> {
    let store = home.path().join("accounts.sqlite3");
    let store = store.to_str().context("a path that is text")?;
    Registry::start(programs, home.path(), store, more).await
}

/// A login.
fn login(name: &str, password: &str) -> Result<Request> {
    Ok(Request::Login {
        username: name.parse::<Username>()?,
        password: password.parse::<Password>()?,
    })
}

async fn time_of_a_failure(session: &mut Session, name: &str) -> Result<Duration> {
    let request = login(name, "guess")?;
    let began = Instant::now();
    let answer = session.ask(&request).await?;
    let time = began.elapsed();
    match answer {
        Response::WrongCredentials => Ok(time),
        other => bail!("a guess at {name} was answered {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(pairs: impl Iterator<Item = [u64; 2]>) -> Times {
        let mut times = Times::default();
        pairs.for_each(|pair| times.add(pair.map(Duration::from_micros)));
        times
    }

    fn is_good(times: &Times) -> bool {
        let mut report = Report::new("times");
        times.judge(&mut report);
        report.is_good()
    }

    #[test]
    fn a_difference_that_is_large_and_no_chance_fails() {
        assert!(!is_good(&Times::default()), "nothing was measured");
        assert!(!is_good(&times((0..40).map(|n| [20_000 + n, 19_000 + n]))));
        assert!(
            is_good(&times((0..40).map(|n| [20_000 + n, 19_600 + n]))),
            "small"
        );
        let noise = (0..40).map(|n| {
            if n % 2 == 0 {
                [30_000, 20_000]
            } else {
                [10_000, 15_000]
            }
        });
        assert!(is_good(&times(noise)), "chance");
    }
}
