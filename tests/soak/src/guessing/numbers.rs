//! How many guesses get through, and which users they hinder.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use p2pchat_protocol::Response;
use p2pchat_testkit::{Programs, Session};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{Options, login, start};
use crate::{Durations, Report};

/// The user's own address, the first of those that are new to the registry, and the first of
/// the attacker's.
const HOME: Ipv4Addr = Ipv4Addr::new(127, 60, 0, 1);
const FRESH: Ipv4Addr = Ipv4Addr::new(127, 61, 0, 1);
const GUESSERS: Ipv4Addr = Ipv4Addr::new(127, 62, 0, 1);
/// The time between two logins of the user.
const USER_PACE: Duration = Duration::from_millis(500);
/// What a registry grants if nothing else is said (`p2pchat-registry --help`): failures of
/// a name in a row, then one each so many seconds; the same for a name at one address when
/// those are used up.
const BY_NAME: (u64, u64) = (20, 30);
const SPARE: (u64, u64) = (3, 20 * 60);
/// Hashes that may be under way when the last guess is used up.
const UNDER_WAY: u64 = 1;

/// What guessing came to.
#[derive(Debug, Default)]
struct Count {
    looked_at: AtomicU64,
    slowed: AtomicU64,
}

/// Guesses at one user's password from everywhere while they log in.
pub(super) async fn run(programs: &Programs, options: &Options, report: &mut Report) -> Result<()> {
    let home = TempDir::new()?;
    let registry = start(programs, &home, &[]).await?;
    let mut user = Session::connect(HOME, registry.tcp).await?;
    user.register("bob".parse()?, "secret".parse()?).await?;
    log_in(HOME, registry.tcp).await?;

    let count = Arc::new(Count::default());
    let mut guessers = JoinSet::new();
    for n in 0..options.addresses {
        guessers.spawn(guess(nth(GUESSERS, n), registry.tcp, Arc::clone(&count)));
    }
    let time = Duration::from_secs(options.seconds);
    let logins = user_logs_in(registry.tcp, time).await;
    guessers.shutdown().await;
    registry.kill().await?;

    let looked_at = count.looked_at.load(Ordering::Relaxed);
    let addresses = u64::try_from(options.addresses)?;
    // A token that comes back while the last ones are counted.
    let seconds = options.seconds + 1;
    let bound = BY_NAME.0
        + seconds.div_ceil(BY_NAME.1)
        + addresses * (SPARE.0 + seconds / SPARE.1)
        + UNDER_WAY;
    report.figure(
        "guesses looked at",
        format!("{looked_at}, and {bound} are granted"),
    );
    report.figure("guesses slowed down", count.slowed.load(Ordering::Relaxed));
    report.check(
        (1..=bound).contains(&looked_at),
        format!("{looked_at} guesses were looked at, and {bound} are granted"),
    );
    match logins {
        Ok(times) => {
            report.figure("the user's logins meanwhile", &times);
            report.check(times.count() >= 4, "the user hardly logged in");
        }
        Err(error) => report.check(false, format!("the user was locked out: {error:#}")),
    }
    Ok(())
}

fn nth(first: Ipv4Addr, n: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(first.to_bits() + u32::try_from(n).unwrap_or_default())
}

/// Guesses as fast as it is answered.
async fn guess(from: Ipv4Addr, to: SocketAddr, count: Arc<Count>) -> Result<()> {
    let mut session = Session::connect(from, to).await?;
    let guess = login("bob", "guess")?;
    loop {
        match session.ask(&guess).await? {
            Response::WrongCredentials => count.looked_at.fetch_add(1, Ordering::Relaxed),
            Response::SlowDown => count.slowed.fetch_add(1, Ordering::Relaxed),
            other => bail!("a guess was answered {other:?}"),
        };
    }
}

/// The user's logins, at home and at an address that is new to the registry, in turn.
async fn user_logs_in(to: SocketAddr, time: Duration) -> Result<Durations> {
    let until = Instant::now() + time;
    let mut times = Durations::default();
    for n in 0.. {
        for from in [HOME, nth(FRESH, n)] {
            times.add(log_in(from, to).await?);
        }
        if Instant::now() >= until {
            break;
        }
        tokio::time::sleep(USER_PACE).await;
    }
    Ok(times)
}

async fn log_in(from: Ipv4Addr, to: SocketAddr) -> Result<Duration> {
    let began = Instant::now();
    let mut session = Session::connect(from, to).await?;
    session.login("bob".parse()?, "secret".parse()?).await?;
    Ok(began.elapsed())
}
