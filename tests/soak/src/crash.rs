//! Crash runs: programs and databases are killed again and again while they are written to,
//! and nothing that was acknowledged may be lost.
//!
//! SIGKILL loses what a program holds in memory, at any moment, and nothing that the system
//! holds: these runs do not show what a power cut would do.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use p2pchat_testkit::{Programs, Registry, Session, own_address};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{Durations, Report};

pub mod full_disk;
pub mod history;
mod keys;
mod ledger;
pub mod mongo;
mod probe;
mod small_disk;
mod write_lock;
mod writers;

use keys::{Bindings, People};
use ledger::Ledger;
use write_lock::WriteLock;
use writers::{Writers, login};

/// Limits lifted for these runs: the writers register more than an address may, and each of
/// their encrypted sessions is a new connection.
const LIFTED: &[&str] = &[
    "--registrations",
    "1000000",
    "--handshakes",
    "1000000",
    "--unknown-handshakes",
    "1000000",
];
/// The longest that a registry is left alone before it is killed.
const LIFE: Duration = Duration::from_millis(1500);
/// The longest time from the start of a registry to its kill, where that is killed while it
/// starts.
const START: Duration = Duration::from_millis(40);
/// One round of this many also kills a registry while it starts.
const START_EACH: usize = 4;
/// How many accounts are logged in at the end.
const SAMPLE: usize = 100;
/// How long a registration may take when nothing is down.
const SERVICE: Duration = Duration::from_secs(60);

/// Options of the run on the embedded store.
#[derive(Debug, Args)]
pub struct Options {
    /// How often the registry is killed
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

/// Kills the registry on its embedded store at random and at chosen moments.
///
/// # Errors
/// If a program is not built, or the store does not open again.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    let home = TempDir::new()?;
    let file = home.path().join("accounts.sqlite3");
    let store = file.to_str().context("a path that is text")?;
    let (ledger, bindings) = (Arc::new(Ledger::default()), Arc::new(Bindings::default()));
    let mut report = Report::new(format!(
        "crash: the registry killed {} times (seed {})",
        options.rounds, options.seed
    ));
    let mut registry = Registry::start(programs, home.path(), store, LIFTED).await?;
    let ports = registry.ports();
    let writers = Writers::start(options.writers, registry.tcp, &ledger);
    let people = People::start(options.writers, registry.tcp, &ledger, &bindings);
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let (mut starts, mut in_flight) = (Durations::default(), 0);
    for round in 0..options.rounds {
        let held = wait_for_the_moment(&mut random, round, &ledger, &file).await?;
        in_flight += ledger.counts().in_flight;
        registry.kill().await?;
        drop(held);
        if round.is_multiple_of(START_EACH) {
            let after = random.random_range(Duration::ZERO..START);
            Registry::start_and_kill(after, ports, programs, home.path(), store, LIFTED).await?;
        }
        let began = Instant::now();
        registry = Registry::start_at(ports, programs, home.path(), store, LIFTED)
            .await
            .with_context(|| format!("the store does not open in round {round}"))?;
        starts.add(began.elapsed());
    }
    writers.stop().await;
    people.stop().await;
    log_some_in(&registry, &ledger).await?;
    bindings.settle(&[registry.tcp], &mut report).await?;
    let stored = listed(programs, home.path(), store).await?;
    registry.kill().await?;
    report.figure("in flight at the kills", in_flight);
    report.figure("from start to listening", &starts);
    report.check(
        ledger.acknowledged() >= options.rounds,
        "fewer registrations were acknowledged than there were rounds",
    );
    report.check(ledger.counts().refused == 0, "a request was answered 50");
    ledger.settle(&stored, &mut report);
    check_file(&file, &stored, &mut report)?;
    Ok(report)
}

/// Waits for the moment of a kill: any; or just behind an acknowledgement; or while the
/// registry cannot write.
async fn wait_for_the_moment(
    random: &mut ChaCha8Rng,
    round: usize,
    ledger: &Ledger,
    file: &Path,
) -> Result<Option<WriteLock>> {
    sleep(random.random_range(Duration::ZERO..LIFE)).await;
    match round % 3 {
        0 => Ok(None),
        1 => ledger.wait_for_the_next(SERVICE).await.map(|()| None),
        _ => WriteLock::for_a_while(file, random).await.map(Some),
    }
}

/// Logs some of the acknowledged accounts in that are not bound to a person.
async fn log_some_in(registry: &Registry, ledger: &Ledger) -> Result<()> {
    let mut session = Session::connect(own_address(), registry.tcp).await?;
    let sample = ledger.sample(SAMPLE).into_iter();
    for name in sample.filter(|name| !name.starts_with(keys::PREFIX)) {
        login(&mut session, &name, ledger).await?;
    }
    Ok(())
}

/// The names that the operator is shown.
async fn listed(programs: &Programs, home: &Path, store: &str) -> Result<Vec<String>> {
    let output = programs
        .command("p2pchat-registry", home)?
        .args(["users", "list", "--store", store])
        .output()
        .await?;
    ensure!(
        output.status.success(),
        "users list: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// Checks the file by SQLite's own means.
fn check_file(file: &Path, stored: &[String], report: &mut Report) -> Result<()> {
    let connection = Connection::open(file)?;
    let said: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let rows: u32 = connection.query_row("SELECT count(*) FROM account", [], |row| row.get(0))?;
    report.check(said == "ok", format!("the file is damaged: {said}"));
    report.check(
        rows as usize == stored.len(),
        format!("{rows} rows, and {} names are listed", stored.len()),
    );
    Ok(())
}
