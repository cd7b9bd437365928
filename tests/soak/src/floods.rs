//! Floods of every kind against the built registry, and how a client that only logs in and
//! searches is served meanwhile.
//!
//! Each flood meets a registry of its own, with users who are logged in and say Hello.
//! The client that is measured is measured before as well, and afterwards.
//!
//! Registry and attacker share the cores of one machine, which they would not elsewhere.
//! So the threads of the attacker are nice (`attack::NICENESS`) and the figures speak of
//! the registry: of what its kernel and its queues let through, rather than of who gets
//! the processor.

use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};
use p2pchat_testkit::Programs;

use crate::Report;

mod attack;
mod connections;
mod datagrams;
mod handshakes;
mod online_users;
mod probe;
mod scene;
mod verdict;

use attack::Attack;
use probe::Probe;
use scene::Scene;
use verdict::Verdict;

/// What the registry may take in resident memory, whatever comes: two hashing threads with
/// 19 MiB each, 4 KiB for each of 10,000 connections, the tables of its limits (30 MB, if
/// full), and the online lists that clients have not read yet.
const MEMORY_BOUND: u64 = 192 * 1024 * 1024;
/// How much longer than in quiet times the slowest of a hundred requests may take.
const MAX_RATIO: u32 = 10;
/// How long it is measured before and after a flood, as a share of the flood's time.
const QUIET_SHARE: u32 = 2;

/// Options of the run.
#[derive(Debug, Args)]
pub struct Options {
    /// Only this flood; may be given several times
    #[arg(long, value_name = "FLOOD")]
    pub only: Vec<Flood>,
    /// How long each lasts, once it has reached its full size
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// How many idle connections
    #[arg(long, default_value_t = 10_000)]
    pub idle: usize,
    /// How many connections that send a byte every few seconds
    #[arg(long, default_value_t = 1_000)]
    pub slow: usize,
    /// How many connections that ask for the online list and never read it
    #[arg(long, default_value_t = 1_000)]
    pub deaf: usize,
    /// How many connections of one address log in or register again and again
    #[arg(long, default_value_t = 400)]
    pub crowd: usize,
    /// How many users are online
    #[arg(long, default_value_t = 2_000)]
    pub online: usize,
    /// Do not judge how long requests take: this machine has other things to do
    #[arg(long)]
    pub untimed: bool,
    /// More options of the registry
    #[arg(last = true)]
    pub registry: Vec<String>,
}

/// What the registry is flooded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Flood {
    /// Connections on which nothing is ever asked, from a hundred addresses
    Idle,
    /// Connections that send one byte every few seconds
    Slow,
    /// Connections that ask for the online list again and again and never read, while the
    /// list changes
    Deaf,
    /// Connections from one address, opened and reset as fast as it goes
    Connections,
    /// Connections from one address that has as many as it may already
    Refused,
    /// Datagrams of random bytes
    Random,
    /// Datagrams that are a Hello but for one thing
    Almost,
    /// Hellos of users who are online, from an address that is not theirs
    Foreign,
    /// Logins with wrong passwords, from one address
    Guesses,
    /// Logins with the right password, from one address
    Logins,
    /// Registrations from one address
    Registrations,
    /// Handshakes of version 2 from one address, as fast as it goes
    Handshakes,
    /// The same from a hundred addresses
    HandshakesOfMany,
    /// Connections that begin a handshake and send nothing more
    HalfHandshakes,
    /// Connections that send something else behind the first byte of TLS
    Garbage,
    /// Connections that carry out the handshake and do not sign in
    Unsigned,
}

impl Flood {
    fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Floods a registry in every way.
///
/// # Errors
/// If a program is not built, or what is needed for a flood does not come about.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    let mut report = Report::new(format!(
        "floods: {} s each, {} users online, the attacker nice {}",
        options.seconds,
        options.online,
        attack::NICENESS
    ));
    scene::raise_files(options, &mut report);
    for &flood in Flood::value_variants() {
        if options.only.is_empty() || options.only.contains(&flood) {
            let verdict = meet(flood, programs, options).await?;
            verdict.report(options, &mut report);
        }
    }
    Ok(report)
}

/// One flood against a registry of its own.
async fn meet(flood: Flood, programs: &Programs, options: &Options) -> Result<Verdict> {
    let time = Duration::from_secs(options.seconds);
    let mut scene = Scene::start(programs, options).await?;
    let at_rest = scene.registry.memory()?;
    let open_files = scene.open_files()?;
    let quiet = Probe::of(&scene, time / QUIET_SHARE).await?;

    let mut attack = Attack::start(flood, options, scene.target()).await?;
    let during = Probe::of(&scene, time).await?;
    let lost = scene.online.lost().await + scene.watchers.ended();
    attack.stop();

    let is_over = scene.wait_for_files(open_files).await;
    let after = Probe::of(&scene, time / QUIET_SHARE).await?;
    let peak = scene.peak_memory()?;
    let dropped_datagrams = scene.dropped_datagrams()?;
    let turned_away = scene.stop().await?;
    Ok(Verdict {
        flood,
        quiet,
        during,
        after,
        at_rest,
        peak,
        lost,
        is_over,
        effort: attack.effort(),
        dropped_datagrams,
        turned_away,
    })
}
