//! MongoDB that is killed and comes back under a running registry: a single mongod, or the
//! primary of a replica set.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use futures::TryStreamExt;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::options::ReadConcern;
use p2pchat_testkit::{Mongod, Programs, Registry, ReplicaSet};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tokio::time::sleep;

use super::keys::{Bindings, People};
use super::ledger::Ledger;
use super::probe::{Probe, SHORT_PRESENCE};
use super::writers::Writers;
use super::{LIFTED, SERVICE, log_some_in};
use crate::{Durations, Report};

/// The database of a run.
const DATABASE: &str = "P2PApp";
/// The longest that MongoDB is left alone before it is killed.
const LIFE: Duration = Duration::from_secs(1);
/// The longest that a single mongod is down, most times.
const AWAY: Duration = Duration::from_secs(1);
/// How long it is down in each of the others: longer than the registry waits for it, so
/// that requests are answered 50.
const LONG_AWAY: Duration = Duration::from_secs(6);
/// Of so many rounds, one has it down for long.
const LONG_EACH: usize = 5;
/// How many members a replica set has.
const MEMBERS: usize = 3;
/// How much longer than its election timeout a set may be without a primary: it may have
/// to vote twice, on a busy machine.
const SLACK: Duration = Duration::from_secs(15);

/// Options of the run with a single mongod.
#[derive(Debug, Args)]
pub struct Options {
    /// How often mongod is killed
    #[arg(long, default_value_t = 200)]
    pub rounds: usize,
    /// How many register at a time by version 1, each from an address of its own, and as many
    /// by version 2
    #[arg(long, default_value_t = 8)]
    pub writers: usize,
    /// Seed of the moments of the kills
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Options of the run with a replica set.
#[derive(Debug, Args)]
pub struct ReplicaSetOptions {
    /// How often the primary is killed
    #[arg(long, default_value_t = 30)]
    pub rounds: usize,
    /// How many register at a time by version 1, each from an address of its own, and as many
    /// by version 2
    #[arg(long, default_value_t = 8)]
    pub writers: usize,
    /// How long the set goes without its primary before it elects another, in
    /// milliseconds
    #[arg(long, default_value_t = 10_000)]
    pub election_timeout: u64,
    /// Seed of the moments of the kills
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Kills mongod and starts it again while users register, log in, and look who is online.
///
/// # Errors
/// If a program is not built or not there, or no one can register any more.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    let mut report = Report::new(format!(
        "mongo-crash: a single mongod killed {} times (seed {})",
        options.rounds, options.seed
    ));
    let mut mongod = Mongod::start(&[]).await?;
    let store = format!("{}/{DATABASE}", mongod.uri());
    let mut trial = Trial::start(programs, store, options.writers, options.seed).await?;
    for round in 0..options.rounds {
        trial.live().await;
        trial.count_in_flight();
        mongod.kill().await?;
        let away = if round.is_multiple_of(LONG_EACH) {
            LONG_AWAY
        } else {
            trial.random.random_range(Duration::ZERO..AWAY)
        };
        sleep(away).await;
        mongod.restart().await?;
        trial.wait_until_served(round).await?;
    }
    let counts = trial.ledger.counts();
    report.check(
        counts.refused + counts.refused_logins > 0,
        "no request was answered 50: was mongod ever down?",
    );
    trial.finish(&mut report).await?;
    Ok(report)
}

/// Kills the primary and starts it again while users register, log in, and look who is
/// online.
///
/// # Errors
/// If a program is not built or not there, or no one can register any more.
pub async fn run_replica_set(programs: &Programs, options: &ReplicaSetOptions) -> Result<Report> {
    let election = Duration::from_millis(options.election_timeout);
    let mut report = Report::new(format!(
        "replica-set: the primary of {MEMBERS} killed {} times (seed {}, election timeout {election:?})",
        options.rounds, options.seed
    ));
    let mut set = ReplicaSet::start(MEMBERS, election).await?;
    let mut trial =
        Trial::start(programs, set.uri(DATABASE), options.writers, options.seed).await?;
    for round in 0..options.rounds {
        trial.live().await;
        let primary = set.primary().await?;
        trial.count_in_flight();
        set.kill(primary).await?;
        trial.wait_until_served(round).await?;
        set.restart(primary).await?;
    }
    let longest = trial.finish(&mut report).await?;
    report.check(
        longest < election + SLACK,
        format!("no one could register for {longest:?}"),
    );
    Ok(report)
}

/// A registry on MongoDB, with users who register and one who watches.
struct Trial {
    _home: TempDir,
    store: String,
    registry: Registry,
    ledger: Arc<Ledger>,
    bindings: Arc<Bindings>,
    probe: Probe,
    writers: Writers,
    people: People,
    random: ChaCha8Rng,
    in_flight: usize,
    back: Durations,
}

impl Trial {
    async fn start(programs: &Programs, store: String, writers: usize, seed: u64) -> Result<Self> {
        let home = TempDir::new()?;
        let (ledger, bindings) = (Arc::new(Ledger::default()), Arc::new(Bindings::default()));
        let more = [LIFTED, &SHORT_PRESENCE].concat();
        let registry = Registry::start(programs, home.path(), &store, &more).await?;
        Ok(Self {
            probe: Probe::start(registry.ports(), &ledger).await?,
            writers: Writers::start(writers, registry.tcp, &ledger),
            people: People::start(writers, registry.tcp, &ledger, &bindings),
            _home: home,
            store,
            registry,
            ledger,
            bindings,
            random: ChaCha8Rng::seed_from_u64(seed),
            in_flight: 0,
            back: Durations::default(),
        })
    }

    /// Leaves MongoDB alone for a while.
    async fn live(&mut self) {
        sleep(self.random.random_range(Duration::ZERO..LIFE)).await;
    }

    fn count_in_flight(&mut self) {
        self.in_flight += self.ledger.counts().in_flight;
    }

    /// Waits until a registration is acknowledged that was sent after this call.
    async fn wait_until_served(&mut self, round: usize) -> Result<()> {
        let since = Instant::now();
        self.ledger
            .wait_until_served(since, SERVICE)
            .await
            .with_context(|| format!("after kill {round}"))?;
        self.back.add(since.elapsed());
        Ok(())
    }

    /// Compares what users were told with what is stored; the longest time without service.
    async fn finish(self, report: &mut Report) -> Result<Duration> {
        self.writers.stop().await;
        self.people.stop().await;
        self.probe.stop(report).await?;
        log_some_in(&self.registry, &self.ledger).await?;
        self.bindings.settle(&[self.registry.tcp], report).await?;
        let stored = accounts(&self.store).await?;
        report.figure("in flight at the kills", self.in_flight);
        report.figure("until the next registration", &self.back);
        self.ledger.check_waits(report);
        self.ledger.settle(&stored, report);
        Ok(self.back.max())
    }
}

/// The names in all documents of the database that a URI names, each as often as it is
/// there.
async fn accounts(uri: &str) -> Result<Vec<String>> {
    let client = Client::with_uri_str(uri).await?;
    let database = client
        .default_database()
        .context("a URI names a database")?;
    let documents = database.collection::<Document>("authentication");
    let found = documents
        .find(doc! {})
        .read_concern(ReadConcern::majority())
        .await?;
    let documents: Vec<Document> = found.try_collect().await?;
    let names = documents.iter().map(|account| account.get_str("name"));
    let names: Result<Vec<&str>, _> = names.collect();
    Ok(names?.into_iter().map(str::to_owned).collect())
}
