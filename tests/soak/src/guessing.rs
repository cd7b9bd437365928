//! Guessing passwords: what the clock tells, how many guesses get through, and whom they
//! hinder.
//!
//! *By the clock.* Logins of a name without an account and logins with a wrong password,
//! in random order, one at a time over a real socket. A rank test (Mann-Whitney) says
//! whether their times can be told apart. Register hides nothing, by design: it answers
//! that a name is taken.
//!
//! *By number.* As many guesses as the registry takes, from many addresses, while the user
//! logs in at home and at addresses where he never was.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use p2pchat_protocol::{Password, Request, Response, Username};
use p2pchat_testkit::{Programs, Registry, Session, own_address};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::{Report, Spread};

mod numbers;
mod ranks;

/// By how much the medians may differ, however sure the rank test is that they do: a
/// fiftieth of a hash, which the noise of a network hides from all but the most patient.
const TIMING_BOUND: Duration = Duration::from_micros(500);
/// A difference counts as chance if chance alone brings a greater one about so often.
const CHANCE: f64 = 0.001;
/// How many logins go before those that count.
const WARM_UP: usize = 10;

/// How guessing is tried.
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
    /// What the order of the logins is drawn from
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
    register(&mut session, "known").await?;
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let (mut unknown, mut wrong) = (Spread::default(), Spread::default());
    for n in 0..WARM_UP + options.logins {
        let first = random.random_bool(0.5);
        for is_known in [first, !first] {
            let name = if is_known { "known" } else { "nobod" };
            let time = time_of_a_failure(&mut session, name).await?;
            match is_known {
                _ if n < WARM_UP => {}
                true => wrong.add(time),
                false => unknown.add(time),
            }
        }
    }
    registry.kill().await?;
    judge(&unknown, &wrong, report);
    Ok(())
}

fn judge(unknown: &Spread, wrong: &Spread, report: &mut Report) {
    let medians = [unknown, wrong].map(|spread| spread.percentile(50));
    let apart = medians[0].abs_diff(medians[1]);
    let test = ranks::mann_whitney(unknown.times(), wrong.times());
    report.figure("a name without an account", unknown);
    report.figure("a wrong password", wrong);
    report.figure("medians apart", format!("{apart:.1?}"));
    report.figure(
        "Mann-Whitney",
        format!(
            "p = {:.3}; an unknown name is the slower one in {:.1} % of all pairs",
            test.p,
            test.share * 100.0
        ),
    );
    report.check(
        unknown.count() > 0 && (test.p >= CHANCE || apart < TIMING_BOUND),
        format!(
            "the clock tells which names exist: medians {apart:?} apart, p = {}",
            test.p
        ),
    );
}

/// Options of a registry that slows nobody down.
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

/// A request to log in; `None` for what is no name.
fn login(name: &str, password: &str) -> Result<Request> {
    Ok(Request::Login {
        username: name.parse::<Username>()?,
        password: password.parse::<Password>()?,
    })
}

async fn register(session: &mut Session, name: &str) -> Result<()> {
    let request = Request::Register {
        username: name.parse()?,
        password: "secret".parse()?,
    };
    match session.ask(&request).await? {
        Response::Registered => Ok(()),
        other => bail!("{name} was answered {other:?}"),
    }
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
