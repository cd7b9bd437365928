//! The peer's history: what a user has been shown is in it, however their program ended.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use p2pchat_model::{Command, ConversationId, Event};
use p2pchat_testkit::{Peer, Programs, Registry, SOON, own_address};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::time::sleep;

use super::write_lock::WriteLock;
use crate::{Durations, Report};

mod listener;
mod shown;
mod speaker;

use listener::Listener;
use shown::ShownTexts;
pub(super) use shown::recall;
use speaker::Speaker;

/// How many share a history, each with a profile and an account of their own.
const LISTENERS: usize = 2;
/// The longest time that they listen before one of them is killed.
const LIFE: Duration = Duration::from_millis(1500);
/// How much later, at most, the other one is killed, if at all.
const LATER: Duration = Duration::from_millis(200);
/// The longest time from the start of a program to its kill, where it is killed while it
/// starts.
const START: Duration = Duration::from_millis(60);
/// One round of this many also kills a program while it starts.
const START_EACH: usize = 4;
/// The history, in the folder of the run.
const FILE: &str = "history.sqlite3";

/// Options of the run.
#[derive(Debug, Args)]
pub struct Options {
    /// How often programs are killed
    #[arg(long, default_value_t = 100)]
    pub rounds: usize,
    /// Seed of the moments of the kills
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// What all rounds share.
#[derive(Debug)]
struct Scene<'a> {
    programs: &'a Programs,
    registry: Registry,
    home: &'a Path,
    addresses: [Ipv4Addr; LISTENERS],
}

/// A user who shares the history: their program while it runs, and what it has shown.
#[derive(Debug, Default)]
struct User {
    listener: Option<Listener>,
    texts: ShownTexts,
}

/// Kills programs while they receive texts as fast as those come.
///
/// # Errors
/// If a program is not built, or does not start again.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    let home = TempDir::new()?;
    let store = home.path().join("accounts.sqlite3");
    let store = store.to_str().context("a path that is text")?;
    let scene = Scene {
        programs,
        registry: Registry::start(programs, home.path(), store, super::LIFTED).await?,
        home: home.path(),
        addresses: std::array::from_fn(|_| own_address()),
    };
    let mut report = Report::new(format!(
        "history-crash: programs that share a history killed in {} rounds (seed {})",
        options.rounds, options.seed
    ));
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let mut users: [User; LISTENERS] = Default::default();
    let mut starts = Durations::default();
    for round in 0..options.rounds {
        one_round(round, &scene, &mut users, &mut random, &mut starts)
            .await
            .with_context(|| format!("in round {round}"))?;
    }
    for (who, mut user) in users.into_iter().enumerate() {
        user.end().await?;
        let mut peer = scene.start(who).await?;
        user.texts.settle(who, &mut peer, &mut report).await?;
        peer.kill().await?;
    }
    report.figure("from start to the newest page", &starts);
    check_file(&home.path().join(FILE), &mut report)?;
    Ok(report)
}

async fn one_round(
    round: usize,
    scene: &Scene<'_>,
    users: &mut [User; LISTENERS],
    random: &mut ChaCha8Rng,
    starts: &mut Durations,
) -> Result<()> {
    for (who, user) in users.iter_mut().enumerate() {
        if user.listener.is_none() {
            let began = Instant::now();
            let mut peer = scene.start(who).await?;
            starts.add(began.elapsed());
            user.texts.check_last_life(&mut peer).await?;
            user.listener = Some(Listener::start(peer, format!("own{who}r{round}")));
        }
    }
    let mut speaker = Speaker::start(scene, round).await?;
    speaker.gather(&scene.addresses).await?;
    let speaking = speaker.speak();
    sleep(random.random_range(Duration::ZERO..LIFE)).await;
    let first = random.random_range(0..LISTENERS);
    let second = LISTENERS - 1 - first;
    let held = match round % 2 {
        0 => None,
        _ => Some(WriteLock::for_a_while(&scene.home.join(FILE), random).await?),
    };
    users[first].end().await?;
    drop(held);
    if round.is_multiple_of(START_EACH) {
        let after = random.random_range(Duration::ZERO..START);
        scene.start_and_kill(round, after).await?;
    }
    if random.random_bool(0.5) {
        sleep(random.random_range(Duration::ZERO..LATER)).await;
        users[second].end().await?;
    }
    for (address, text) in speaking.stop().await? {
        if let Some(who) = scene.addresses.iter().position(|at| *at == address) {
            users[who].texts.was_sent(text);
        }
    }
    match &users[second].listener {
        Some(listener) => listener.leave().await,
        None => Ok(()),
    }
}

impl User {
    /// Kills the program, if it runs.
    async fn end(&mut self) -> Result<()> {
        match self.listener.take() {
            Some(listener) => self.texts.was_shown(listener.kill().await?),
            None => Ok(()),
        }
    }
}

impl Scene<'_> {
    /// Starts a program for one who shares the history, and waits for its newest page.
    async fn start(&self, who: usize) -> Result<Peer> {
        let mut peer = self.with_history(&format!("user{who}"), self.addresses[who])?;
        log_in(&mut peer, &format!("user{who}")).await?;
        // The one that comes after a login may have come before this was asked for.
        let conversation = ConversationId::OPEN;
        peer.ask(&Command::History {
            conversation,
            before: None,
        })
        .await?;
        let page = |event: &Event| matches!(event, Event::History { .. }).then_some(());
        peer.event_with("history", SOON, page).await?;
        Ok(peer)
    }

    async fn start_and_kill(&self, round: usize, after: Duration) -> Result<()> {
        let peer = self.with_history(&format!("short{round}"), own_address())?;
        sleep(after).await;
        peer.kill().await
    }

    /// A program that keeps its messages in the shared history.
    fn with_history(&self, profile: &str, at: Ipv4Addr) -> Result<Peer> {
        let file = self.home.join(FILE);
        let file = file.to_str().context("a path that is text")?;
        self.program(profile, at, &["--history", file])
    }

    fn program(&self, profile: &str, at: Ipv4Addr, more: &[&str]) -> Result<Peer> {
        let home = self.home.join(profile);
        std::fs::create_dir_all(&home)?;
        Peer::start(self.programs, &home, &self.registry, at, more)
    }
}

/// Logs an account in, and makes it if there is none.
pub(super) async fn log_in(peer: &mut Peer, account: &str) -> Result<()> {
    let name = account.parse()?;
    if peer.register(name, "secret".parse()?).await.is_err() {
        peer.login(name, "secret".parse()?).await?;
    }
    Ok(())
}

/// Checks the file, and its index of words, which a search has brought up to date, by
/// SQLite's own means.
fn check_file(file: &Path, report: &mut Report) -> Result<()> {
    let connection = Connection::open(file)?;
    let said: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    report.check(said == "ok", format!("the file is damaged: {said}"));
    let index = "INSERT INTO message_text (message_text, rank) VALUES ('integrity-check', 1)";
    let indexed = connection.execute_batch(index);
    report.check(
        indexed.is_ok(),
        format!("the index of words is damaged: {indexed:?}"),
    );
    Ok(())
}
