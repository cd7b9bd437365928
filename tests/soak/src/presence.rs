//! Who is online, pushed by one registry to many: how soon each of them is told that a user has
//! come, has another status, has left or was killed, and by how many deltas of a burst.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use futures::future::try_join_all;
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{Status, ToRegistry};
use p2pchat_secure::Expected;
use p2pchat_testkit::{Device, Programs, Registry, SecureSession, own_address};
use tempfile::TempDir;

use crate::watchers::{Watchers, sign_in, wait_for_seats};
use crate::{Durations, Report, accounts};

/// How soon 99 of 100 are told.
const LIMIT: Duration = Duration::from_millis(500);
/// For how long a registry collects changes: a burst that takes longer is more than one delta.
const COLLECTED: Duration = Duration::from_millis(250);
/// How the name of a user begins that comes and goes.
const ACTOR: &str = "actor";
/// Those of a burst.
const BURST: &str = "burst";
/// So many sign in at a time while all of this is set up.
const AT_A_TIME: usize = 32;

/// Options of the run.
#[derive(Debug, Args)]
pub struct Options {
    /// How many are subscribed
    #[arg(long, default_value_t = 1000)]
    pub watchers: usize,
    /// How often a user comes, changes status, leaves, comes again and is killed
    #[arg(long, default_value_t = 30)]
    pub rounds: usize,
    /// How many users come at a time in the end
    #[arg(long, default_value_t = 100)]
    pub burst: usize,
    /// Do not judge how long it takes: this machine has other things to do
    #[arg(long)]
    pub untimed: bool,
}

/// Lets users come and go while others watch.
///
/// # Errors
/// If a program is not built, or a watcher is not told at all.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    let mut report = Report::new(format!(
        "presence: {} watchers, {} rounds",
        options.watchers, options.rounds
    ));
    let home = TempDir::new()?;
    let store = home.path().join("accounts.sqlite3");
    // Watchers share this machine's addresses, which clients of a network would not.
    let more = ["--handshakes", "1000000", "--unknown-handshakes", "1000000"];
    let path = store.to_str().context("a path that is text")?;
    let registry = Registry::start(programs, home.path(), path, &more).await?;
    let names = (0..options.watchers).map(|number| name("w", number));
    let others = (0..options.burst).map(|number| name(BURST, number));
    accounts::add(&store, names.chain(others).chain([name(ACTOR, 0)]))?;

    let mut watchers = Watchers::default();
    let numbers: Vec<usize> = (0..options.watchers).collect();
    for some in numbers.chunks(AT_A_TIME) {
        let sessions = some
            .iter()
            .map(|number| bind(&registry, name("w", *number)));
        for (session, _) in try_join_all(sessions).await? {
            watchers.add(session).await?;
        }
    }
    come_and_go(&registry, &mut watchers, options, &mut report).await?;
    burst(&registry, &mut watchers, options, &mut report).await?;
    registry.stop().await?;
    Ok(report)
}

fn name(prefix: &str, number: usize) -> Username {
    let name = format!("{prefix}{number}").parse();
    name.expect("a short word and a number are a name")
}

/// Signs a new person in by the password, which binds the name to them.
async fn bind(registry: &Registry, name: Username) -> Result<(SecureSession, Device)> {
    let device = Device::of_new_person();
    let password = Some(accounts::PASSWORD.parse()?);
    let session = sign_in(&device, name, password, own_address(), registry.tcp).await?;
    Ok((session, device))
}

/// What a round measures.
#[derive(Debug, Default)]
struct Round {
    logins: Durations,
    statuses: Durations,
    logouts: Durations,
    kills: Durations,
}

async fn come_and_go(
    registry: &Registry,
    watchers: &mut Watchers,
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    let user = name(ACTOR, 0);
    let (session, device) = bind(registry, user).await?;
    let from = own_address();
    let arrive = async || sign_in(&device, user, None, from, registry.tcp).await;
    drop(session);
    let mut round = Round::default();
    for _ in 0..options.rounds {
        watchers.forget();
        let began = Instant::now();
        let mut session = arrive().await?;
        let told = watchers.all_told(user, began, |state| state.is_some());
        round.logins.merge(&told.await?);

        let began = Instant::now();
        session.done(&ToRegistry::SetStatus(Status::Busy)).await?;
        let is_busy = |state: &p2pchat_protocol::v2::SeatState| state.status == Status::Busy;
        let told = watchers.all_told(user, began, |state| state.is_some_and(is_busy));
        round.statuses.merge(&told.await?);

        let began = Instant::now();
        session.done(&ToRegistry::SignOut).await?;
        let told = watchers.all_told(user, began, |state| state.is_none());
        round.logouts.merge(&told.await?);

        let session = arrive().await?;
        let told = watchers.all_told(user, Instant::now(), |state| state.is_some());
        told.await?;
        // What the system does for a program that was killed.
        let began = Instant::now();
        drop(session);
        let told = watchers.all_told(user, began, |state| state.is_none());
        round.kills.merge(&told.await?);
    }
    for (what, took) in [
        ("a login is told to all", &round.logins),
        ("a change of status", &round.statuses),
        ("a logout", &round.logouts),
        ("a kill", &round.kills),
    ] {
        report.figure(what, took);
        report.check(
            options.untimed || took.percentile(99) < LIMIT,
            format!("{what}: p99 {:?}", took.percentile(99)),
        );
    }
    // One who comes last is told of all.
    wait_for_seats(arrive().await?, options.watchers + 1).await
}

/// Many come at the same moment.
async fn burst(
    registry: &Registry,
    watchers: &mut Watchers,
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    // Each name is bound, and that they came and left is told.
    watchers.forget();
    let bound = (0..options.burst).map(|number| bind(registry, name(BURST, number)));
    let (sessions, devices): (Vec<_>, Vec<_>) = try_join_all(bound).await?.into_iter().unzip();
    watchers.deltas_of(BURST, options.burst).await?;
    drop(sessions);
    watchers.deltas_of(BURST, options.burst).await?;
    let connect = devices
        .iter()
        .map(|device| SecureSession::connect(device, own_address(), registry.tcp, Expected::Any));
    let mut sessions = try_join_all(connect).await?;
    watchers.forget();
    let began = Instant::now();
    let sign_in = sessions
        .iter_mut()
        .enumerate()
        .map(|(number, session)| session.sign_in(name(BURST, number), None));
    try_join_all(sign_in).await?;
    let took = began.elapsed();
    let deltas = watchers.deltas_of(BURST, options.burst).await?;
    let most = 1 + took.as_millis() / COLLECTED.as_millis();
    let (burst, shown) = (options.burst, format!("{took:.1?}"));
    report.figure(format!("deltas of {burst} logins within {shown}"), deltas);
    report.check(
        deltas as u128 <= most,
        format!("{burst} logins within {shown} were {deltas} deltas"),
    );
    Ok(())
}
