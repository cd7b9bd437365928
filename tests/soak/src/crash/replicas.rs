//! A replica set whose primary is killed again and again, under a running registry.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use p2pchat_testkit::{Programs, Registry, ReplicaSet};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tokio::time::sleep;

use super::ledger::Ledger;
use super::mongo::{DATABASE, LIFE, accounts};
use super::probe::{Probe, SHORT_PRESENCE};
use super::writers::Writers;
use super::{SERVICE, lifted_and, log_some_in};
use crate::{Report, Spread};

/// How many members the set has.
const MEMBERS: usize = 3;
/// How much longer than its election timeout a set may be without a primary: it may have
/// to vote twice, on a machine that is busy.
const SLACK: Duration = Duration::from_secs(15);

/// How a replica set is tried.
#[derive(Debug, Args)]
pub struct Options {
    /// How often the primary is killed
    #[arg(long, default_value_t = 30)]
    pub rounds: usize,
    /// How many register at a time, each from an address of its own
    #[arg(long, default_value_t = 8)]
    pub writers: usize,
    /// How long the set goes without its primary before it elects another, in
    /// milliseconds
    #[arg(long, default_value_t = 10_000)]
    pub election_timeout: u64,
    /// What the moments are drawn from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Kills whichever member is the primary and starts it again, while people register, log
/// in, and look who is online.
///
/// # Errors
/// If a program is not built or not there, or nobody can register any more.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    let home = TempDir::new()?;
    let ledger = Arc::new(Ledger::default());
    let election = Duration::from_millis(options.election_timeout);
    let mut report = Report::new(format!(
        "replica-set: the primary of {MEMBERS} killed {} times (seed {}, election timeout {election:?})",
        options.rounds, options.seed
    ));
    let mut set = ReplicaSet::start(MEMBERS, election).await?;
    let store = set.uri(DATABASE);
    let more = lifted_and(&SHORT_PRESENCE);
    let registry = Registry::start(programs, home.path(), &store, &more).await?;
    let probe = Probe::start(registry.ports(), &ledger).await?;
    let writers = Writers::start(options.writers, registry.tcp, &ledger);
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let (mut back, mut in_flight) = (Spread::default(), 0);
    for round in 0..options.rounds {
        sleep(random.random_range(Duration::ZERO..LIFE)).await;
        let primary = set.primary().await?;
        in_flight += ledger.counts().in_flight;
        set.kill(primary).await?;
        let killed = Instant::now();
        ledger
            .wait_until_served(killed, SERVICE)
            .await
            .with_context(|| format!("after kill {round}"))?;
        back.add(killed.elapsed());
        set.restart(primary).await?;
    }
    writers.stop().await;
    probe.stop(&mut report).await?;
    log_some_in(&registry, &ledger).await?;
    let stored = accounts(&store).await?;
    report.figure("in flight at the kills", in_flight);
    report.figure("from a kill to the next registration", &back);
    report.check(
        back.max() < election + SLACK,
        format!("nobody could register for {:?}", back.max()),
    );
    ledger.check_waits(&mut report);
    ledger.settle(&stored, &mut report);
    Ok(report)
}
