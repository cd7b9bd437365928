//! A single mongod that is killed and comes back, under a running registry.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use futures::TryStreamExt;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::options::ReadConcern;
use p2pchat_testkit::{Mongod, Programs, Registry};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tokio::time::sleep;

use super::ledger::Ledger;
use super::probe::{Probe, SHORT_PRESENCE};
use super::writers::Writers;
use super::{SERVICE, lifted_and, log_some_in};
use crate::{Report, Spread};

/// The database of a run.
pub(super) const DATABASE: &str = "P2PApp";
/// The longest that MongoDB is left alone before it is killed.
pub(super) const LIFE: Duration = Duration::from_secs(1);
/// The longest that it is away, most times.
const AWAY: Duration = Duration::from_secs(1);
/// How long it is away in each of the others: longer than the registry waits for it, so
/// that requests are answered 50.
const LONG_AWAY: Duration = Duration::from_secs(6);
/// Of so many rounds, one has it away for long.
const LONG_EACH: usize = 5;

/// How a single mongod is tried.
#[derive(Debug, Args)]
pub struct Options {
    /// How often mongod is killed
    #[arg(long, default_value_t = 200)]
    pub rounds: usize,
    /// How many register at a time, each from an address of its own
    #[arg(long, default_value_t = 8)]
    pub writers: usize,
    /// What the moments are drawn from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Kills mongod and starts it again while people register, log in, and look who is
/// online.
///
/// # Errors
/// If a program is not built or not there, or nobody can register any more.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    let home = TempDir::new()?;
    let ledger = Arc::new(Ledger::default());
    let mut report = Report::new(format!(
        "mongo-crash: a single mongod killed {} times (seed {})",
        options.rounds, options.seed
    ));
    let mut mongod = Mongod::start(&[]).await?;
    let store = format!("{}/{DATABASE}", mongod.uri());
    let more = lifted_and(&SHORT_PRESENCE);
    let registry = Registry::start(programs, home.path(), &store, &more).await?;
    let probe = Probe::start(registry.ports(), &ledger).await?;
    let writers = Writers::start(options.writers, registry.tcp, &ledger);
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let (mut back, mut in_flight) = (Spread::default(), 0);
    for round in 0..options.rounds {
        sleep(random.random_range(Duration::ZERO..LIFE)).await;
        in_flight += ledger.counts().in_flight;
        mongod.kill().await?;
        let away = match round % LONG_EACH {
            0 => LONG_AWAY,
            _ => random.random_range(Duration::ZERO..AWAY),
        };
        sleep(away).await;
        mongod.restart().await?;
        let listens = Instant::now();
        ledger
            .wait_until_served(listens, SERVICE)
            .await
            .with_context(|| format!("after kill {round}"))?;
        back.add(listens.elapsed());
    }
    writers.stop().await;
    probe.stop(&mut report).await?;
    log_some_in(&registry, &ledger).await?;
    let stored = accounts(&store).await?;
    report.figure("in flight at the kills", in_flight);
    report.figure("from mongod's listening to the next registration", &back);
    report.check(
        ledger.counts().refused > 0 && ledger.counts().refused_logins > 0,
        "nobody was answered 50: was mongod ever away?",
    );
    ledger.check_waits(&mut report);
    ledger.settle(&stored, &mut report);
    Ok(report)
}

/// The names in all documents of the database that a URI names, each as often as it is
/// there.
pub(super) async fn accounts(uri: &str) -> Result<Vec<String>> {
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
